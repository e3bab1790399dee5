"""Finds files with secrets that every user of the machine may read."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from livecam_nvr.config import schema
from livecam_nvr.config.mistakes import dotted
from livecam_nvr.config.models import Config, RtspCamera
from livecam_nvr.config.secret_values import VARIABLE
from livecam_nvr.config.source import KeyPath, leaves, parse
from livecam_nvr.domain.redact import redact


@dataclass(frozen=True, slots=True)
class LooseSecret:
    """A file with a secret that is open to all. `str()` is a line for the log."""

    file: Path
    key: str
    """Whose value it holds, dotted as in `mqtt.password_file`; for the config file itself, of the first in it."""

    @property
    def found(self) -> str:
        """What is so."""
        return f"{self.file} holds a secret ({self.key}) and may be read by every user of this machine"

    @property
    def mend(self) -> str:
        """What to do."""
        return f"chmod o-rwx {self.file}"

    def __str__(self) -> str:
        return f"{self.found}; {self.mend}"


def loose_secrets(config_path: Path | None, config: Config) -> list[LooseSecret]:
    """The files that `config` got its secrets from, and `config_path` if it holds some itself, as far as all may
    read them. Looks at files, so it blocks for a moment; what cannot be looked at is left out.
    """
    found = [LooseSecret(file, key) for key, file in _secret_files(config) if _open_to_all(file)]
    if config_path is not None and _open_to_all(config_path) and (key := _first_written(config_path)):
        found.insert(0, LooseSecret(config_path, key))
    return found


def _secret_files(config: Config) -> Iterator[tuple[str, Path]]:
    named = [
        ("mqtt.password_file", config.mqtt.password_file),
        ("mqtt.client_key", config.mqtt.client_key),
        ("tls.private_key", config.tls.private_key),
    ]
    for number, camera in enumerate(config.cameras):
        if isinstance(camera, RtspCamera):
            files = {"url_file": camera.url_file, "sub_url_file": camera.sub_url_file}
            files["onvif_url_file"] = camera.onvif_url_file
            named += [(f"cameras[{number}].{key}", file) for key, file in files.items()]
    yield from ((key, file) for key, file in named if file is not None)


def _open_to_all(file: Path) -> bool:
    """Whether everybody may read it and enter all folders on the way."""
    try:
        real = file.resolve(strict=True)
        if not real.stat().st_mode & stat.S_IROTH:
            return False
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    except OSError:
        return False


def _first_written(config_path: Path) -> str:
    """The first secret that stands in the file itself; empty if there is none."""
    try:
        source = parse(config_path.read_text("utf-8-sig"), str(config_path))
    except (OSError, UnicodeError):
        return ""
    return next((dotted(path) for path, text in leaves(source.data) if _holds_secret(path, text, source.data)), "")


def _holds_secret(path: KeyPath, text: str, data: object) -> bool:
    field = schema.field_at(path, data) if path else None
    if field is None or not schema.is_secret(field):
        return False
    written = VARIABLE.sub("", text)
    if path[-1] == "password":
        return bool(written)
    try:
        if urlsplit(written).password:
            return True
    except ValueError:
        return True
    # In the address's path, as some cameras have it.
    bare = written.replace(":@", "@", 1)
    return redact(bare) != bare
