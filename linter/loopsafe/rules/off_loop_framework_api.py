"""LSF109: a framework's loop-bound API used from another thread."""

from __future__ import annotations

from typing import ClassVar

from loopsafe.rules.off_loop import OffLoopRule


class OffLoopFrameworkApi(OffLoopRule):
    """A framework's loop-bound API is called off its event loop.

    ## What it does
    Reports calls of what a framework allows on its event loop's thread only, in code that runs on another thread:
    Home Assistant's `async_write_ha_state`, `hass.async_create_task` and their kin, the handlers' methods of tornado,
    the widgets of textual, the documents of bokeh, and so on for each framework that the knowledge files describe.

    ## Why is this bad?
    Such an API changes state that the loop's thread reads without locks, and schedules callbacks as only that thread
    may. The call races with the loop, or its effect comes late; some frameworks check the thread and raise.

    ## Example
    ```python
    from homeassistant.components.switch import SwitchEntity

    class Heater(SwitchEntity):
        def turn_on(self, **kwargs: object) -> None:
            self._relay.close()
            self.async_write_ha_state()
    ```

    ## Use instead
    ```python
    class Heater(SwitchEntity):
        def turn_on(self, **kwargs: object) -> None:
            self._relay.close()
            self.schedule_update_ha_state()
    ```

    ## Fix safety
    Safe where the framework has a thread-safe twin that takes the same arguments, and where the call is a statement
    that can be handed over. Not offered where the result is needed on this thread, and where the framework's own way
    over is not in scope.

    ## Conditions checked before reporting
    - The project imports the framework, and the receiver's type is known to be the framework's.
    - A path leads from the start of a thread to the call, and every hop of it is shown. What the framework itself runs
      on threads counts: `turn_on` above, which Home Assistant calls in its executor unless `async_turn_on` exists.
    - No test on the way establishes that this is the loop's own thread.
    """

    code: ClassVar[str] = "LSF109"
    name: ClassVar[str] = "off-loop-framework-api"
    category: ClassVar[str] = "framework"
