"""Names of topics and Home Assistant ids, and the way back from a topic to what it means. Pure."""

import re
from dataclasses import dataclass

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_FAMILY = "livecam-nvr"


@dataclass(frozen=True, slots=True)
class Command:
    """A topic somebody may write to, taken apart: `<base>/<node>/<camera>/<what>/set`."""

    camera_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Topics:
    """All names of one node. `docs/ref/mqtt.md` lists them."""

    base: str
    discovery_prefix: str
    node_id: str

    @property
    def _root(self) -> str:
        return f"{self.base}/{self.node_id}"

    @property
    def _escaped_node(self) -> str:
        # Both ids may contain "_", which also stands between them: doubled in the node's part, a single one is
        # always the border, so that camera b_c of node a and camera c of node a_b never get the same id.
        return self.node_id.replace("_", "__")

    @property
    def client_id(self) -> str:
        """The MQTT client identifier; stable, so that the broker ends a half-dead connection of ours itself."""
        return f"{_FAMILY}-{self.node_id}"

    @property
    def service(self) -> str:
        """`online` or `offline`: the service; also the last will."""
        return f"{self._root}/status"

    @property
    def instance(self) -> str:
        """A random mark of the service that holds this node id."""
        return f"{self._root}/instance"

    @property
    def about(self) -> str:
        """JSON `{"install_id", "name", "version", "api", "url"}`: by this the integration finds the service."""
        return f"{self._root}/service"

    @property
    def events(self) -> str:
        """JSON `{"event_type": "refused", "topic", "camera", "command", "reason", "hint", "at"}`; not retained."""
        return f"{self._root}/event"

    @property
    def figures(self) -> str:
        """JSON `{"cpu", "memory_mb", "started"}`: what the service costs, and since when it runs."""
        return f"{self._root}/figures"

    @property
    def update(self) -> str:
        """JSON `{"installed_version", "latest_version", "title", "release_summary"}`."""
        return f"{self._root}/update"

    @property
    def disk(self) -> str:
        """JSON `{"used_gb", "free_gb", "total_gb", "percent"}`."""
        return f"{self._root}/disk"

    @property
    def disk_free(self) -> str:
        """Free space, GB (10⁹ bytes)."""
        return f"{self._root}/disk/free"

    @property
    def disk_problem(self) -> str:
        """JSON `{"problem": "ON"|"OFF", "reason", "hint", "level", "trouble"}`."""
        return f"{self._root}/disk/problem"

    @property
    def retention(self) -> str:
        """JSON `{"days_held", "days_until_full", "oldest", "gb", "gb_per_day"}`; null where it is not known."""
        return f"{self._root}/retention"

    @property
    def break_in(self) -> str:
        """JSON `{"event_type": "break_in_attempt", "address", "user", "failures", "door", "at"}`; not retained."""
        return f"{self._root}/break_in"

    def available(self, camera_id: str) -> str:
        """`online` or `offline`: whether the camera delivers."""
        return f"{self._root}/{camera_id}/availability"

    def state(self, camera_id: str) -> str:
        """JSON `{"state": "LIVE"|..., "error": ..., "hint": ...}`."""
        return f"{self._root}/{camera_id}/status"

    def stats(self, camera_id: str) -> str:
        """JSON `{"fps": ..., "bitrate_mbps": ..., "size": "1280x720", "dropped": ...}`."""
        return f"{self._root}/{camera_id}/stats"

    def last_segment(self, camera_id: str) -> str:
        """JSON `{"finished": ISO 8601 in UTC, "file": ...}`."""
        return f"{self._root}/{camera_id}/last_segment"

    def recording(self, camera_id: str) -> str:
        """`ON` or `OFF`: the switch."""
        return f"{self._root}/{camera_id}/recording"

    def recording_set(self, camera_id: str) -> str:
        """Takes `ON` and `OFF`."""
        return f"{self._root}/{camera_id}/recording/set"

    def recording_active(self, camera_id: str) -> str:
        """JSON `{"active": "ON"|"OFF", "reason": ...}`: whether frames are going into a file."""
        return f"{self._root}/{camera_id}/recording/active"

    def recording_mode(self, camera_id: str) -> str:
        """`switched`, `always`, `schedule` or `events`."""
        return f"{self._root}/{camera_id}/recording_mode"

    def recording_mode_set(self, camera_id: str) -> str:
        """Takes one of the modes."""
        return f"{self._root}/{camera_id}/recording_mode/set"

    def keep_set(self, camera_id: str) -> str:
        """Takes `PRESS`: what was and will be seen around now is kept."""
        return f"{self._root}/{camera_id}/keep/set"

    def enabled(self, camera_id: str) -> str:
        """`ON` or `OFF`: whether the camera is switched on at all."""
        return f"{self._root}/{camera_id}/enabled"

    def enabled_set(self, camera_id: str) -> str:
        """Takes `ON` and `OFF`."""
        return f"{self._root}/{camera_id}/enabled/set"

    def motion(self, camera_id: str) -> str:
        """`ON`, `OFF`, or `None` while nobody has told of any since the start."""
        return f"{self._root}/{camera_id}/motion"

    def event(self, camera_id: str) -> str:
        """JSON `{"event_type": "begin"|"end"|"moment", "label", "source", "at", "lasted_s"}`; not retained."""
        return f"{self._root}/{camera_id}/event"

    def event_set(self, camera_id: str) -> str:
        """Takes what happens in front of the camera, see docs/ref/mqtt.md."""
        return f"{self._root}/{camera_id}/event/set"

    def coverage(self, camera_id: str) -> str:
        """JSON `{"hour", "day"}`, percent recorded, and the day's gaps; null where it is not known."""
        return f"{self._root}/{camera_id}/coverage"

    def resolution(self, camera_id: str) -> str:
        """`720p`: the quality that runs; empty where it cannot be changed."""
        return f"{self._root}/{camera_id}/resolution"

    def resolution_set(self, camera_id: str) -> str:
        """Takes one of the heights that can be had, as `480p`."""
        return f"{self._root}/{camera_id}/resolution/set"

    def frame_rate(self, camera_id: str) -> str:
        """Frames a second, as set; empty where they cannot be changed."""
        return f"{self._root}/{camera_id}/frame_rate"

    def frame_rate_set(self, camera_id: str) -> str:
        """Takes frames a second, as `15` or `12.5`."""
        return f"{self._root}/{camera_id}/frame_rate/set"

    def restart_set(self, camera_id: str) -> str:
        """Takes `PRESS`."""
        return f"{self._root}/{camera_id}/restart/set"

    def problem(self, camera_id: str) -> str:
        """JSON `{"problem": "ON"|"OFF", "complaints": [{"kind", "message", "hint"}, ...]}`."""
        return f"{self._root}/{camera_id}/problem"

    def picture(self, camera_id: str) -> str:
        """JPEG."""
        return f"{self._root}/{camera_id}/snapshot"

    def picture_set(self, camera_id: str) -> str:
        """Takes `PRESS`: a new picture at once."""
        return f"{self._root}/{camera_id}/snapshot/set"

    def retained_of(self, camera_id: str) -> tuple[str, ...]:
        """Every topic of a camera that the broker keeps, discovery last."""
        return (
            self.available(camera_id),
            self.state(camera_id),
            self.stats(camera_id),
            self.last_segment(camera_id),
            self.recording(camera_id),
            self.recording_active(camera_id),
            self.recording_mode(camera_id),
            self.coverage(camera_id),
            self.resolution(camera_id),
            self.frame_rate(camera_id),
            self.problem(camera_id),
            self.enabled(camera_id),
            self.motion(camera_id),
            self.picture(camera_id),
            self.discovery(camera_id),
        )

    @property
    def all_states(self) -> str:
        """A filter for what the broker keeps of the node's cameras, whether it has them (still) or not."""
        return f"{self._root}/+/status"

    def state_of(self, topic: str) -> str | None:
        """The id of the camera whose `state` topic this is; None if it is not one."""
        camera_id = topic.removeprefix(f"{self._root}/").removesuffix("/status")
        return camera_id if _SLUG.match(camera_id) and topic == self.state(camera_id) else None

    @property
    def everything(self) -> str:
        """A filter for all topics of this node but its announcements."""
        return f"{self._root}/#"

    def owns(self, topic: str) -> bool:
        """Whether `everything` matches it."""
        return topic.startswith(f"{self._root}/")

    @property
    def commands(self) -> str:
        """A filter for everything that somebody may want of a camera, known or not."""
        return f"{self._root}/+/+/set"

    def command(self, topic: str) -> Command | None:
        """What a topic that `commands` matched asks for; None if it is none of ours."""
        parts = topic.removeprefix(self._root + "/").split("/")
        return Command(*parts[:2]) if topic.startswith(self._root + "/") and len(parts) == 3 else None  # noqa: PLR2004

    @property
    def birth(self) -> str:
        """Where Home Assistant says `online` after its start."""
        return f"{self.discovery_prefix}/status"

    @property
    def all_discovery(self) -> str:
        """A filter for the discovery messages of all devices, whoever announced them."""
        return f"{self.discovery_prefix}/device/+/config"

    def discovery(self, camera_id: str | None = None) -> str:
        """The discovery topic of a camera; of the node itself if None."""
        return f"{self.discovery_prefix}/device/{self.device_id(camera_id)}/config"

    def device_id(self, camera_id: str | None = None) -> str:
        """Home Assistant's device identifier, and the object id of the discovery topic."""
        return f"{_FAMILY}_{self._escaped_node}" + (f"_{camera_id}" if camera_id else "")

    def unique_id(self, what: str, camera_id: str | None = None) -> str:
        """An entity's unique id: `<node>_<camera>_<what>`, or `<node>_<what>` for the node's own."""
        return f"{self._escaped_node}_{camera_id}_{what}" if camera_id else f"{self._escaped_node}_{what}"

    def announced_camera(self, topic: str) -> str | None:
        """The id of the camera of this node that a discovery topic announces; None if it is not one of ours."""
        before, after = f"{self.discovery_prefix}/device/{self.device_id()}_", "/config"
        if not (topic.startswith(before) and topic.endswith(after)):
            return None
        camera_id = topic[len(before) : -len(after)]
        return camera_id if _SLUG.match(camera_id) else None
