"""`Secret`: a text that is never shown by accident.

Owns that repr, str and formatting of a credential give asterisks, and nothing else. Used by the
settings, which read secrets, and by whatever carries one to where it is needed.
"""

from __future__ import annotations


class Secret:
    """A value that must not be shown: repr, str and formatting give asterisks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it only where it is used."""
        return self._value

    def __repr__(self) -> str:
        return "********"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
