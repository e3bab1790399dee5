"""A real desk for commands, with fakes around it that take down what reaches them."""

import json
from typing import Any

from fakes.access_audit import FakeAuditLog
from fakes.core_control import FakeControl
from fakes.core_past import FakeClips, FakeEvents
from fakes.mqtt_pictures import FakePictures
from fakes.mqtt_power import FakePower
from fakes.mqtt_recording import FakeRecording
from fakes.runtime_clock import FakeClock

from livecam_nvr.core.bus import EventBus
from livecam_nvr.mqtt.obey.commands import Answer, CommandDesk, Orders
from livecam_nvr.mqtt.obey.refusals import Refusals
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("b", "homeassistant", "n")


class Desk:
    """One camera, `cam0`, unless there are to be others."""

    def __init__(self, *camera_ids: str, power: bool = True) -> None:
        ids = camera_ids or ("cam0",)
        bus = EventBus()
        self.clock = FakeClock()
        self.recording = FakeRecording(bus, ids)
        self.control = FakeControl(bus, ids)
        self.events = FakeEvents(ids)
        self.clips = FakeClips(ids)
        self.power = FakePower(ids)
        self.pictures = FakePictures()
        self.audit = FakeAuditLog()
        self.telegrams = Telegrams(self.clock)
        self.told: list[tuple[str, str]] = []
        """What the desk wants to be told, and of which camera."""
        orders = Orders(
            self.recording,
            self.control,
            self.events,
            self.clips,
            self._picture,
            self.power if power else None,
        )
        refusals = Refusals(TOPICS, self.telegrams, self.clock)
        self.desk = CommandDesk(TOPICS, orders, refusals, self, self.audit)

    def say(
        self, what: str, payload: bytes, camera: str = "cam0", *, retained: bool = False, whole: str = ""
    ) -> Answer | None:
        """A command comes; `whole`: on this topic."""
        return self.desk.handle(whole or f"b/n/{camera}/{what}/set", payload, retained=retained)

    def refusals(self) -> list[dict[str, Any]]:
        """What was answered so far and not taken."""
        queue = self.telegrams._waiting.get(TOPICS.events, ())
        return [json.loads(telegram.payload) for telegram in queue]

    def deeds(self) -> dict[str, object]:
        """All that was ordered: empty as long as nothing has changed."""
        found = {
            "recording": self.recording.orders,
            "modes": self.recording.modes,
            "quality": self.control.orders,
            "restarts": self.control.restarts,
            "events": self.events.told,
            "clips": self.clips.kept,
            "power": self.power.orders,
            "pictures": self.pictures.taken,
        }
        return {what: deeds for what, deeds in found.items() if deeds}

    def settled(self, camera_id: str) -> None:
        self.told.append(("settled", camera_id))

    def switched(self, camera_id: str) -> None:
        self.told.append(("switched", camera_id))

    def pictured(self, camera_id: str) -> None:
        self.told.append(("pictured", camera_id))

    async def _picture(self, camera_id: str) -> None:
        await self.pictures.snapshot(camera_id)
