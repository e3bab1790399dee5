"""Says for people why there is no footage of a time."""

from livecam_nvr.domain.coverage import Gap, GapCause

_WORDS = {
    GapCause.SWITCHED_OFF: "recording was switched off",
    GapCause.SCHEDULE: "the schedule has this time off",
    GapCause.NO_EVENT: "nothing happened",
    GapCause.CAMERA: "the camera was away",
    GapCause.ENCODER: "the camera's stream broke off",
    GapCause.FORMAT: "the camera changed its format",
    GapCause.RECONFIGURED: "the camera was restarted for a change",
    GapCause.DISK: "the disk could not take it",
    GapCause.SERVICE_STOPPED: "the service was stopped",
    GapCause.SERVICE_CRASHED: "the service was killed, or the power failed",
    GapCause.DELETED: "old footage was deleted",
    GapCause.NEVER: "it was not recorded yet",
    GapCause.CLOCK_SET: "the clock was set forward, no picture is missing",
    GapCause.UNKNOWN: "nobody has written down why",
}


def in_words(gap: Gap) -> str:
    """The cause, who it was and what is known besides: `recording was switched off by the page`."""
    if gap.cause is GapCause.CAMERA and gap.words.startswith("the camera "):
        return gap.words  # it says what was wrong with the camera itself
    by = f" by {gap.by}" if gap.by else ""
    more = f": {gap.words}" if gap.words else ""
    return f"{_WORDS[gap.cause]}{by}{more}"
