"""What one poll may take and bring. Pure."""

from __future__ import annotations

from typing import Any

from reviewdesk.desk.border import Breach
from reviewdesk.store.records import Ingested

FLOOD = 20
"""How many times its budget of mentions a poll may bring that gives no cursor to stop at."""
PATIENCE = 4
"""How many times its budget of seconds such a poll may take."""
MOST_EMPTY = 10_000
"""How many batches in a row may hold nothing."""


class Allowance:
    """Counts what a poll takes and brings, and tells when to stop.

    A poll is stopped only where the next one can go on: after a batch whose cursor is another than at the beginning. A
    connector that moves its cursor at the end alone is given more, and then has failed. What is known already is cheap,
    and so counts only against one that brings nothing else.

    Args:
        seconds, mentions: the budget.
        cursor: where the poll begins.
    """

    def __init__(self, *, seconds: float, mentions: int, cursor: Any) -> None:
        self.seconds, self.mentions = seconds, mentions
        self._begun_at = cursor
        self._moved = False
        self._empty = 0
        self._items = 0

    @property
    def longest(self) -> float:
        """The seconds after which the poll has failed, whatever it brought."""
        return self.seconds * PATIENCE

    def used_up(self, cursor: Any, items: int, brought: Ingested, elapsed: float) -> bool:
        """Counts one batch, and tells whether the poll ends here, to be taken up at the next one.

        Args:
            cursor: the batch's.
            items: how many it held.
            brought: by the whole poll so far.
            elapsed: seconds since the poll began.

        Raises:
            Breach: the connector floods the desk.
        """
        self._items += items
        self._empty = 0 if items else self._empty + 1
        self._moved = self._moved or (cursor is not None and cursor != self._begun_at)
        if self._empty > MOST_EMPTY:
            raise Breach(f"it gave {self._empty:,} empty batches in a row")
        late, much = elapsed >= self.seconds, self._items >= self.mentions
        barren = not (brought.new or brought.changed or brought.gone or brought.set_aside)
        handed_over = f"it handed over {self._items:,} mentions in one poll"
        if self._items >= self.mentions * FLOOD and not self._moved:
            raise Breach(f"{handed_over}, without a cursor to go on from")
        if barren and self._moved and (self._items >= self.mentions * FLOOD or (much and late)):
            raise Breach(f"{handed_over}, and none was new")
        return self._moved and (late or (much and not barren))
