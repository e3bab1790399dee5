"""A file that stops at any byte, and one that is random: repair keeps what is whole, and claims nothing else."""

import itertools
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.storage_fragments import AUDIO, FRAGMENTED, X264, read_clip, write_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.clips import probe

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.storage.files.boxes import boxes
from livecam_nvr.storage.files.label import LABEL_BYTES
from livecam_nvr.storage.files.repair import Fate, repair_file

SHM = Path("/dev/shm")
LURES = [b"moof", b"mdat", b"\0\0\0\x08moof", b"\xff\xff\xff\xffmoof", b"\0\0\0\x01moof" + b"\xff" * 8]
PATH = "cam0/260921/cam0_20260921_151320.mp4"


@pytest.fixture
def quick_root() -> Iterator[Path]:
    """An archive in memory: thousands of repairs sync thousands of times."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module", params=["picture", "picture and sound"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """A picture of a few hundred bytes."""
    path = tmp_path_factory.mktemp("clips") / "tiny.mp4"
    sound = request.param != "picture"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=32x32:rate=15", *(AUDIO if sound else [])]
    codec = [*X264, "-tune", "zerolatency", "-qp", "45", *(["-c:a", "aac", "-b:a", "16k"] if sound else [])]
    argv = ["ffmpeg", "-v", "error", "-y", *inputs, "-t", "1", *codec, *FRAGMENTED, str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return read_clip(path)


def media(data: bytes) -> bytes:
    """All fragments in a file, one after the other."""
    kept = (box for box in boxes(data, 0, len(data)) if box.kind in (b"moof", b"mdat"))
    return b"".join(data[box.at : box.end] for box in kept)


def places(fragments: list[Fragment]) -> tuple[list[int], list[int]]:
    """Where each fragment ends, and how many pictures there are until there; from before the first one on."""
    begin = len(fragments[0].init.data) + LABEL_BYTES
    ends = itertools.accumulate((len(f.data) for f in fragments), initial=begin)
    return list(ends), list(itertools.accumulate((f.frames for f in fragments), initial=0))


def test_every_byte_of_the_last_two_fragments(quick_root: Path, tiny: list[Fragment], tmp_path: Path) -> None:
    path = write_file(quick_root, tiny)
    data = path.read_bytes()
    ends, pictures = places(tiny)
    assert ends[-1] == len(data)
    for size in range(ends[-3], len(data) + 1):
        path.write_bytes(data[:size])
        verdict = repair_file(quick_root, PATH)
        assert verdict.fate is Fate.REPAIRED
        assert verdict.segment is not None
        whole = max(n for n, end in enumerate(ends) if end <= size)
        after = path.read_bytes()
        assert verdict.segment.frames == pictures[whole]
        assert media(after) == data[ends[0] : ends[whole]]
        assert verdict.segment.bytes == len(after)
        assert repair_file(quick_root, PATH) == type(verdict)(Fate.FINISHED, verdict.segment)
        if size in (ends[-3], ends[-2] - 1, ends[-2], len(data) - 1, len(data)):
            found = probe(path)
            assert found["packets"] == verdict.segment.frames
            assert abs(float(str(found["duration"])) - verdict.segment.duration_ns / 1e9) < 0.001


def test_every_byte_from_the_first_on_in_steps(quick_root: Path, tiny: list[Fragment]) -> None:
    path = write_file(quick_root, tiny)
    data = path.read_bytes()
    head = len(tiny[0].init.data) + LABEL_BYTES
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        verdict = repair_file(quick_root, PATH)
        assert verdict.fate in (Fate.REPAIRED, Fate.SET_ASIDE)
        assert verdict.fate is Fate.SET_ASIDE or size > head
        for left in path.parent.iterdir():
            left.unlink()


def test_a_finished_file_that_lost_its_end_at_any_byte(quick_root: Path, tiny: list[Fragment]) -> None:
    """Its label says more than there is: then it is not finished."""
    path = write_file(quick_root, tiny, EndCause.CLOCK)
    data = path.read_bytes()
    ends, pictures = places(tiny)
    for size in range(ends[-3], len(data)):
        path.write_bytes(data[:size])
        verdict = repair_file(quick_root, PATH)
        assert verdict.segment is not None
        whole = max(n for n, end in enumerate(ends) if end <= size)
        assert verdict.segment.frames == pictures[whole]
        assert verdict.segment.bytes == path.stat().st_size
        # Not "its time was over": then nothing would be missing after it.
        cause = EndCause.CLOCK if pictures[whole] == pictures[-1] else EndCause.SERVICE
        assert verdict.segment.cause is cause


def test_a_label_of_a_wrong_size_hides_nothing(quick_root: Path, tiny: list[Fragment]) -> None:
    """One turned bit there, and no player finds a picture: mended, also if the file says that it is finished."""
    path = write_file(quick_root, tiny, EndCause.CLOCK)
    whole = path.read_bytes()
    at = len(tiny[0].init.data)
    path.write_bytes(whole[:at] + b"\x00\x8a" + whole[at + 2 :])
    assert repair_file(quick_root, PATH).fate is Fate.REPAIRED
    assert path.read_bytes() == whole
    assert probe(path)["packets"] == sum(f.frames for f in tiny)


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(hits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
       distrust=st.booleans())  # fmt: skip
def test_bytes_that_are_turned_anywhere(
    quick_root: Path, tiny: list[Fragment], hits: list[tuple[float, int]], distrust: bool
) -> None:
    """Whether it had been finished or not, it never fails, never claims more than was there, never loses a byte
    of a file that it does not understand.
    """
    for old in quick_root.glob("cam0/*/*"):
        old.unlink()
    path = write_file(quick_root, tiny, EndCause.CLOCK if distrust else None)
    content = bytearray(path.read_bytes())
    for place, value in hits:
        content[int(place * len(content))] = value
    path.write_bytes(content)
    verdict = repair_file(quick_root, PATH, distrust=distrust)
    left = list(path.parent.iterdir())
    assert len(left) == 1
    after = left[0].read_bytes()
    if verdict.fate in (Fate.FOREIGN, Fate.SET_ASIDE):
        assert after == content
    else:
        assert verdict.segment is not None
        assert verdict.segment.frames <= sum(f.frames for f in tiny)
        assert verdict.segment.bytes == len(after)
        kinds = [box.kind for box in boxes(after, 0, len(after))]  # a player can walk over all of it
        assert kinds[0] == b"ftyp"


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=300),
            st.sampled_from(LURES),
            st.integers(0, 40).map(lambda n: b"\0" * n),
        ),
        max_size=30,
    ),
    begins=st.booleans(),
)
def test_random_files(quick_root: Path, tiny: list[Fragment], pieces: list[bytes], begins: bool) -> None:
    """Whatever a file holds, with our beginning or without."""
    for old in quick_root.glob("cam0/*/*"):
        old.unlink()
    path = write_file(quick_root, tiny[:3])
    content = (path.read_bytes() if begins else b"") + b"".join(pieces)
    path.write_bytes(content)
    verdict = repair_file(quick_root, PATH)
    (left,) = path.parent.iterdir()
    if begins:
        assert verdict.segment is not None
        assert verdict.segment.frames == sum(f.frames for f in tiny[:3])
    else:
        assert verdict.fate in (Fate.FOREIGN, Fate.SET_ASIDE)
        assert left.read_bytes() == content
