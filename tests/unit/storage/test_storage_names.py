"""Names are unique within the process, and known while they are written."""

from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.files.names import Names

AT = 1_790_000_000 * NS


def test_the_same_second_gets_a_suffix_for_as_long_as_it_is_remembered() -> None:
    names = Names()
    first = names.take("cam0", AT, 3600)
    assert first == "cam0/260921/cam0_20260921_151320.mp4"
    assert names.is_writing(first)
    names.release(first)
    assert not names.is_writing(first)
    second = names.take("cam0", AT, 3600)  # the hour that comes twice in autumn, say
    assert second == "cam0/260921/cam0_20260921_151320-1.mp4"
    assert names.take("cam0", AT, 3600).endswith("-2.mp4")
    assert names.take("cam1", AT, 3600) == "cam1/260921/cam1_20260921_151320.mp4"


def test_a_name_being_written_is_never_forgotten() -> None:
    names = Names()
    held = names.take("cam0", AT, 0)
    for second in range(1, 5000):
        names.release(names.take("cam0", AT + second * NS, 0))
    assert names.is_writing(held)
    assert names.take("cam0", AT, 0) != held
