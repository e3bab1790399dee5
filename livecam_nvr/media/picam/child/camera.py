"""One camera, driven through picamera2: opened, set up, encoded into a pipe, looked at.

Methods may hang for as long as libcamera does; whoever must not hang does not call them (see `control`).
"""

from __future__ import annotations

import io
import os
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from libcamera import Transform  # type: ignore[import-not-found] # the system's Python has it
from picamera2 import MappedArray, Picamera2  # type: ignore[import-not-found] # the system's Python has it
from picamera2.encoders import H264Encoder  # type: ignore[import-not-found] # the system's Python has it

from . import drawing, selecting
from .controls import CameraControls, controls_for
from .line_up import LineUp
from .pipe import PipeOutput
from .refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_FRAME_S = 5.0
_SNAPSHOT_S = 5.0
_SNAPSHOT_FRAMES = 15  # until exposure and white balance have settled
_METADATA_EVERY_S = 0.9
_PIXELS = "YUV420"
_BOARD = Path("/proc/device-tree/model")
_CHECK_RIBBON = "check the ribbon at both ends with the power off"


def list_cameras() -> list[dict[str, Any]]:
    """The facts of all cameras there are, in the order in which their numbers count."""
    board = _BOARD.read_text(encoding="utf-8") if _BOARD.exists() else ""
    return [selecting.facts_of(number, info, board) for number, info in enumerate(Picamera2.global_camera_info())]


class PiCamera:
    """An open camera. `record` may be called again and again; the camera stays open."""

    def __init__(self, selector: str, tuning: str | None, on_gone: Callable[[], None]) -> None:
        """Opens it.

        Raises:
            Refused: `not_found`, `busy` or `unavailable`.
        """
        self._facts = selecting.choose(selector, list_cameras())
        self._on_gone = on_gone
        self._camera = _open(self._facts, tuning)
        self._configured: dict[str, Any] | None = None
        self._controls = CameraControls()
        self._output: PipeOutput | None = None
        self._line_up: LineUp | None = None
        self._painter: drawing.Painter | None = None
        self._last_sensor_us: int | None = None
        self._metadata: dict[str, Any] = {}
        self._next_metadata_s = 0.0

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of it."""
        width, height = self._camera.sensor_resolution
        return {
            **self._facts,
            "has_focus": "AfMode" in self._camera.camera_controls,
            "sensor": [width, height],
            "controls": sorted(self._camera.camera_controls),
        }

    def modes(self) -> list[dict[str, Any]]:
        """Its sensor's modes, each tried out: takes a while, and only where nothing is recorded."""
        keys = ("size", "fps", "bit_depth")
        return [{key: mode[key] for key in keys} for mode in self._camera.sensor_modes if "size" in mode]

    def record(self, settings: dict[str, Any], fd: int) -> dict[str, Any]:
        """Encodes into `fd`, which it takes over, from now on; returns what really runs.

        Only what differs from what runs is touched: with the same settings the camera goes on, so that a reader
        who died is replaced within a frame.

        Raises:
            Refused: `media` if the camera cannot be set up so or sends nothing.
        """
        try:
            self._stop_encoder()
            wanted = {key: value for key, value in settings.items() if key not in ("bitrate_kbps", "keyframe_s")}
            if wanted != self._configured:
                self._set_up(wanted)
        except BaseException:
            os.close(fd)
            raise
        return self._start_encoder(settings, fd)

    def snapshot(self) -> bytes:
        """A JPEG of what it sees; of what is recorded if that goes on.

        Raises:
            Refused: `media` if the camera sends nothing.
        """
        running = bool(self._camera.started)
        if not running:
            self._configured = None
            self._camera.configure(self._camera.create_video_configuration(main={"format": _PIXELS}))
            self._camera.start()
        try:
            for _ in range(1 if running else _SNAPSHOT_FRAMES):
                request = self._camera.capture_request(wait=_SNAPSHOT_S)
                picture = io.BytesIO()
                try:
                    request.save("main", picture, format="jpeg")
                finally:
                    request.release()
            return picture.getvalue()
        except TimeoutError:
            self._camera.cancel_all_and_flush()
            raise Refused("media", "the camera sends no frames", _CHECK_RIBBON) from None
        finally:
            if not running:
                self._camera.stop()

    def beat(self) -> dict[str, Any]:
        """How it stands now."""
        output, line_up, metadata = self._output, self._line_up, self._metadata
        return {
            "frames": self._camera.frames,
            "encoded": output.frames if output else 0,
            "dropped": output.dropped if output else 0,
            "sensor_us": self._last_sensor_us,
            "exposure_us": metadata.get("ExposureTime"),
            "gain": metadata.get("AnalogueGain"),
            "lens_position": metadata.get("LensPosition"),
            "phase_ms": None if line_up is None or line_up.phase_us is None else round(line_up.phase_us / 1000, 3),
        }

    def close(self) -> None:
        """Ends everything."""
        self._stop_encoder()
        self._camera.close()

    def _stop_encoder(self) -> None:
        self._output = None
        if self._camera.encoders:
            self._camera.stop_encoder()

    def _set_up(self, wanted: dict[str, Any]) -> None:
        self._camera.stop()
        self._configured = None
        half_turn = wanted["rotation"] == 180  # noqa: PLR2004 - degrees
        transform = Transform(hflip=wanted["hflip"] != half_turn, vflip=wanted["vflip"] != half_turn)
        try:
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"format": _PIXELS, "size": tuple(wanted["size"])}, transform=transform
                )
            )
            # Which frame rates there are is known once the size is set.
            self._controls = controls_for(wanted, self._camera.camera_controls)
            runs = self._camera.camera_configuration()
            if runs["main"]["format"] not in drawing.FORMATS:
                raise Refused("media", f"the camera gives {runs['main']['format']}, which cannot be encoded here")
            if runs["transform"] != transform:
                self._controls.warnings.append("this camera cannot turn or mirror its picture")
            self._paint(wanted, runs["main"])
            self._pace(wanted)
            self._camera.set_controls(self._controls.values)
            self._camera.pre_callback = self._look
            self._camera.start()
            if self._controls.after_start:
                self._camera.set_controls(self._controls.after_start)
        except RuntimeError as error:
            raise Refused("media", f"the camera cannot be set up so: {error}", "choose another size") from error
        self._configured = wanted

    def _paint(self, wanted: dict[str, Any], main: dict[str, Any]) -> None:
        self._painter = None
        if wanted["masks"] or wanted["title"] is not None:
            self._painter = drawing.Painter(main["size"], main["format"], wanted["masks"], wanted["title"])

    def _pace(self, wanted: dict[str, Any]) -> None:
        self._line_up = None
        if wanted["line_up"] and self._controls.least_fps < self._controls.fps:
            self._controls.warnings.append("frames cannot be lined up where the frame rate may fall at night")
        elif wanted["line_up"]:
            self._line_up = LineUp(1e6 / self._controls.fps)

    def _start_encoder(self, settings: dict[str, Any], fd: int) -> dict[str, Any]:
        main = self._camera.camera_configuration()["main"]
        fps, least_fps = self._controls.fps, self._controls.least_fps
        # In frames, so counted at the slowest: at night keyframes come sooner than asked for, never later.
        period = max(1, round(least_fps * settings["keyframe_s"]))
        rate = Fraction(fps).limit_denominator(1001)
        encoder = H264Encoder(
            bitrate=settings["bitrate_kbps"] * 1000,
            repeat=True,
            iperiod=period,
            framerate=rate.numerator if rate.denominator == 1 else rate,
        )
        # libav's default, a frame for each core, holds so many frames back.
        encoder.threads = 1
        output = PipeOutput(fd, encoder, main["size"], fps, on_frame=self._encoded, on_gone=self._on_gone)
        try:
            self._camera.start_encoder(encoder, output)
        except Exception as error:  # libav's have no root that is known before it is imported
            output.stop()
            raise Refused("media", f"the encoder cannot be started: {error}") from error
        self._output = output
        if not output.began.wait(_FIRST_FRAME_S) or output.first is None:
            self._configured = None
            self._stop_encoder()
            raise Refused("media", f"the camera sent no frame for {_FIRST_FRAME_S:g} s", _CHECK_RIBBON)
        return {
            "size": list(main["size"]),
            "fps": round(fps, 3),
            "least_fps": round(least_fps, 3),
            "format": main["format"],
            "encoder": type(encoder).__name__,
            "wall_ns": output.first.wall_ns,
            "boot_ns": output.first.boot_ns,
            "warnings": self._controls.warnings,
        }

    def _look(self, request: Any) -> None:
        """Each frame, before it is encoded; in the camera's thread."""
        if self._painter is not None:
            with MappedArray(request, "main") as mapped:
                self._painter.paint(mapped.array)
        now_s = time.monotonic()
        if now_s >= self._next_metadata_s:  # all of it costs too much to be taken with each frame
            self._next_metadata_s = now_s + _METADATA_EVERY_S
            self._metadata = request.get_metadata()

    def _encoded(self, sensor_us: int) -> None:
        self._last_sensor_us = sensor_us
        if self._line_up is not None:
            frame_us = self._line_up.frame(sensor_us)
            if frame_us is not None:
                self._camera.set_controls({"FrameDurationLimits": (frame_us, frame_us)})


def _open(facts: dict[str, Any], tuning: str | None) -> Any:
    try:
        return Picamera2(facts["number"], tuning=None if tuning is None else _tuning(tuning))
    except RuntimeError as error:
        cause = error.__cause__ or error
        if "busy" in str(cause).lower():
            raise Refused("busy", f"camera {selecting.describe(facts)} is in use") from error
        raise Refused("unavailable", f"camera {selecting.describe(facts)}: {cause}", _CHECK_RIBBON) from error


def _tuning(path: str) -> Any:
    """A file of one's own, or one of those that come with libcamera, by its name."""
    if os.path.isfile(path):  # noqa: PTH113 - it is a string here and stays one
        return path
    try:
        return Picamera2.load_tuning_file(os.path.basename(path))  # noqa: PTH119 - as above
    except RuntimeError:
        there = "libcamera's own are in /usr/share/libcamera/ipa/rpi, for example ov5647_noir.json"
        raise Refused("config", f"there is no tuning file {path}", there) from None
