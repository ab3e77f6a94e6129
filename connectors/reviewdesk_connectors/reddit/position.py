"""The cursor: how far each listing was walked, and which recent items are looked at again."""

from __future__ import annotations

import msgspec

from reviewdesk.connector import Cursor


class Mark(msgspec.Struct, frozen=True):
    """How far a listing was walked without a gap.

    Attributes:
        at: the newest item's time in Unix seconds.
        seen: the newest few fullnames.
    """

    at: float
    seen: tuple[str, ...] = ()


class Watched(msgspec.Struct, frozen=True, array_like=True):
    """An item that is looked at again: its time in Unix seconds, and what its words were."""

    created: float
    fingerprint: str


class Position(msgspec.Struct):
    """Where a poll stands. A listing's mark moves only when the walk has met the mark before.

    Attributes:
        marks: by listing.
        watched: by fullname.
        checked_at: when the watched were last looked at, in Unix seconds.
    """

    marks: dict[str, Mark] = {}
    watched: dict[str, Watched] = {}
    checked_at: float = 0.0

    @classmethod
    def read(cls, cursor: Cursor | None) -> Position:
        """Gives the position that a cursor holds; one that cannot be read begins anew, which loses nothing."""
        try:
            return msgspec.convert(cursor or {}, cls)
        except msgspec.ValidationError:
            return cls()

    def cursor(self) -> Cursor:
        """Gives it as a cursor."""
        told = msgspec.to_builtins(self)
        assert isinstance(told, dict)  # noqa: S101 - what a struct becomes
        return told

    def forget(self, *, before: float, keep: int) -> None:
        """Stops watching what is older than `before` (Unix seconds) and all but the newest `keep`."""
        recent = sorted(
            ((name, each) for name, each in self.watched.items() if each.created >= before),
            key=lambda pair: pair[1].created,
            reverse=True,
        )
        self.watched = dict(recent[:keep])
