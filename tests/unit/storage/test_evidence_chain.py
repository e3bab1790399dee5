"""The chain of lines: whatever is done to it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.storage.evidence.chain import BEGINNING, ChainError, check, line_hash, make_line, split

VALUES = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key != "chain"), st.integers() | st.text(), max_size=4
)


def chained(records: list[dict[str, object]], before: str = BEGINNING) -> list[bytes]:
    lines = []
    for values in records:
        lines.append(make_line(values, before))
        before = line_hash(lines[-1])
    return lines


@given(st.lists(VALUES, max_size=6))
def test_what_was_written_is_read(records: list[dict[str, object]]) -> None:
    lines = chained(records)
    data = b"".join(line + b"\n" for line in lines)
    read = [dict(line.values) for line in check(split(data), BEGINNING)]
    assert [{k: v for k, v in line.items() if k != "chain"} for line in read] == records


@given(st.lists(VALUES, min_size=3, max_size=6), st.data())
def test_a_line_left_out_or_moved_breaks_it(records: list[dict[str, object]], data: st.DataObject) -> None:
    lines = chained([{**values, "n": number} for number, values in enumerate(records)])
    at = data.draw(st.integers(0, len(lines) - 2))
    without = lines[:at] + lines[at + 1 :]
    swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
    for forged in (without, swapped):
        with pytest.raises(ChainError):
            list(check(forged, BEGINNING))


@given(st.lists(VALUES, min_size=2, max_size=4), st.data())
def test_a_bit_changed_before_the_end_breaks_it(records: list[dict[str, object]], data: st.DataObject) -> None:
    lines = chained(records)
    at = data.draw(st.integers(0, len(lines) - 2))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    changed = bytearray(lines[at])
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ChainError):
        list(check([*lines[:at], bytes(changed), *lines[at + 1 :]], BEGINNING))


def test_a_torn_last_line_is_no_line() -> None:
    (line,) = chained([{"a": 1}])
    assert list(split(line)) == []
    assert list(split(line + b"\n" + line[:5])) == [line]


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"a": 1}', b'{"chain": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_line(raw: bytes) -> None:
    with pytest.raises(ChainError):
        list(check([raw], None))
