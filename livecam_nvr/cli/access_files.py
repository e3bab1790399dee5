"""What the commands about users and tokens share: the store, the audit log, cameras."""

import os
import pwd
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.core.access import AuditEntry, Client, Deed, Door
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import LivecamError, unknown_camera

if TYPE_CHECKING:
    from livecam_nvr.access.store import AccessStore
    from livecam_nvr.config.models import Config

NS = 1_000_000_000


def access_folder(config: "Config") -> Path:
    """Where users, tokens and the audit log are kept."""
    return config.data_dir / "access"


def audit_path(config: "Config") -> Path:
    """The audit log."""
    return access_folder(config) / "audit.sqlite"


@contextmanager
def opened_store(config: "Config") -> Iterator["AccessStore"]:
    """The store of users and tokens; made if there is none. What root does here, the service can read."""
    from livecam_nvr.access.store import AccessStore  # noqa: PLC0415 - SQLite is not for `--help`

    act_as_owner(config.data_dir)
    with AccessStore(access_folder(config)) as store:
        yield store


def act_as_owner(folder: Path) -> None:
    """Lets root go on as the owner of the folder (or of the nearest one above that is there).

    Files that root made there could not be read by the service, which would then let nobody in.
    """
    if os.geteuid() != 0:
        return
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    owner = there.stat()
    if owner.st_uid != 0:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)


def note(config: "Config", deed: Deed, target: str, detail: str) -> None:
    """Notes in the audit log what a command has done; says so if that cannot be."""
    from livecam_nvr.access.audit import write_entry  # noqa: PLC0415 - see above

    entry = AuditEntry(time.time_ns(), deed, person(), Client("", Door.CLI), target, detail=detail)
    try:
        write_entry(audit_path(config), entry)
    except (LivecamError, OSError) as error:
        print(f"livecam-nvr: this is not in the audit log: {error}", file=sys.stderr)


def person() -> str:
    """Who runs the command, as the system knows them; with sudo, who asked for it."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"user {uid}"  # as in a container
    asked = os.environ.get("SUDO_USER", "") if uid == 0 else ""
    return f"{asked} as {name}" if asked and asked != name else name


def known_cameras(config: "Config", camera_ids: Sequence[str] | None) -> tuple[str, ...] | None:
    """The cameras of a `--camera` option, each once; None for all, if there were none.

    Raises:
        LivecamError: NOT_FOUND for one that the config does not have.
    """
    if not camera_ids:
        return None
    known = [camera.id for camera in config.cameras]
    for camera_id in camera_ids:
        if camera_id not in known:
            raise unknown_camera(camera_id, known)
    return tuple(dict.fromkeys(camera_ids))


def cameras_in_words(cameras: Sequence[str] | None) -> str:
    """`all`, `cam0, cam1`, `none`."""
    return "all" if cameras is None else ", ".join(cameras) or "none"


def rights(role: Role, cameras: Sequence[str] | None) -> str:
    """`viewer of cam0, cam1`."""
    return f"{role} of {'all cameras' if cameras is None else cameras_in_words(cameras)}"


def local(utc_ns: int | None, otherwise: str = "never") -> str:
    """A moment for people, local time to the minute."""
    if utc_ns is None:
        return otherwise
    return f"{datetime.fromtimestamp(utc_ns / NS, UTC).astimezone():%Y-%m-%d %H:%M}"
