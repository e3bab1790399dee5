"""What can go wrong between us and the service: one tree, told apart by what the caller can do about it."""


class ApiError(Exception):
    """The service cannot be asked, or does not do what it was asked for.

    Attributes:
        message: What went wrong, in the service's own words where it has said any.
        hint: What to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        """Both as sentences without a full stop, as the service writes them."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def words(self) -> str:
        """All that there is to say."""
        return f"{self.message}: {self.hint}" if self.hint else self.message


class CannotConnect(ApiError):
    """There is nobody at the address, or the connection was lost or went silent."""


class CertificateRefused(CannotConnect):
    """The other side's certificate is not one that is trusted here."""


class InvalidAnswer(ApiError):
    """Whoever answers is no livecam-nvr, or one that is too old or too new for this client."""


class InvalidAuth(ApiError):
    """The token, or the name and password, is not valid (any more)."""


class Forbidden(ApiError):
    """We were let in, but not for that."""


class Refused(ApiError):
    """The service understood, and says no: what was asked for is not right."""


class NotFound(Refused):
    """No such camera, recording, clip or export."""


class Conflict(Refused):
    """The request is right, but not now."""


class Throttled(ApiError):
    """Too many wrong passwords, or too many streams.

    Attributes:
        retry_after_s: When it makes sense to try again; None if the service did not say.
    """

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        """As ApiError, and when to try again."""
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class Unavailable(ApiError):
    """The service runs, but what was asked for does not: a camera, the index, the broker, the disk."""
