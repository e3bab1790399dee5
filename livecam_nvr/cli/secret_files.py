"""Whether others can read what only the service itself has to."""

import stat
from pathlib import Path


def exposed(path: Path, data_dir: Path) -> tuple[str, str] | None:
    """What is wrong with who may read one of the service's own secrets, and the command that mends it.

    None if nothing is, or it has just vanished.

    Raises:
        PermissionError: This user may not even look.
    """
    try:
        found, owner = path.stat(), data_dir.stat()
    except FileNotFoundError:
        return None
    if found.st_uid != owner.st_uid:
        words = f"{path} belongs to somebody else than the data folder: the service cannot read it"
        return words, f"sudo chown {owner.st_uid}:{owner.st_gid} {path}"
    if not found.st_mode & (stat.S_IRWXO | stat.S_IRWXG):
        return None
    return f"others can read {path}", f"chmod {'700' if path.is_dir() else '600'} {path}"


def own_secrets(data_dir: Path) -> list[Path]:
    """The files and folders with the service's own secrets that are there: users, tokens, keys.

    Raises:
        PermissionError: This user may not look.
    """
    access = data_dir / "access"
    named = [access, *sorted(access.glob("*.sqlite*")), data_dir / "tls" / "private-key.pem"]
    return [path for path in (*named, data_dir / "signing-key.pem") if path.exists()]
