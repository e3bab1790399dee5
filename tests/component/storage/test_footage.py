"""Footage read back from real files: joined without a seam, cut at keyframes, and honest about what is missing."""

import asyncio
import os
import random
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.footage_files import newest_file, open_files, packets, sounding_clip, split, steps, write_run
from fakes.storage_fragments import BEGAN_UTC_NS, frames, make_clip, read_clip, start_of
from support.waiting import until

from livecam_nvr.core.past import Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.footage.footage import FileFootage
from livecam_nvr.storage.index.index import Index

BEGIN = BEGAN_UTC_NS - NS
END = BEGAN_UTC_NS + 60 * NS


class Shelf:
    """An archive, its index and its footage."""

    def __init__(self, root: Path, index: Index) -> None:
        self.root = root
        self.index = index
        self.growing: list[str] = []
        self.footage = FileFootage(root, index, lambda: self.growing)

    def add(self, segments: list[Segment]) -> list[Segment]:
        for segment in segments:
            self.index.add(segment)
        return segments

    async def all(self, begin: int = BEGIN, end: int = END) -> list[Piece]:
        return await self.footage.pieces("cam0", begin, end)

    async def save(self, pieces: list[Piece], path: Path) -> Path:
        data = self.footage.head(pieces)
        at = 0
        for piece in pieces:
            data += b"".join([chunk async for chunk in self.footage.read(piece, at=at)])
            at += sum(part.duration for part in piece.parts)
        path.write_bytes(data)
        return path


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    root = tmp_path / "recordings"
    root.mkdir()
    index = Index(tmp_path / "data" / "index.db", root, SystemClock(), lambda _: False)
    await index.start()
    yield Shelf(root, index)
    await index.stop()


@pytest.mark.parametrize("kind", ["h264", "bframes", "hevc", "sound"])
async def test_files_are_joined_without_a_seam(shelf: Shelf, tmp_path: Path, kind: str) -> None:
    clip = tmp_path / "clip.mp4"
    fragments = sounding_clip(clip) if kind == "sound" else read_clip(make_clip(clip, kind, 6))
    segments = shelf.add(write_run(shelf.root, fragments))
    assert len(segments) == 3
    (piece,) = await shelf.all()
    assert [part.path for part in piece.parts] == [segment.path for segment in segments]
    assert piece.frames == frames(fragments) == 90
    assert piece.begin_utc_ns == segments[0].start_utc_ns
    assert piece.end_utc_ns == segments[-1].end_utc_ns
    joined = await shelf.save([piece], tmp_path / "joined.mp4")
    video = packets(joined)
    assert [p["size"] for p in video] == [p["size"] for p in packets(clip)]
    assert steps(video) == {0}
    if kind == "sound":
        sound, original = packets(joined, "a"), packets(clip, "a")
        assert [p["size"] for p in sound] == [p["size"] for p in original][-len(sound) :]
        # A border may round by one tick of 48 000; the first sounds may lie before the first picture.
        assert steps(sound[3:]) <= {-1, 0, 1}
        offset = video[0]["pts"] * 48000 // piece.timescale
        moved = {
            (b["pts"] - a["pts"]) - (original[-1]["pts"] - sound[-1]["pts"])
            for a, b in zip(sound[3:], original[-len(sound) :][3:], strict=True)
        }
        assert moved <= {-2, -1, 0, 1, 2}, offset
    subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(joined), "-f", "null", "-"], check=True, timeout=60
    )


async def test_the_edges_are_cut_at_keyframes(shelf: Shelf, tmp_path: Path, fragments: list[Fragment]) -> None:
    shelf.add(write_run(shelf.root, fragments))
    (piece,) = await shelf.all(BEGAN_UTC_NS + NS * 3 // 2, BEGAN_UTC_NS + NS * 9 // 2)
    assert (piece.begin_utc_ns, piece.end_utc_ns) == (BEGAN_UTC_NS + NS, BEGAN_UTC_NS + 5 * NS)
    assert [part.frames for part in piece.parts] == [15, 30, 15]
    joined = await shelf.save([piece], tmp_path / "joined.mp4")
    video = packets(joined)
    assert len(video) == 60
    assert steps(video) == {0}
    assert video[0]["dts"] == 0
    # A keyframe at the very end belongs to what comes after it; one at the very begin is the begin.
    (piece,) = await shelf.all(BEGAN_UTC_NS + NS, BEGAN_UTC_NS + 3 * NS)
    assert (piece.begin_utc_ns, piece.end_utc_ns) == (BEGAN_UTC_NS + NS, BEGAN_UTC_NS + 3 * NS)
    (piece,) = await shelf.all(BEGAN_UTC_NS + NS + 1, BEGAN_UTC_NS + NS + 2)
    assert (piece.begin_utc_ns, piece.frames) == (BEGAN_UTC_NS + NS, 15)


async def test_parts_and_gops_are_the_same_bytes_in_any_piece(shelf: Shelf, fragments: list[Fragment]) -> None:
    shelf.add(write_run(shelf.root, fragments))
    (piece,) = await shelf.all()
    whole = b"".join([chunk async for chunk in shelf.footage.read(piece)])
    assert len(whole) == sum(part.end - part.begin for part in piece.parts)
    at = 0
    for number, part in enumerate(piece.parts):
        data = b"".join([chunk async for chunk in shelf.footage.read(piece, range(number, number + 1))])
        assert data == whole[at : at + len(data)]
        at += part.end - part.begin
    (second,) = await shelf.all(BEGAN_UTC_NS + NS, BEGAN_UTC_NS + 2 * NS)
    offset = piece.parts[0].keys[1]
    data = b"".join([chunk async for chunk in shelf.footage.read(second, at=offset[1])])
    begin = offset[0] - piece.parts[0].begin
    assert data == whole[begin : begin + len(data)]


async def test_a_gap_and_another_format_begin_new_pieces(
    shelf: Shelf, tmp_path: Path, fragments: list[Fragment]
) -> None:
    shelf.add(write_run(shelf.root, fragments, 6))
    shelf.add(write_run(shelf.root, fragments, 6, run_id=1, shift_ns=7 * NS))
    shelf.add(write_run(shelf.root, fragments, 6, run_id=2, shift_ns=13 * NS + NS // 4))
    hevc = read_clip(make_clip(tmp_path / "hevc.mp4", "hevc", 2))
    shelf.add(write_run(shelf.root, hevc, 6, run_id=3, shift_ns=19 * NS + NS // 4))
    pieces = await shelf.all()
    # After a second without footage a new piece begins; another run that goes on at once does not begin one.
    assert [len(piece.parts) for piece in pieces] == [1, 2, 1]
    assert pieces[0].init == pieces[1].init != pieces[2].init
    assert "avc1" in pieces[0].mime
    assert "hvc1" in pieces[2].mime
    joined = await shelf.save(pieces[:2], tmp_path / "joined.mp4")
    assert len(packets(joined)) == 270
    assert steps(packets(joined)) == {0}
    assert await shelf.footage.nearest("cam0", BEGIN, BEGIN + 1) == (None, BEGAN_UTC_NS)
    assert await shelf.footage.nearest("cam0", END, END) == (pieces[-1].end_utc_ns, None)


async def test_the_file_being_written(shelf: Shelf, tmp_path: Path, fragments: list[Fragment]) -> None:
    shelf.add(write_run(shelf.root, fragments[:70], leave_open=True))
    (piece,) = await shelf.all()
    assert piece.frames == 60
    path = newest_file(shelf.root)
    shelf.growing = [path, "cam1/261121/cam1_20261121_000000.mp4", "cam0/261121/cam0_20261121_000000.mp4"]
    # One GOP is not complete yet, and is not told of; its keyframe can be looked at.
    assert (await shelf.all())[0].frames == 60
    newest = await shelf.footage.keyframe("cam0", BEGAN_UTC_NS + 5 * NS)
    assert newest.utc_ns == BEGAN_UTC_NS + 4 * NS
    full = write_run(tmp_path / "other", fragments)[-1]
    data = (tmp_path / "other" / full.path).read_bytes()
    size = (shelf.root / path).stat().st_size
    with (shelf.root / path).open("ab") as file:
        file.write(data[size : size + (len(data) - size) // 2])
    (piece,) = await shelf.all()
    assert piece.frames == 75
    joined = await shelf.save([piece], tmp_path / "joined.mp4")
    assert len(packets(joined)) == 75
    assert steps(packets(joined)) == {0}


async def test_damage_is_left_out(shelf: Shelf, tmp_path: Path, fragments: list[Fragment]) -> None:
    (segment,) = shelf.add(write_run(shelf.root, fragments, 6))
    (piece,) = await shelf.all()
    at = piece.parts[0].keys[2][0]
    path = shelf.root / segment.path
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 200)
    with pytest.raises(LivecamError) as caught:
        _ = [chunk async for chunk in shelf.footage.read((await shelf.all())[0])]
    assert caught.value.kind is ErrorKind.MEDIA
    before, after = await shelf.all()
    assert (before.frames, after.frames) == (30, 45)
    assert after.begin_utc_ns == BEGAN_UTC_NS + 3 * NS
    for number, piece in enumerate((before, after)):
        joined = await shelf.save([piece], tmp_path / f"{number}.mp4")
        assert len(packets(joined)) == piece.frames
    # Cut in the middle of it, it is noticed at once.
    shelf.footage = FileFootage(shelf.root, shelf.index, list)
    (piece,) = await shelf.all(BEGAN_UTC_NS, BEGAN_UTC_NS + NS * 5 // 2)
    assert piece.frames == 30


async def test_files_that_vanish_or_are_none(shelf: Shelf, fragments: list[Fragment]) -> None:
    segments = shelf.add(write_run(shelf.root, fragments))
    (piece,) = await shelf.all()
    stream = shelf.footage.read(piece)
    await anext(stream)
    (shelf.root / segments[1].path).unlink()
    with pytest.raises(LivecamError) as caught:
        async for _ in stream:
            pass
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert segments[1].path in str(caught.value)
    assert [piece.frames for piece in await shelf.all()] == [30, 30]
    (shelf.root / segments[0].path).write_bytes(b"no recording")
    os.truncate(shelf.root / segments[2].path, 100)
    assert await shelf.all() == []
    assert not open_files(shelf.root)


async def test_a_repaired_file_is_walked_over(shelf: Shelf, fragments: list[Fragment]) -> None:
    (segment,) = shelf.add(write_run(shelf.root, fragments, 6, cause=EndCause.SERVICE))
    (piece,) = await shelf.all()
    assert (piece.frames, len(piece.parts[0].keys)) == (90, 6)
    assert piece.parts[0].duration == 6 * piece.timescale
    assert segment.frames == 90


async def test_a_picture_of_the_past(shelf: Shelf, tmp_path: Path, fragments: list[Fragment]) -> None:
    shelf.add(write_run(shelf.root, fragments))
    for at, wanted in ((0, 0), (NS // 2, 0), (NS, 1), (NS * 7 // 2, 3), (6 * NS, 5), (-NS // 2, 0)):
        found = await shelf.footage.keyframe("cam0", BEGAN_UTC_NS + at)
        assert found.utc_ns == BEGAN_UTC_NS + wanted * NS
        (tmp_path / "key.mp4").write_bytes(found.data)
        (packet,) = packets(tmp_path / "key.mp4")
        assert packet["flags"].startswith("K")
        keys = [fragment for fragment in fragments if fragment.keyframe]
        assert found.data.endswith(keys[wanted].data[-1000:])
    for at in (-2 * NS, 8 * NS):
        with pytest.raises(LivecamError) as caught:
            await shelf.footage.keyframe("cam0", BEGAN_UTC_NS + at)
        assert caught.value.kind is ErrorKind.NOT_FOUND


async def test_stopping_in_the_middle_leaves_no_file_open(shelf: Shelf, fragments: list[Fragment]) -> None:
    shelf.add(write_run(shelf.root, fragments))
    (piece,) = await shelf.all()
    stream = shelf.footage.read(piece)
    await anext(stream)
    await stream.aclose()
    assert not open_files(shelf.root)


async def test_a_growing_file_that_ends_anywhere(shelf: Shelf, fragments: list[Fragment]) -> None:
    write_run(shelf.root, fragments[:35], 6, leave_open=True)
    path = shelf.root / newest_file(shelf.root)
    whole = path.read_bytes()
    shelf.growing = [str(path.relative_to(shelf.root))]
    edge = len(whole) - sum(len(fragment.data) for fragment in fragments[28:35])
    ends = [*range(0, 3000, 97), *range(edge, len(whole), 53), len(whole)]
    for end in ends:
        path.write_bytes(whole[:end])
        footage = FileFootage(shelf.root, shelf.index, lambda: shelf.growing)
        pieces = await footage.pieces("cam0", BEGIN, END)
        complete = edge + sum(len(fragment.data) for fragment in fragments[28:31])
        # Two GOPs are told of as soon as the third one has begun.
        assert sum(piece.frames for piece in pieces) == (30 if end >= complete else 15 if end >= edge else 0)
        for piece in pieces:
            size = sum([len(chunk) async for chunk in footage.read(piece)])
            assert size == sum(part.end - part.begin for part in piece.parts)


async def test_rot_anywhere_is_an_error_in_words_or_left_out(shelf: Shelf, fragments: list[Fragment]) -> None:
    (segment,) = shelf.add(write_run(shelf.root, fragments[:45], 6))
    path = shelf.root / segment.path
    whole = path.read_bytes()
    dice, kinds = random.Random(7), set[ErrorKind]()
    for _ in range(60):
        rotten = bytearray(whole)
        for _ in range(dice.randrange(1, 20)):
            rotten[dice.randrange(len(rotten))] = dice.randrange(256)
        path.write_bytes(rotten)
        footage = FileFootage(shelf.root, shelf.index, list)
        for _ in range(3):
            pieces = await footage.pieces("cam0", BEGIN, END)
            assert sum(piece.frames for piece in pieces) <= 45
            try:
                for piece in pieces:
                    size = sum([len(chunk) async for chunk in footage.read(piece)])
                    assert size == sum(part.end - part.begin for part in piece.parts)
            except LivecamError as error:
                kinds.add(error.kind)
            else:
                break
        else:
            pytest.fail("what is whole of it was not found")
    assert kinds == {ErrorKind.MEDIA}


async def test_nothing_is_missing_while_one_file_follows_the_other(
    tmp_path: Path, fragments: list[Fragment]
) -> None:
    root = tmp_path / "recordings"
    archive = FileArchive(root, 0.5, SystemClock())
    await archive.start()
    index = Index(tmp_path / "data" / "index.db", root, SystemClock(), archive.is_writing)
    await index.start()
    footage = FileFootage(root, index, lambda: list(archive.names.writing()))
    over = False
    seen: list[int] = []

    async def look() -> None:
        while not over:
            pieces = await footage.pieces("cam0", BEGIN, END)
            assert len(pieces) <= 1
            seen.append(sum(piece.frames for piece in pieces))

    looking = asyncio.create_task(look())
    await until(lambda: seen)
    written = 0
    for sequence, part in enumerate(split(fragments, 1)):
        writer = archive.begin(start_of(part[0], "cam0", sequence), index.add, pytest.fail)
        for fragment in part:
            writer.append(fragment)
            await asyncio.sleep(0.003)
        writer.finish(EndCause.CLOCK)
        written += frames(part)
        if sequence % 2:  # a machine that is busy looks seldom; the file before was followed at once
            await until(lambda wanted=written: looking.done() or seen[-1] >= wanted)
    await archive.flush()
    over = True
    await looking
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert sum(piece.frames for piece in await footage.pieces("cam0", BEGIN, END)) == frames(fragments)
    await index.stop()
    await archive.stop()
