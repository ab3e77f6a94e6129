"""What a feed's cursor holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from reviewdesk.connector import Cursor, JsonObject

REMEMBERED = 200


class Progress(msgspec.Struct, omit_defaults=True):
    """Where a feed's polls stand. The first group is of the last whole poll, the second of the one under way.

    Attributes:
        settings: a fingerprint; under other settings the feed is read anew.
        etag, modified: the validators, as the server sent them.
        moved_to: where the feed has moved for good.
        wait_until: the feed asked not to be asked before.
        stamp: modification time and size of a local file.
        polled_at: when the last whole poll began.
        known: the newest ids, or all of them where the feed is complete.
        place: the page that is next, see `paging`; {} for the start.
        pages: how many pages of this poll were read.
        began_at, new_etag, new_modified, seen: what becomes of this poll when it is whole.
        unsure: something in this poll was not read, so it cannot tell what is gone.
    """

    settings: str = ""
    etag: str = ""
    modified: str = ""
    moved_to: str = ""
    wait_until: datetime | None = None
    stamp: list[int] = []
    polled_at: datetime | None = None
    known: list[str] = []

    place: JsonObject = {}
    pages: int = 0
    began_at: datetime | None = None
    new_etag: str = ""
    new_modified: str = ""
    seen: list[str] = []
    unsure: bool = False

    @classmethod
    def of(cls, cursor: Cursor | None, settings: str) -> Progress:
        """Gives the progress in a cursor; a fresh one where it is of other settings or of another version."""
        try:
            progress = msgspec.convert(cursor or {}, cls)
        except msgspec.ValidationError:
            progress = cls()
        return progress if progress.settings == settings else cls(settings=settings)

    @property
    def first_poll(self) -> bool:
        """True until one poll was whole."""
        return self.polled_at is None

    def cursor(self) -> Cursor:
        """Gives it as the desk stores it."""
        built: Cursor = msgspec.to_builtins(self)
        return built

    def begin(self, now: datetime) -> None:
        """Begins a poll from the start."""
        self.place, self.pages, self.began_at = {}, 0, now
        self.seen, self.unsure, self.new_etag, self.new_modified = [], False, "", ""

    def forget_move(self) -> None:
        """Asks at the address of the settings again; the validators were the other one's."""
        self.moved_to = self.etag = self.modified = ""
        self.rest()

    def see(self, ids: Iterable[str], *, all: bool) -> None:
        """Remembers ids of this poll: all of them, or the first ones."""
        if all or len(self.seen) < REMEMBERED:
            self.seen.extend(ids)

    def lost(self) -> list[str]:
        """Gives the known ids that this poll did not see."""
        seen = frozenset(self.seen)
        return [each for each in self.known if each not in seen]

    def end(self, *, all: bool, wait_until: datetime | None) -> None:
        """Ends the poll: what it saw is what is known.

        Args:
            all: everything that was seen is kept, not just the newest.
        """
        kept = self.seen if all and not self.unsure else list(dict.fromkeys([*self.seen, *self.known]))
        self.known = kept if all else kept[:REMEMBERED]
        self.etag, self.modified, self.polled_at = self.new_etag, self.new_modified, self.began_at
        self.wait_until = wait_until
        self.rest()

    def rest(self) -> None:
        """Leaves no poll under way."""
        self.place, self.pages, self.began_at = {}, 0, None
        self.seen, self.unsure, self.new_etag, self.new_modified = [], False, "", ""
