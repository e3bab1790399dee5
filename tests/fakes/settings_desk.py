"""core.settings.SettingsDesk in memory: the real schema, values that are checked a little, orders kept."""

import json
from copy import deepcopy
from typing import Any

from livecam_nvr.config.models import Config
from livecam_nvr.core.settings import Applied, Effect, Mistake, Review, Settings
from livecam_nvr.domain.errors import ErrorKind, LivecamError

HIDDEN = {"secret": True, "set": True}


class FakeSettingsDesk:
    """Camera names may not be `wrong`; one that is `dead` never comes up."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {
            "cameras": [
                {"id": "cam0", "name": "Door", "kind": "test", "fps": 10},
                {"id": "cam1", "name": "Garden", "kind": "rtsp", "url": HIDDEN},
            ],
            "mqtt": {"host": "broker.local", "username": "me", "password": HIDDEN},
        }
        self.revision = 1
        self.applied: list[dict[str, Any]] = []
        self.pending: tuple[Effect, ...] = ()

    async def settings(self) -> Settings:
        defaults = Config().model_dump(mode="json")
        return Settings(
            str(self.revision), Config.model_json_schema(), deepcopy(self.values), defaults, self.pending
        )

    async def check(self, revision: str, values: dict[str, Any]) -> Review:
        self._same(revision)
        mistakes = [
            Mistake(f"cameras.{at}.name", "is not a name", "write another")
            for at, camera in enumerate(values["cameras"])
            if camera.get("name") == "wrong"
        ]
        old, new = (json.dumps(one, indent=1).splitlines() for one in (self.values, values))
        diff = [*(f"-{line}" for line in old if line not in new), *(f"+{line}" for line in new if line not in old)]
        return Review(tuple(mistakes), tuple(diff), () if mistakes else self._effects(values))

    async def apply(self, revision: str, values: dict[str, Any], by: str) -> Applied:
        del by
        self._same(revision)
        if any(camera.get("name") == "dead" for camera in values["cameras"]):
            raise LivecamError(ErrorKind.MEDIA, "cam0 shows no picture", "all is as it was before")
        effects = self._effects(values)
        self.values = deepcopy(values)
        self.applied.append(values)
        self.revision += 1
        return Applied(str(self.revision), effects)

    def _same(self, revision: str) -> None:
        if revision != str(self.revision):
            raise LivecamError(ErrorKind.CONFLICT, "the file was changed meanwhile", "load the page again")

    def _effects(self, values: dict[str, Any]) -> tuple[Effect, ...]:
        known = {camera["id"]: camera for camera in self.values["cameras"]}
        found = [
            Effect("camera", camera["id"], "restarted" if camera["id"] in known else "added")
            for camera in values["cameras"]
            if known.get(camera["id"]) != camera
        ]
        gone = known.keys() - {camera["id"] for camera in values["cameras"]}
        found += [Effect("camera", camera_id, "removed") for camera_id in sorted(gone)]
        changed = [key for key in values if key != "cameras" and values[key] != self.values.get(key)]
        return (*found, *(Effect(key, "", "changed") for key in changed))
