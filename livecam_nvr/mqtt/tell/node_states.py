"""How the service and its disk are, as payloads: topic to bytes. Pure."""

from livecam_nvr.core.home_assistant import API
from livecam_nvr.domain.status import DiskStatus, RetentionStatus, ServiceStatus
from livecam_nvr.mqtt.tell.payloads import Payloads, as_json, as_moment, as_state, as_text
from livecam_nvr.mqtt.topics import Topics

_GB = 1_000_000_000
_TITLE = "livecam-nvr"
_MEMORY_STEP_MB = 5  # so much an idle service moves


def disk_problem(topics: Topics, disk: DiskStatus) -> Payloads:
    """Whether the disk has a problem, which, how bad it is, and what to do."""
    told = as_json(
        problem=as_state(disk.problem).decode(),
        reason=as_text(disk.reason),
        hint=as_text(disk.hint),
        level=str(disk.level),
        trouble=str(disk.trouble),
    )
    return {topics.disk_problem: told}


def room(topics: Topics, disk: DiskStatus) -> Payloads:
    """How much room there is, in GB; nothing while the disk has not been looked at."""
    if not disk.total_bytes:
        return {}
    used_bytes = disk.total_bytes - disk.free_bytes
    return {
        topics.disk_free: f"{disk.free_bytes / _GB:.1f}".encode(),
        topics.disk: as_json(
            used_gb=round(used_bytes / _GB, 1),
            free_gb=round(disk.free_bytes / _GB, 1),
            total_gb=round(disk.total_bytes / _GB, 1),
            percent=round(100 * used_bytes / disk.total_bytes, 1),
        ),
    }


def retention(topics: Topics, status: RetentionStatus) -> Payloads:
    """How much footage there is, and how long that goes on."""
    oldest = status.oldest_utc_ns
    told = as_json(
        days_held=_rounded(status.days_held),
        days_until_full=_rounded(status.days_until_full),
        oldest=None if oldest is None else as_moment(oldest),
        gb=round(status.bytes / _GB, 1),
        gb_per_day=round(status.bytes_per_day / _GB, 1),
    )
    return {topics.retention: told}


def figures(topics: Topics, status: ServiceStatus) -> Payloads:
    """What the service costs, rounded so that an idle one is silent, and since when it runs."""
    process = status.process
    memory = process.memory_bytes
    told = as_json(
        cpu=None if process.cpu_percent is None else round(process.cpu_percent),
        memory_mb=None if memory is None else round(memory / 1e6 / _MEMORY_STEP_MB) * _MEMORY_STEP_MB,
        started=as_moment(status.started_utc_ns),
    )
    return {topics.figures: told}


def update(topics: Topics, status: ServiceStatus) -> Payloads:
    """The version that runs, and the one on the disk: it takes over at the next start."""
    on_disk = status.installed_version or status.version
    waits = on_disk != status.version
    told = as_json(
        installed_version=status.version,
        latest_version=on_disk,
        title=_TITLE,
        release_summary=f"{on_disk} is installed and runs after a restart of the service." if waits else "",
    )
    return {topics.update: told}


def about(topics: Topics, install_id: str, name: str, version: str, url: str) -> Payloads:
    """By this the integration finds the service; `url` is its page, as another machine can open it, or empty."""
    return {topics.about: as_json(install_id=install_id, name=name, version=version, api=API, url=url)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
