"""Streams of several kinds, made by ffmpeg as a camera's ffmpeg makes them."""

from pathlib import Path

import pytest
from support import clips


@pytest.fixture(scope="session")
def streams(fragmented_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Bytes of fragmented MP4 by name; all 15 fps with a keyframe a second."""
    folder = tmp_path_factory.mktemp("streams")
    fragmented = tuple(clips.FRAGMENTED)
    x265 = (
        "-c:v",
        "libx265",
        "-tune",
        "fastdecode",
        "-x265-params",
        "log-level=none:keyint=15:min-keyint=15:bframes=0",
    )
    kinds: dict[str, tuple[str, ...]] = {
        "hevc": (*x265, *fragmented),
        "b_frames": ("-tune", "film", "-preset", "fast", "-bf", "2", *fragmented),
        "two_frames": ("-f", "mp4", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "100000"),
        "gop_a_fragment": ("-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
    }
    made = {
        name: clips.make(folder / f"{name}.mp4", seconds=2, extra=extra).read_bytes()
        for name, extra in kinds.items()
    }
    sine = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2")
    sound = folder / "sound.mp4"
    clips.run(
        "ffmpeg", "-v", "error", "-i", str(folder / "two_frames.mp4"), *sine, "-c:v", "copy", "-c:a", "aac",
        *fragmented, str(sound),
    )  # fmt: skip
    made["sound"] = sound.read_bytes()
    return {"h264": fragmented_clip.read_bytes(), **made}
