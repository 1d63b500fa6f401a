"""Every API that Home Assistant itself checks at run time is known."""

from __future__ import annotations

import pytest

from loopsafe.knowledge.load import Knowledge, built_in_packs

KNOWN = Knowledge(built_in_packs())
# The calls of `verify_event_loop_thread` and `report_non_thread_safe_operation` in Home Assistant 2025.4.4.
CHECKED = {
    "config_entries.ConfigEntries": ["async_update_entry", "async_update_subentry"],
    "core.EventBus": ["async_fire"],
    "core.HomeAssistant": ["async_create_task"],
    "core.ServiceRegistry": ["async_register", "async_remove"],
    "helpers.area_registry.AreaRegistry": ["async_create", "async_delete", "async_update"],
    "helpers.category_registry.CategoryRegistry": ["async_create", "async_delete", "async_update"],
    "helpers.device_registry.DeviceRegistry": ["async_remove_device", "async_update_device"],
    "helpers.dispatcher": ["async_dispatcher_send"],
    "helpers.entity.Entity": ["async_write_ha_state"],
    "helpers.entity_registry.EntityRegistry": ["async_get_or_create", "async_remove", "async_update_entity"],
    "helpers.floor_registry.FloorRegistry": ["async_create", "async_delete", "async_update"],
    "helpers.issue_registry.IssueRegistry": ["async_delete", "async_get_or_create", "async_ignore"],
    "helpers.label_registry.LabelRegistry": ["async_create", "async_delete", "async_update"],
    "helpers.template.Template": ["async_render_to_info"],
}


NAMES = [f"homeassistant.{owner}.{name}" for owner, names in CHECKED.items() for name in names]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_checked_at_run_time(name: str) -> None:
    assert KNOWN.canonical(name) in KNOWN.operations
