"""Ledger lines: what is written comes back, and what is damaged is known as such."""

from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.ledger.entries import Change, from_line, ledger_path, month_of, to_line

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = st.one_of(text, st.integers(-(1 << 63), 1 << 63), st.booleans(), st.floats(allow_nan=False))
changes = st.builds(
    Change,
    st.builds(
        Entry,
        st.from_regex(r"[a-z0-9][a-z0-9_-]{0,5}", fullmatch=True),
        st.sampled_from(EntryKind),
        st.integers(0, 1 << 62),
        st.none() | st.integers(0, 1 << 62),
        st.dictionaries(text, values, max_size=4),
        text,
    ),
    st.booleans(),
)


@given(changes)
def test_what_is_written_comes_back(change: Change) -> None:
    line = to_line(change)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line[:-1]) == change


@given(changes, st.data())
def test_one_wrong_byte_is_noticed(change: Change, data: st.DataObject) -> None:
    line = bytearray(to_line(change)[:-1])
    at = data.draw(st.integers(0, len(line) - 1))
    wrong = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    # The check's digits may be written in either case, and say the same.
    if chr(line[at]).lower() == chr(wrong).lower() and at < 8:
        return
    line[at] = wrong
    assert from_line(bytes(line)) is None
    assert from_line(bytes(line[:at])) is None


@given(st.binary(max_size=60))
def test_garbage_is_no_line(garbage: bytes) -> None:
    assert from_line(garbage) is None


def test_whole_lines_of_another_kind_are_left_out() -> None:
    line = to_line(Change(Entry("cam0", EntryKind.STATE, 5)))
    assert from_line(line[:-1].replace(b"state", b"stale")) is None


@given(st.integers(0, 4_000_000_000))
def test_an_entry_lies_in_the_file_of_its_month(second: int) -> None:
    month = month_of(ledger_path("cam-0_x", second * NS))
    assert month is not None
    assert month[0] <= second * NS < month[1]
    assert 28 <= (month[1] - month[0]) / NS / 86_400 <= 31


def test_months() -> None:
    assert ledger_path("cam0", 0) == "cam0/cam0_197001.ledger"
    assert month_of("cam0/cam0_197013.ledger") is None
    assert month_of("cam0/cam0.ledger") is None
    december = month_of("cam0/cam0_202612.ledger")
    january = month_of("cam0/cam0_202701.ledger")
    assert december
    assert january
    assert december[1] == january[0]
