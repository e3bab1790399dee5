"""What names, passwords, limits and expiries may be."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.access.rules import (
    demand_cameras,
    demand_future,
    key_of,
    plain_password,
    proper_cameras,
    proper_name,
    proper_password,
)
from livecam_nvr.access.secrets import new_token
from livecam_nvr.domain.errors import ErrorKind, LivecamError


@pytest.mark.parametrize("name", ["a", "Anna", "anna@home.example", "7", "Jörg_2", "Ζωή", "देवी", "x" * 64])
def test_these_are_names(name: str) -> None:
    assert proper_name(name) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    "name",
    ["", "x" * 65, "𠀀" * 64, ".", "..", "@x", "a b", "a/b", "a#b", "a\n", "a\u202eb", "a%2e", "\ud800", "a:b"],
)
def test_these_are_none(name: str) -> None:
    with pytest.raises(LivecamError) as caught:
        proper_name(name)
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.hint


def test_a_token_that_is_pasted_as_a_name_is_not_kept_in_plain_text() -> None:
    with pytest.raises(LivecamError):
        proper_name(new_token())


@given(st.text(max_size=80))
def test_a_name_stays_what_it_is_and_has_one_key(text: str) -> None:
    try:
        name = proper_name(text)
    except LivecamError:
        return
    assert proper_name(name) == name
    assert 1 <= len(name) <= 64
    assert not set(name) & set("/\\#?%:\0 \n")
    assert key_of(text) == key_of(name) == key_of(key_of(name))
    assert key_of(name.swapcase().swapcase()) == key_of(name.swapcase())


@pytest.mark.parametrize(
    ("one", "other"), [("Anna", "ANNA"), ("straße", "STRASSE"), ("ﬁne", "FINE"), ("Åsa", "A\u030asa")]
)
def test_names_that_differ_in_case_or_typing_only_are_one(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    "password", ["correct horse", "x" * 9 + "y", "пароль пароль", "y" + "x" * 255, "  ten chars"]
)
def test_these_are_passwords(password: str) -> None:
    assert proper_password(password, "anna") == password


@pytest.mark.parametrize(
    "password",
    [
        "",
        "ninechars",
        "x" * 300,
        "y" + "x" * 256,
        "\ufdfa" * 20,  # 360 characters in NFKC form
        "aaaaaaaaaaaa",
        "aAaAaAaAaA",
        "Anna-Katharina",
        "ANNA-KATHARINA",
        "Password123",
        "1234567890",
        "qwertyuiop",
        "correct\nhorse",
        "correct\0horse",
        "correct \ud800 horse",
    ],
)
def test_these_are_refused_and_never_repeated(password: str) -> None:
    with pytest.raises(LivecamError) as caught:
        proper_password(password, "anna-katharina")
    assert caught.value.kind is ErrorKind.INVALID
    assert len(password) < 3 or password not in f"{caught.value} {caught.value.hint}"


@given(st.text(max_size=400))
def test_every_keyboard_gives_the_same_password(text: str) -> None:
    plain = plain_password(text)
    if plain is None:
        return
    assert plain_password(plain) == plain
    assert 1 <= len(plain) <= 256
    assert len(plain.encode()) <= 1024
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain_password(unicodedata.normalize(form, text)) in (plain, None)


@given(st.text(min_size=8, max_size=300))
def test_what_can_be_set_can_be_typed(text: str) -> None:
    try:
        password = proper_password(text, "anna")
    except LivecamError:
        return
    assert plain_password(text) == password


def test_cameras_are_ids_once_and_in_order() -> None:
    assert proper_cameras(None) is None
    assert proper_cameras(["b", "a", "b"]) == ("a", "b")
    for wrong in ([], ["A"], ["../x"], [""], ["a" * 33]):
        with pytest.raises(LivecamError):
            proper_cameras(wrong)


def test_only_known_cameras_and_moments_to_come() -> None:
    demand_cameras(None, ["a"])
    demand_cameras(["a"], ["a"])
    demand_future(None, 5)
    demand_future(6, 5)
    with pytest.raises(LivecamError, match="no camera 'b'"):
        demand_cameras(["b"], ["a"])
    for wrong in (5, -1, 2**63):
        with pytest.raises(LivecamError):
            demand_future(wrong, 5)
