"""When a disk counts as full, and when as free again. Pure."""

_HYSTERESIS = 1.1


def too_full(free_bytes: int, min_free_bytes: int, *, was: bool) -> bool:
    """True below `min_free_bytes`; once full, only a tenth more is room again, so that it cannot flap."""
    return free_bytes < (min_free_bytes * _HYSTERESIS if was else min_free_bytes)
