from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers.event import async_track_time_interval


class Meter:
    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        async_track_time_interval(hass, self.poll, timedelta(seconds=30))

    def poll(self, now):
        self.hass.bus.async_fire("meter_read", {"at": now})
