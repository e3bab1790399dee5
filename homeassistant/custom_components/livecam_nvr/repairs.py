"""What somebody has to do something about, as issues that come and go: the disk, the clock, versions."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .client import ServiceInfo
from .const import API_VERSION, DOMAIN
from .coordinator import LivecamConfigEntry


@callback
def keep_issues(hass: HomeAssistant, entry: LivecamConfigEntry) -> None:
    """Follows the status."""
    coordinator = entry.runtime_data.coordinator
    said: dict[str, object] = {}

    @callback
    def tell(what: str, severity: ir.IssueSeverity | None, placeholders: dict[str, str]) -> None:
        if said.get(what) == (severity, placeholders):
            return
        said[what] = (severity, placeholders)
        if severity is None:
            ir.async_delete_issue(hass, DOMAIN, _issue(what, entry))
            return
        ir.async_create_issue(
            hass,
            DOMAIN,
            _issue(what, entry),
            is_fixable=False,
            severity=severity,
            translation_key=what,
            translation_placeholders={"name": entry.title, **placeholders},
        )

    @callback
    def look() -> None:
        disk, clock = coordinator.data.disk, coordinator.data.clock
        bad = ir.IssueSeverity.WARNING if disk.level == "warning" else ir.IssueSeverity.ERROR
        words = {"reason": _sentence(disk.reason), "hint": _sentence(disk.hint)}
        tell("disk", bad if disk.problem else None, words if disk.problem else {})
        warning = _sentence(clock.warning)
        tell("clock", ir.IssueSeverity.WARNING if warning else None, {"warning": warning} if warning else {})

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))


@callback
def tell_version(hass: HomeAssistant, entry: LivecamConfigEntry, info: ServiceInfo) -> None:
    """Says which of both has to be updated if they do not fit."""
    for what, wrong in (("service_too_old", info.api < API_VERSION), ("service_too_new", info.api > API_VERSION)):
        if not wrong:
            ir.async_delete_issue(hass, DOMAIN, _issue(what, entry))
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            _issue(what, entry),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=what,
            translation_placeholders={"name": entry.title, "version": info.version},
        )


@callback
def forget_issues(hass: HomeAssistant, entry: LivecamConfigEntry) -> None:
    """Those of an entry that is removed."""
    for what in ("disk", "clock", "service_too_old", "service_too_new"):
        ir.async_delete_issue(hass, DOMAIN, _issue(what, entry))


def _sentence(words: str) -> str:
    """The service tells things in half sentences, as they stand in lists and logs."""
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _issue(what: str, entry: LivecamConfigEntry) -> str:
    return f"{what}_{entry.entry_id}"
