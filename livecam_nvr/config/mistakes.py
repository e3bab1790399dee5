"""What is wrong in a config file, all of it at once, in words for the person who wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.redact import redact


@dataclass(frozen=True, slots=True)
class ConfigMistake:
    """One mistake. `str()` is its line: `config.yaml:12: cameras[1].transprot: unknown key; did you mean …?`."""

    file: str
    line: int | None
    """From 1; None if the mistake has no line (a missing file)."""
    key: str
    """Dotted, `cameras[1].url`; empty if the file as a whole is meant."""
    problem: str
    hint: str = ""
    """What would be right."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = f"{self.key}: {self.problem}" if self.key else self.problem
        return redact(f"{place}: {text}; {self.hint}" if self.hint else f"{place}: {text}")


class ConfigErrors(LivecamError):  # noqa: N818 - it is all of them, and named so
    """Every mistake of one config file, in the order of its lines; `str()` has one line for each."""

    def __init__(self, mistakes: Sequence[ConfigMistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.line or 0, m.key)))
        super().__init__(ErrorKind.CONFIG, "\n".join(map(str, self.mistakes)))


def dotted(path: Sequence[str | int]) -> str:
    """`("cameras", 1, "url")` as people write it: `cameras[1].url`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            # A stray line of text can become a "key"; a word of 60 letters is enough to find it again.
            word = redact(step)
            word = word if len(word) <= 60 and word.isprintable() else f"{ascii(word[:57])[1:-1]}..."  # noqa: PLR2004
            text += f".{word}" if text else word
    return text
