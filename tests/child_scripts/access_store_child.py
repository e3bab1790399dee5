"""Adds tokens to a list of users, beside other processes: FOLDER NAME COUNT."""

import sys
from pathlib import Path

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

folder, name, count = sys.argv[1:]
with AccessStore(Path(folder)) as store:
    for number in range(int(count)):
        store.add_token(f"{name}-{number}", Role.VIEWER, None)
