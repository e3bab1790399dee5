"""The repository that the Supervisor of Home Assistant OS takes the app from.

It builds the app from the app's own folder and nothing else, so the service's sources are put into that: into
`rootfs`, where it does not take every `config.*` for a further app (supervisor/store/data.py).
"""

import re
import shutil
from pathlib import Path

from release import packing

SLUG = "livecam_nvr"


def make(root: Path, target: Path, repository: str, version: str) -> None:
    """Writes it: `repository.yaml`, and the app's folder with the service in `rootfs/`."""
    packing.copy(root / "homeassistant" / "addon", target)
    for page in (path for path in packing.files(target) if path.suffix in {".md", ".yaml"}):
        page.write_text(page.read_text().replace("@REPOSITORY@", repository))
    shutil.copyfile(root / "LICENSE", target / "LICENSE")
    config = target / SLUG / "config.yaml"
    config.write_text(re.sub(r'^version: ".*"$', f'version: "{version}"', config.read_text(), flags=re.MULTILINE))
    service = target / SLUG / "rootfs" / "opt" / "livecam-nvr"
    packing.copy(root / "livecam_nvr", service / "livecam_nvr")
    for name in ("LICENSE", "requirements.lock"):
        shutil.copyfile(root / name, service / name)
