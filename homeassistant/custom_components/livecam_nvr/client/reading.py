"""Takes typed values out of JSON: unknown keys are nobody's business, missing and wrong ones are told by name."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .errors import InvalidAnswer


class Reading:
    """One JSON object of an answer.

    Every method raises InvalidAnswer, which names the key, if the value is missing or of another type.
    """

    def __init__(self, value: object, where: str) -> None:
        """`where` is how the object is called in errors: `status`, `status.cameras.0`."""
        if not isinstance(value, Mapping):
            raise InvalidAnswer(f"{where} is no JSON object", "is that the address of a livecam-nvr?")
        self._value: Mapping[str, Any] = value
        self._where = where

    def text(self, key: str) -> str:
        """A string."""
        value = self._needed(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def maybe_text(self, key: str) -> str | None:
        """A string; None for null and for a key that is missing."""
        return self.text(key) if self._has(key) else None

    def flag(self, key: str) -> bool:
        """A boolean."""
        value = self._needed(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def number(self, key: str) -> float:
        """A number."""
        value = self._needed(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, "a number")
        return value

    def maybe_number(self, key: str) -> float | None:
        """A number; None for null and for a key that is missing."""
        return self.number(key) if self._has(key) else None

    def whole(self, key: str) -> int:
        """A number without decimals."""
        return int(self.number(key))

    def maybe_whole(self, key: str) -> int | None:
        """The same; None for null and for a key that is missing."""
        return self.whole(key) if self._has(key) else None

    def moment(self, key: str) -> datetime:
        """A moment in ISO 8601 with an offset."""
        try:
            at = datetime.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a moment") from None
        if at.tzinfo is None:
            raise self._wrong(key, "a moment with its offset")
        return at

    def maybe_moment(self, key: str) -> datetime | None:
        """The same; None for null and for a key that is missing."""
        return self.moment(key) if self._has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of texts")
        return tuple(values)

    def maybe_texts(self, key: str) -> tuple[str, ...] | None:
        """The same; None for null and for a key that is missing."""
        return self.texts(key) if self._has(key) else None

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of numbers without decimals."""
        values = self._list(key)
        if not all(isinstance(value, int) for value in values):
            raise self._wrong(key, "a list of numbers")
        return tuple(values)

    def part(self, key: str) -> Reading:
        """An object in it."""
        return Reading(self._needed(key), f"{self._where}.{key}")

    def maybe[T](self, key: str, make: Callable[[Reading], T]) -> T | None:
        """What `make` makes of an object in it; None for null and for a key that is missing."""
        return make(self.part(key)) if self._has(key) else None

    def each[T](self, key: str, make: Callable[[Reading], T]) -> tuple[T, ...]:
        """What `make` makes of each object of a list in it."""
        name = f"{self._where}.{key}"
        return tuple(make(Reading(value, f"{name}.{at}")) for at, value in enumerate(self._list(key)))

    def maps_of_text(self, key: str) -> Mapping[str, str]:
        """An object whose values are strings."""
        part = self.part(key)
        return {name: part.text(name) for name in part.names()}

    def names(self) -> tuple[str, ...]:
        """The names in it."""
        return tuple(self._value)

    def _has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def _needed(self, key: str) -> object:
        if key not in self._value:
            raise InvalidAnswer(
                f"{self._where} has no `{key}`", "is the service older than this integration? Then update it"
            )
        return self._value[key]

    def _list(self, key: str) -> list[Any]:
        value = self._needed(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def _wrong(self, key: str, wanted: str) -> InvalidAnswer:
        return InvalidAnswer(f"{self._where}.{key} is not {wanted}", "is the service of another version?")
