"""What can be wrong with a camera that is asked by ONVIF, in words for the person who has to mend it."""

from livecam_nvr.domain.errors import ErrorKind, LivecamError


class NotLetIn(LivecamError):  # noqa: N818 - it says what happened
    """The camera wants another user name or password, or its clock is wrong."""

    def __init__(self, place: str, *, user: str) -> None:
        if user:
            super().__init__(
                ErrorKind.UNAVAILABLE,
                f"the camera at {place} does not let the user {user!r} in: the user name or password is wrong",
                "many cameras keep ONVIF users apart from those of their web page: make one there, with the right"
                " to view and to move; see that the camera's clock is right; after several wrong passwords many"
                " refuse everybody for a while",
            )
        else:
            super().__init__(
                ErrorKind.UNAVAILABLE,
                f"the camera at {place} wants a user name and a password",
                "many cameras keep ONVIF users apart from those of their web page: make one there",
            )


class Refused(LivecamError):  # noqa: N818 - it says what happened
    """The camera understood and said no."""

    def __init__(self, place: str, operation: str, why: str) -> None:
        super().__init__(
            ErrorKind.MEDIA, f"the camera at {place} refused {operation}: {why or 'without a reason'}"
        )


class Nonsense(LivecamError):  # noqa: N818 - it says what came
    """SOAP, but not what the standard says about the answer to this operation."""

    def __init__(self, place: str, operation: str) -> None:
        super().__init__(ErrorKind.MEDIA, f"the answer of the camera at {place} to {operation} makes no sense")


def unreachable(place: str, why: str) -> LivecamError:
    """Nothing answers."""
    return LivecamError(
        ErrorKind.UNAVAILABLE,
        f"the camera at {place} cannot be reached: {why}",
        "is it switched on and in this network, and is this its address and port?",
    )


def too_slow(place: str, timeout_s: float) -> LivecamError:
    """It takes the request and does not answer in time."""
    return unreachable(place, f"no answer within {timeout_s:g} s")


def not_onvif(place: str, what: str) -> LivecamError:
    """Something else than an ONVIF camera answers."""
    return LivecamError(
        ErrorKind.MEDIA,
        f"what answers at {place} does not speak ONVIF: {what}",
        "many cameras have ONVIF switched off at first: look in their network settings; is the port right?",
    )


def cannot_be_moved(place: str) -> LivecamError:
    """There is no PTZ."""
    return LivecamError(ErrorKind.CONFLICT, f"the camera at {place} cannot be moved: it offers no PTZ")


def cannot(place: str, what: str) -> LivecamError:
    """There is PTZ, but not this."""
    return LivecamError(ErrorKind.CONFLICT, f"the camera at {place} cannot {what}")
