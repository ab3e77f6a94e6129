"""What a poll remembers until the next one: the cursor's shape.

Everything is bounded: posts leave when they have been quiet for the watched days, and of each list only the newest
marks are kept. A mark (a mention's id and fingerprint) tells new from known, shows edits, and lets a vanished comment
be missed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from reviewdesk.connector import Cursor

MARKS = 300
"""Marks kept for each list; enough for all but the largest discussions."""


class Reading(msgspec.Struct, omit_defaults=True):
    """How far one list has been read.

    Attributes:
        known: marks of what was handed over.
        unfinished: a reading was begun and not ended; the next one must not stop at what is known.
        position, position_at: where an unfinished reading goes on, and since when (Unix seconds).
    """

    known: dict[str, str] = {}
    unfinished: bool = False
    position: dict[str, str] = {}
    position_at: int = 0

    def finish(self) -> None:
        """Notes that the list was read to its end."""
        self.unfinished, self.position, self.position_at = False, {}, 0
        self.known = {key: self.known[key] for key in _newest(self.known)}

    def trim(self, before: Collection[str]) -> None:
        """Keeps the marks of an unfinished reading few, since all of them are written down with each page.

        Args:
            before: the marks that were there when it began; they tell where it has met the last one, and what vanished.
        """
        fresh = self.known.keys() - before
        if len(fresh) > 2 * MARKS:
            for key in fresh.difference(_newest(fresh)):
                del self.known[key]


def _newest(keys: Iterable[str]) -> list[str]:
    """Gives the keys of the newest marks: ids grow with time, so the longest and greatest."""
    return sorted(keys, key=lambda key: (len(key), key))[-MARKS:]


class Watched(Reading, omit_defaults=True):
    """A post whose comments are watched.

    Attributes:
        updated, total: as the platform told them last (-1: no count told).
        dirty: that has changed, and the comments have not been read since.
        alive_at: its last sign of life, Unix seconds; what is quiet for too long is no longer watched.
        read_at: when its comments were last read to the end.
        ours: written by the shop.
        ad: listed among the ads instead of the feed.
    """

    updated: str = ""
    total: int = -1
    alive_at: int = 0
    read_at: int = 0
    dirty: bool = False
    ours: bool = False
    ad: bool = False


class State(msgspec.Struct, omit_defaults=True):
    """The cursor.

    Attributes:
        posts: the watched posts by id.
        feed, ads, tagged, ratings: how far these lists have been read.
        due: when the slow rounds are due, by name, Unix seconds.
        ratings_version: the API version that gives recommendations, where the configured one does not.
        notices: what was switched off and why, by name.
    """

    version: int = 1
    posts: dict[str, Watched] = {}
    feed: Reading = msgspec.field(default_factory=Reading)
    ads: Reading = msgspec.field(default_factory=Reading)
    tagged: Reading = msgspec.field(default_factory=Reading)
    ratings: Reading = msgspec.field(default_factory=Reading)
    due: dict[str, int] = {}
    ratings_version: str = ""
    notices: dict[str, str] = {}

    @classmethod
    def of(cls, cursor: Cursor | None) -> State:
        """Reads a cursor; one that cannot be read starts anew, which hands things over twice and loses nothing."""
        try:
            state = msgspec.convert(cursor or {}, cls)
        except msgspec.ValidationError:
            return cls()
        return state if state.version == 1 else cls()

    def forget_positions(self, *, before: int) -> None:
        """Drops the positions noted before a time (Unix seconds); they break when what they point at vanishes."""
        for reading in (self.feed, self.ads, self.tagged, self.ratings, *self.posts.values()):
            if reading.position_at < before:
                reading.position = {}

    def cursor(self) -> Cursor:
        """Gives a copy as the desk stores it."""
        copy: Cursor = msgspec.to_builtins(self)
        return {"version": 1, **copy}
