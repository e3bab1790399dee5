"""Runs a script as `python3` would, on a machine whose cameras are libcamera's virtual ones.

    virtual_picamera2.py [-c CODE | SCRIPT] ARGUMENTS…

The picamera2 that the script imports is the unmodified one. What stands in for hardware, and nothing else, is
replaced before that: the modules that know the Pi's display and chips, the memory that its drivers give, the
sensor's pace, and the controls of sensor and lens, which the virtual pipeline has not.

VIRTUAL_PICAMERA2_LOCKS names the folder of the machine that is played: who shares it shares the cameras.
For tests: SIGUSR1 makes the cameras send no more frames, as a ribbon that came off does. The file named by
VIRTUAL_PICAMERA2_LOG gets a line of JSON for each frame (its sensor timestamp) and each control that arrives.
"""
# ruff: noqa: PLC0415 - picamera2 is imported after what it finds has been replaced

import enum
import fcntl
import json
import mmap
import os
import queue
import runpy
import signal
import sys
import threading
import time
import types

DEFAULT_PERIOD_S = 1 / 30
FIXED_FOCUS = ("ov5647",)
BUSY = RuntimeError("Failed to acquire camera: Device or resource busy")
unplugged = threading.Event()


class Platform(enum.Enum):
    """The Pi's two generations of video hardware; the second one has no encoder, so libav encodes."""

    VC4 = 0
    PISP = 1


def stand_in_modules() -> None:
    """Before picamera2 is imported: a Pi 5 without a display."""
    platform = types.ModuleType("picamera2.platform")
    platform.Platform = Platform
    platform.get_platform = lambda: Platform.PISP
    display = types.ModuleType("pykms")
    display.PixelFormat = types.SimpleNamespace(
        RGB888=0, BGR888=1, XRGB8888=2, XBGR8888=3, YUV420=4, YVU420=5, YUYV=6, NV12=7, NV21=8
    )
    sys.modules["picamera2.platform"] = platform
    sys.modules["pykms"] = display


class Log:
    """Lines of JSON for the test that asked for them."""

    def __init__(self) -> None:
        path = os.environ.get("VIRTUAL_PICAMERA2_LOG")
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if path else None

    def write(self, **entry: object) -> None:
        if self._fd is not None:
            os.write(self._fd, json.dumps({"pid": os.getpid(), **entry}, default=str).encode() + b"\n")


class SensorCamera:
    """A camera of libcamera whose requests are fulfilled one a frame period; the pipeline would race."""

    def __init__(self, camera: object, log: Log) -> None:
        self._camera = camera
        self._log = log
        self._requests: queue.SimpleQueue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._lock_fd = -1
        self.period_s = DEFAULT_PERIOD_S
        self.frames = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._camera, name)

    def acquire(self) -> None:
        """libcamera locks the media devices of a real camera; a virtual one has none."""
        path = f"{os.environ['VIRTUAL_PICAMERA2_LOCKS']}/{self._camera.id}.lock"
        self._lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock_fd)
            raise BUSY from None
        self._camera.acquire()

    def release(self) -> None:
        self._camera.release()
        os.close(self._lock_fd)

    def start(self, controls: dict | None = None) -> None:
        self._camera.start(controls or {})
        self._stop.clear()
        self._requests = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._expose, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._camera.stop()

    def queue_request(self, request: object) -> None:
        self._requests.put(request)

    def _expose(self) -> None:
        due = time.monotonic() + self.period_s
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self.period_s
            if unplugged.is_set():
                continue
            try:
                request = self._requests.get_nowait()
            except queue.Empty:  # nobody was ready for this frame: lost, as with a real sensor
                continue
            self.frames += 1
            self._camera.queue_request(request)


class Range:
    """What picamera2 looks at in libcamera's ControlInfo."""

    def __init__(self, least: float, most: float, default: float) -> None:
        self.min, self.max, self.default = least, most, default


def sensor_controls(controls: object) -> dict:
    """Controls of an ISP, a sensor and a lens, as on a Pi."""
    ranges = {
        "ExposureTime": (0, 66_666, 20_000),
        "AnalogueGain": (1.0, 16.0, 1.0),
        "AeEnable": (False, True, True),
        "AeExposureMode": (0, 3, 0),
        "ExposureValue": (-8.0, 8.0, 0.0),
        "AwbEnable": (False, True, True),
        "AwbMode": (0, 7, 0),
        "ColourGains": (0.0, 32.0, 1.0),
        "Saturation": (0.0, 32.0, 1.0),
        "AfMode": (0, 2, 0),
        "AfTrigger": (0, 1, 0),
        "LensPosition": (0.0, 15.0, 1.0),
    }
    return {name: (getattr(controls, name), Range(*values)) for name, values in ranges.items()}


def install() -> None:
    """Makes the picamera2 that is imported from now on find the virtual cameras."""
    stand_in_modules()
    import libcamera
    from picamera2 import picamera2
    from picamera2.allocators.allocator import Allocator, Sync
    from picamera2.controls import Controls
    from picamera2.request import CompletedRequest

    log = Log()

    class Memory(Allocator):
        """Frame buffers in plain memory; the Pi's come from a DMA heap."""

        def __init__(self) -> None:
            super().__init__()
            self.mapped_buffers, self.frame_buffers, self._fds = {}, {}, []
            self.sync = NoSync

        def allocate(self, configuration: object, _use_case: str) -> None:
            self.close()
            for stream in configuration:
                luma = stream.stride * stream.size.height
                self.frame_buffers[stream.stream] = [
                    self._buffer((luma, luma // 2)) for _ in range(stream.buffer_count)
                ]

        def _buffer(self, lengths: tuple[int, ...]) -> object:
            fd = os.memfd_create("frame")
            self._fds.append(fd)
            os.ftruncate(fd, sum(lengths))
            planes = []
            for at, length in enumerate(lengths):
                plane = libcamera.FrameBuffer.Plane()
                plane.fd, plane.offset, plane.length = fd, sum(lengths[:at]), length
                planes.append(plane)
            buffer = libcamera.FrameBuffer(planes)
            self.mapped_buffers[buffer] = mmap.mmap(fd, sum(lengths))
            return buffer

        def buffers(self, stream: object) -> list:
            return self.frame_buffers[stream]

        def close(self) -> None:
            for fd in self._fds:
                os.close(fd)
            self.mapped_buffers, self.frame_buffers, self._fds = {}, {}, []

    class NoSync(Sync):
        """Plain memory has no caches to bring in line."""

        def __init__(self, allocator: Memory, buffer: object, _write: bool) -> None:
            self._mapped = allocator.mapped_buffers[buffer]

        def __enter__(self) -> mmap.mmap:
            return self._mapped

        def __exit__(self, *_error: object) -> None:
            pass

    known = sensor_controls(libcamera.controls)
    initialize = picamera2.Picamera2._initialize_camera
    configure = picamera2.Picamera2.configure_
    to_libcamera = Controls.get_libcamera_controls
    metadata_of = CompletedRequest.get_metadata

    def add_controls(camera: object) -> None:
        fixed = camera.camera_properties_["Model"] in FIXED_FOCUS
        for name, control in known.items():
            if not (fixed and name.startswith(("Af", "Lens"))):
                camera.camera_ctrl_info[name] = control

    def initialized(self: object) -> None:
        initialize(self)
        self.camera = SensorCamera(self.camera, log)
        add_controls(self)

    def configured(self: object, configuration: object) -> None:
        configure(self, configuration)
        add_controls(self)

    def raw_modes(self: object) -> list:
        """The virtual pipeline has no raw stream."""
        formats = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0).formats
        return [
            {"format": str(pixels), "size": (size.width, size.height)}
            for pixels in formats.pixel_formats
            for size in formats.sizes(pixels)
        ]

    def sensor_modes(self: object) -> list:
        return [{**mode, "fps": 60.0, "bit_depth": 8} for mode in raw_modes(self)]

    def controls_sent(self: object) -> dict:
        """Here all controls pass on their way to libcamera, which is spared those it does not know."""
        sent = to_libcamera(self)
        camera = self._picam2
        applied = camera.__dict__.setdefault("applied", {})
        for control in list(sent):
            value = sent[control]
            applied[control.name] = value
            log.write(model=camera.camera_properties_["Model"], control=control.name, value=value)
            if control.name == "FrameDurationLimits":
                camera.camera.period_s = value[0] / 1e6
            if control.name in known:
                del sent[control]
        return sent

    def metadata(self: object) -> dict:
        camera = self.picam2
        applied = camera.__dict__.get("applied", {})
        values = {
            **metadata_of(self),
            "FrameDuration": round(camera.camera.period_s * 1e6),
            "ExposureTime": applied.get("ExposureTime") or 20_000,
            "AnalogueGain": applied.get("AnalogueGain") or 1.0,
        }
        if "LensPosition" in camera.camera_ctrl_info:
            values["LensPosition"] = applied.get("LensPosition", 1.0)
        return values

    def logged(self: object, *arguments: object) -> None:
        completed(self, *arguments)
        stamp = self.request.metadata.get(libcamera.controls.SensorTimestamp)
        log.write(model=self.picam2.camera_properties_["Model"], frame=stamp)

    completed = CompletedRequest.__init__
    if os.environ.get("VIRTUAL_PICAMERA2_LOG"):
        CompletedRequest.__init__ = logged
    picamera2.DmaAllocator = Memory
    picamera2.Picamera2._initialize_camera = initialized
    picamera2.Picamera2.configure_ = configured
    picamera2.Picamera2._get_raw_modes = raw_modes
    picamera2.Picamera2.sensor_modes = property(sensor_modes)
    Controls.get_libcamera_controls = controls_sent
    CompletedRequest.get_metadata = metadata


def main() -> None:
    """Becomes the script."""
    signal.signal(signal.SIGUSR1, lambda *_signal: unplugged.set())
    what, *arguments = sys.argv[1:]
    if what == "-c":
        code, *arguments = arguments
        sys.argv = ["-c", *arguments]
        if "find_spec" not in code:
            install()
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `python3 -c` does
        return
    install()
    sys.argv = [what, *arguments]
    runpy.run_path(what, run_name="__main__")


main()
