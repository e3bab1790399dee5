"""Makes what a stranger on the network sent fit to be shown."""

from livecam_nvr.domain.redact import redact


def tidy(value: object, most: int = 100) -> str:
    """`value` as one short line: nothing that could steer a terminal, no password of a URL; empty for None."""
    if value is None:
        return ""
    # The beginning only: redacting megabytes to show a line of them would be work that a stranger orders.
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)[: 8 * most]).split())
    shown = redact(line)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
