"""Which encoders this machine really has: each is tried with one short encode through the cameras' own command."""

import asyncio
import logging
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.encoding import NVENC, V4L2M2M, X264, Encoder, Encoding, qsv, vaapi
from livecam_nvr.media.ffmpeg import PROGRESS_FD, command
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.sources import Source
from livecam_nvr.runtime.process import spawn

_log = logging.getLogger(__name__)

HARDWARE = ("nvenc", "qsv", "vaapi", "v4l2m2m")
"""In the order in which `auto` wants them."""
_DEV = Path("/dev")
_PATIENCE_S = 4.0  # for all trials together; a driver that is broken may hang
_DEATH_S = 0.5  # and may not even die at once
_FPS = 15
_FRAMES = 22
# Constrained baseline, main, high: what browsers play (RFC 6381 strings begin with the profile's number).
_PLAYABLE = re.compile(r"avc1\.(42|4d|64)")

# The first that fits anything ffmpeg said counts.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"Unknown encoder|Unrecognized hw|Unknown hardware|Invalid device spec", "this ffmpeg is built without it"),
    (r"Cannot load (lib)?(cuda|nvcuda|nvidia)", "NVIDIA's driver is not installed"),
    (r"minimum required Nvidia driver", "NVIDIA's driver is too old for this ffmpeg"),
    (r"no CUDA-capable device|No capable devices found|cuInit", "there is no NVIDIA card that encodes H.264"),
    (r"OpenEncodeSessionEx failed", "the NVIDIA card has no encoding session left"),
    (
        r"Permission denied|Operation not permitted",
        "this user may not open it: add it to the groups video and render",
    ),
    (r"Could not find a valid device", "no /dev/video* encodes H.264 (the Pi 4's does; the Pi 5 has none)"),
    (r"No VA display|Failed to initialise VAAPI|vaInitialize", "its VA-API driver is not installed, or fails"),
    (r"MFX|VPL", "Intel's Quick Sync runtime is not installed, or there is no Intel graphics chip"),
    (r"No usable encoding|does not support.*encod", "the chip does not encode H.264"),
    (r"Device creation failed", "its driver is not installed, or fails"),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """How an encoder fared."""

    name: str
    encoder: Encoder | None
    """What works; None if nothing does."""
    why_not: str = ""
    """In words; empty if it works."""


async def choose(wanted: str, dev: Path = _DEV) -> Encoder:
    """The encoder that is wanted if it works; `auto`: the first of this machine's that does; else x264.

    Takes at most some 5 s. x264 itself is not tried: it is taken where all else fails.

    Args:
        wanted: As in the config, see `encoding.encoder`.
        dev: Where the device nodes are.
    """
    if wanted == X264.name:
        return X264
    names = HARDWARE if wanted == "auto" else (wanted,)
    failed: list[Trial] = []
    async with _trials(names, dev) as tasks:
        for task in tasks:
            trial = await task
            if trial.encoder is not None:
                _log.info("encoding with %s", described(trial.encoder))
                return trial.encoder
            failed.append(trial)
    reasons = "; ".join(f"{trial.name}: {trial.why_not}" for trial in failed)
    if wanted == "auto":
        _log.info("no hardware encoder works here, so x264 encodes (%s)", reasons)
    else:
        _log.warning("the encoder that encoding.encoder asks for does not work, so x264 encodes (%s)", reasons)
    return X264


async def available_encoders(dev: Path = _DEV) -> tuple[Trial, ...]:
    """How each encoder fares here, x264 first; takes at most some 5 s."""
    async with _trials((X264.name, *HARDWARE), dev) as tasks:
        return tuple([await task for task in tasks])


def described(encoder: Encoder) -> str:
    """An encoder's name, with its device where there may be several."""
    return f"{encoder.name} on {encoder.device}" if encoder.device else encoder.name


def candidates(name: str, dev: Path) -> tuple[Encoder, ...]:
    """What may stand behind a name in the config, with the device nodes that are there, in order of preference."""
    nodes = [str(node) for node in sorted(dev.glob("dri/renderD*"))]
    match name:
        case "nvenc":
            return (NVENC,)
        case "qsv":
            return tuple(qsv(node) for node in nodes)
        case "vaapi":
            ways = ((False, False), (True, False), (False, True))
            return tuple(vaapi(node, low_power=low, in_band=band) for node in nodes for low, band in ways)
        case "v4l2m2m":
            return (V4L2M2M,) if any(dev.glob("video*")) else ()
        case _:
            return (X264,)


@asynccontextmanager
async def _trials(names: Sequence[str], dev: Path) -> AsyncIterator[list[asyncio.Task[Trial]]]:
    """A trial of each, all at once: one that hangs must not cost the others their time. None is left behind."""
    end_s = asyncio.get_running_loop().time() + _PATIENCE_S
    tasks = [asyncio.create_task(_try_all(name, dev, end_s), name=f"trial of {name}") for name in names]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _try_all(name: str, dev: Path, end_s: float) -> Trial:
    """The first of a name's candidates that works, or why the first one does not."""
    found = await asyncio.to_thread(candidates, name, dev)
    nothing = (
        "there is no /dev/video* at all"
        if name == V4L2M2M.name
        else "there is no graphics chip (/dev/dri/renderD*)"
    )
    reasons = [] if found else [nothing]
    for encoder in found:
        try:
            async with asyncio.timeout_at(end_s):
                why_not = await _try(encoder)
        except TimeoutError:
            why_not = f"it does not answer within {_PATIENCE_S:.0f} s: its driver hangs"
        if not why_not:
            return Trial(name, encoder)
        reasons.append(f"{encoder.device}: {why_not}" if encoder.device else why_not)
    return Trial(name, None, reasons[0])


async def _try(encoder: Encoder) -> str:
    """Encodes a little; empty if what came is what we need, else what is wrong with it."""
    argv = command(trial_source(), None, encoder)
    argv = ["/dev/null" if word == f"pipe:{PROGRESS_FD}" else word for word in argv]
    fragments: list[Fragment] = []
    reader = FragmentReader(iter(range(2 * _FRAMES)), lambda _time, _duration: (0.0, 0))
    broken: list[str] = []

    def take(chunk: bytes) -> None:
        try:
            if not broken:
                fragments.extend(reader.feed(chunk))
        except LivecamError as error:
            broken.append(error.message)

    try:
        child = await spawn(argv, name=f"trial of {encoder.name}", on_stdout=take)
    except LivecamError as error:
        return error.message
    try:
        code = await child.wait()
    finally:
        # A process that hangs in its driver cannot even be killed before the driver lets it go.
        try:
            async with asyncio.timeout(_DEATH_S):
                await child.stop(signal.SIGKILL)
        except TimeoutError:
            _log.warning("the trial of %s (pid %d) cannot be ended: its driver hangs", encoder.name, child.pid)
    if code or not fragments:
        return reason(child.last_lines)
    return broken[0] if broken else flaw(fragments)


def trial_source() -> Source:
    """A second and a half of a picture that every encoder takes, as fast as it can be encoded."""
    return Source(
        url=f"testsrc2=size=640x360:rate={_FPS}:duration={_FRAMES / _FPS:.3f}",
        options={"f": "lavfi"},
        filters=(("format", (("pix_fmts", "yuv420p"),)),),
        encoding=Encoding(_FPS, 1000),
    )


def reason(lines: Sequence[str]) -> str:
    """Why ffmpeg could not encode, in words, from what it said."""
    for pattern, words in _REASONS:
        if any(re.search(pattern, line) for line in lines):
            return words
    return f"ffmpeg says: {lines[0]}"[:200] if lines else "ffmpeg gives no reason"


def flaw(fragments: Sequence[Fragment]) -> str:
    """What keeps an encoder's output from being a camera's stream; empty if nothing does."""
    video = fragments[0].init.video
    if not _PLAYABLE.match(video.codec):
        return f"what it makes ({video.codec}) cannot be played by every browser"
    frames = sum(fragment.frames for fragment in fragments)
    if frames < _FRAMES - 1:
        return f"of {_FRAMES} frames it gave {frames}"
    # At 0 and at 1 s. V4L2 drivers are told to send the parameter sets alone, in front of the first picture.
    keys = [at for at, fragment in enumerate(fragments) if fragment.keyframe]
    if len(keys) < 2 or keys[0] > 1 or not any(at >= _FPS - 1 for at in keys):  # noqa: PLR2004
        return "it makes no keyframe each second"
    return ""
