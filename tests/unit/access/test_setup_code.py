"""The code of the console."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.access.setup_code import SetupCode

CODE = SetupCode()


def test_it_is_shown_in_two_groups_of_letters_that_nobody_confuses() -> None:
    seen = {SetupCode().text for _ in range(200)}
    assert len(seen) == 200
    assert all(re.fullmatch(r"[2-9A-HJKMNP-TW-Z]{4}-[2-9A-HJKMNP-TW-Z]{4}", text) for text in seen)


def test_it_may_be_typed_as_people_do() -> None:
    code = SetupCode()
    assert code.matches(code.text)
    assert code.matches(f"  {code.text.lower().replace('-', ' ')}\n")
    assert code.matches(code.text.replace("-", ""))


@pytest.mark.parametrize("text", ["", "-", "AAAA-AAA", "\ud800", "é" * 8, "A" * 10_000, " " * 64])
def test_anything_else_is_not_it(text: str) -> None:
    assert not CODE.matches(text)
    assert not CODE.matches(CODE.text + "2")
    assert not CODE.matches(CODE.text[:-1])
    assert not CODE.matches(CODE.text + text) or not text.strip("- ")


def test_it_does_not_show_in_a_trace() -> None:
    assert CODE.text not in repr(CODE)
    assert CODE.text.replace("-", "") not in repr(CODE)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert not CODE.matches(text)
