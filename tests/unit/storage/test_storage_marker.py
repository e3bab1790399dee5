"""Which folder is the archive, and what should be mounted there."""

import json
import shutil
from pathlib import Path

import pytest

from livecam_nvr.domain.errors import ErrorKind
from livecam_nvr.storage.place.lock import ArchiveLock
from livecam_nvr.storage.place.marker import MARKER, MEMORY, Marker, MissingError
from livecam_nvr.storage.place.mounts import Mounts


class Machine:
    """A machine with a mount point `disk`, whose settings and mounts are files of the test's."""

    def __init__(self, folder: Path) -> None:
        self.disk = folder / "disk with space"
        self.disk.mkdir()
        self.root = self.disk / "recordings"
        self.data = folder / "data"
        self.mountinfo, self.fstab, self.units = folder / "mountinfo", folder / "fstab", folder / "units"
        self.units.mkdir()
        self.fstab.write_text("# nothing\nUUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n\n")
        self.mount()

    def mount(self, *places: Path) -> None:
        lines = ["22 1 8:1 / / rw - ext4 /dev/sda1 rw"]
        lines += [f"30 22 8:17 / {_escaped(place)} rw - ext4 /dev/sdb1 rw" for place in places]
        self.mountinfo.write_text("\n".join(lines))

    def marker(self) -> Marker:
        """As a new process would make it."""
        return Marker(self.root, self.data, Mounts(self.mountinfo, self.fstab, self.units))

    def remembered(self) -> dict[str, object]:
        return dict(json.loads((self.data / MEMORY).read_text())["archives"][str(self.root)])

    def id(self) -> str:
        return str(json.loads((self.root / MARKER).read_text())["id"])


def _escaped(place: Path) -> str:
    return str(place).replace(" ", r"\040")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_use_makes_and_remembers_it(machine: Machine) -> None:
    assert not machine.marker().look()
    assert not machine.root.exists(), "looking changes nothing"
    machine.marker().ensure()
    assert machine.marker().look()
    assert machine.remembered()["id"] == machine.id()
    before = machine.id()
    machine.marker().ensure()
    assert machine.id() == before


def test_an_older_version_s_archive_is_adopted_without_a_word(machine: Machine) -> None:
    (machine.root / "cam0").mkdir(parents=True)
    machine.marker().ensure()
    assert machine.remembered()["id"] == machine.id()


def test_an_archive_whose_memory_was_lost_stays_what_it_is(machine: Machine) -> None:
    machine.marker().ensure()
    before = machine.id()
    shutil.rmtree(machine.data)
    machine.marker().ensure()
    assert machine.remembered()["id"] == before == machine.id()


@pytest.mark.parametrize("left", ["nothing", "folder", "root"])
def test_a_disk_that_is_not_mounted_gets_no_folder(machine: Machine, left: str) -> None:
    machine.mount(machine.disk)
    machine.marker().ensure()
    away = machine.disk.rename(machine.disk.with_name("away"))
    machine.mount()
    for place in {"nothing": [], "folder": [machine.disk], "root": [machine.disk, machine.root]}[left]:
        place.mkdir()
    marker = machine.marker()
    before = sorted(machine.disk.rglob("*"))
    for look in (marker.look, marker.ensure, ArchiveLock(machine.root, marker).ensure):
        with pytest.raises(MissingError, match="disk is missing") as missing:
            look()
        assert missing.value.kind is ErrorKind.DISK
        assert "livecam-nvr adopt" in missing.value.hint
    assert sorted(machine.disk.rglob("*")) == before
    shutil.rmtree(machine.disk, ignore_errors=True)
    away.rename(machine.disk)
    machine.mount(machine.disk)
    assert marker.look(), "the same object sees it again"


def test_another_disk_is_told_to_be_another(machine: Machine) -> None:
    machine.marker().ensure()
    (machine.root / MARKER).write_text('{"version": 1, "id": "of another disk"}')
    marker = machine.marker()
    with pytest.raises(MissingError, match="different disk"):
        marker.ensure()
    assert machine.marker().adopt()
    assert marker.look(), "a service that runs sees that it was adopted"
    assert machine.remembered()["id"] == "of another disk"
    assert not machine.marker().adopt(), "it is already"


def test_a_new_disk_is_adopted_on_purpose_only(machine: Machine) -> None:
    machine.mount(machine.disk)
    machine.marker().ensure()
    before = machine.id()
    machine.disk.rename(machine.disk.with_name("old"))
    machine.disk.mkdir()
    running = machine.marker()
    memory = machine.data / MEMORY
    text = memory.read_text().replace(f'"fsid": {machine.remembered()["fsid"]}', '"fsid": 1')
    memory.write_text(text)  # the new disk's file system has another id
    with pytest.raises(MissingError, match="missing"):
        running.ensure()
    assert machine.marker().adopt()
    running.ensure()
    assert machine.id() not in ("", before)


@pytest.mark.parametrize("running", [True, False])
def test_a_folder_deleted_by_hand_is_made_again(machine: Machine, running: bool) -> None:
    marker = machine.marker()
    marker.ensure()
    before = machine.id()
    shutil.rmtree(machine.root)
    (marker if running else machine.marker()).ensure()
    assert machine.id() == before


@pytest.mark.parametrize("how", ["fstab", "unit"])
def test_what_the_machine_lists_has_to_be_mounted_at_the_first_start_already(machine: Machine, how: str) -> None:
    if how == "fstab":
        machine.fstab.write_text(f"UUID=3\t{_escaped(machine.disk)}\text4\tdefaults,nofail\t0\t2\n")
    else:
        unit = machine.units / "x.mount"
        unit.write_text(f"[Mount]\nWhat=/dev/sdb1\nWhere = {machine.disk}\n")
    for act in (machine.marker().look, machine.marker().ensure, machine.marker().adopt):
        with pytest.raises(MissingError, match="nothing is mounted at") as missing:
            act()
        assert f"sudo mount {machine.disk}" in missing.value.hint
    assert list(machine.disk.iterdir()) == []
    machine.mount(machine.disk)
    machine.marker().ensure()


def test_a_place_for_mounts_that_nobody_has_made_is_not_made(machine: Machine) -> None:
    mounts = Mounts(machine.mountinfo, machine.fstab, machine.units)
    name = "livecam-nvr-is-not-here"
    assert mounts.lacking(Path(f"/mnt/{name}/recordings")) == Path(f"/mnt/{name}")
    assert mounts.lacking(Path(f"/media/pi/{name}/recordings")) == Path(f"/media/pi/{name}")
    assert mounts.lacking(Path(f"/srv/{name}/recordings")) is None
    machine.mount(Path("/mnt"))
    assert mounts.lacking(Path(f"/mnt/{name}/recordings")) is None
    machine.mountinfo.unlink()
    assert mounts.point_of(machine.disk) == Path("/")


def test_a_memory_that_cannot_be_read_or_kept_does_not_stop_recording(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.data.mkdir()
    (machine.data / MEMORY).write_text("{ not json")
    machine.marker().ensure()
    assert "cannot be read" in caplog.text
    assert machine.remembered()["id"] == machine.id()
    shutil.rmtree(machine.data)
    machine.data.write_text("no folder")
    marker = machine.marker()
    marker.ensure()
    assert "cannot be remembered" in caplog.text
    (machine.root / MARKER).write_text('{"id": "x"}')
    with pytest.raises(MissingError):
        marker.look()
