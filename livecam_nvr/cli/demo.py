"""What may be shown to everybody by `run --demo`: test pictures, and nothing that was ever anybody's."""

from typing import TYPE_CHECKING

from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config


def demand_demo(config: "Config") -> None:
    """Refuses to open to everybody what is not a demo. Blocks for the disk.

    Users, or recordings of other cameras, show that this is somebody's installation with another config today.

    Raises:
        LivecamError: CONFIG for a camera that is no test camera, CONFLICT for users, or recordings of others.
    """
    from livecam_nvr.access.store import FILE, AccessStore  # noqa: PLC0415 - not for every start
    from livecam_nvr.cli.access_files import access_folder  # noqa: PLC0415
    from livecam_nvr.storage.place.folders import cameras  # noqa: PLC0415

    for camera in config.cameras:
        if camera.kind != "test":
            raise LivecamError(
                ErrorKind.CONFIG,
                f"{camera.id} is no test camera (its kind is {camera.kind}): a demo would show it to everybody",
                "run without --demo, or with a --config whose cameras are all of kind test",
            )
    folder = access_folder(config)
    if (folder / FILE).exists():
        with AccessStore(folder) as store:
            users = store.users()
        if users:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"there are users in {config.data_dir}: a demo would let everybody in without a password",
                "run without --demo, or with a --config that has another data_dir",
            )
    try:
        others = set(cameras(config.recording.path)) - {camera.id for camera in config.cameras}
    except OSError:
        others = set()  # no archive yet, or one that nobody can read
    if others:
        named = ", ".join(sorted(others))
        raise LivecamError(
            ErrorKind.CONFLICT,
            f"{config.recording.path} has recordings of {named}: a demo would show them to everybody",
            "run without --demo, or with a --config that has another recording.path",
        )
