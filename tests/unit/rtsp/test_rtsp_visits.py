"""Which sessions end with which credential."""

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Kind, Principal, Role
from livecam_nvr.rtsp.visits import Visits


def who(credential: str, session: str = "") -> Principal:
    return Principal(Kind.USER, "anna", Role.VIEWER, credential=credential, session=session)


def test_a_session_that_goes_on_in_spite_of_its_credential() -> None:
    visits = Visits()
    visits.note("1", who("user:anna#1", "own"))
    visits.note("2", who("user:anna#1", "other"))
    visits.note("3", who("user:anna#1"))
    ended = visits.ended(AccessEnded(frozenset({"user:anna#1"}), keep_session="own"))
    assert ended == {"2", "3"}
    assert visits.ended(AccessEnded(sessions=frozenset({"other"}))) == {"2"}
    # Nobody's session is nobody's, whatever is told to end or to stay.
    assert visits.ended(AccessEnded(sessions=frozenset({""}), keep_session="")) == set()


def test_of_too_many_the_oldest_count_as_unknown() -> None:
    visits = Visits(most=2)
    assert visits.unknown({"never seen"}) == set()
    for number in "123":
        visits.note(number, who(f"user:anna#{number}"))
    visits.note("2", who("user:anna#4"))
    assert visits.unknown({"1", "2", "3"}) == {"1"}
    visits.note("5", who("user:anna#5"))
    assert visits.unknown({"2", "3"}) == {"3"}
    assert visits.ended(AccessEnded(frozenset({"user:anna#4"}))) == {"2"}
