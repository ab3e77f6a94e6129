"""What a round tells while it goes on, and what became of each source."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from reviewdesk.desk.apart import packed, unpacked
from reviewdesk.errors import ReviewdeskError
from reviewdesk.http import Exchange
from reviewdesk.model import Budget, Record
from reviewdesk.store.records import Ingested, Item


class Outcome(StrEnum):
    """How a source's poll ended."""

    DONE = "done"
    FAILED = "failed"
    BUSY = "busy"
    NOT_DUE = "not_due"
    PARKED = "parked"
    DISABLED = "disabled"


class Polled(Record, frozen=True, kw_only=True):
    """What a round brought from one source.

    Attributes:
        brought: counts; of a failed poll, what was committed before it failed.
        more: the poll has used up its budget; the next one goes on from where it stopped.
        error: why it failed; None otherwise.
        news: False where the same failure was told after an earlier poll already.
        mended: the fault that was there before and is gone now, "" where there was none.
    """

    source: str
    outcome: Outcome
    brought: Ingested = Ingested()
    more: bool = False
    error: ReviewdeskError | None = None
    news: bool = False
    mended: str = ""


class Progress(Record, frozen=True, kw_only=True):
    """How far a running poll is: items so far, and how many the platform says there are (None: it does not say)."""

    source: str
    items: int
    total: int | None


class Requested(Record, frozen=True, kw_only=True):
    """A request of a poll that is traced, with what was known of the remaining calls when it had ended."""

    source: str
    exchange: Exchange
    budget: Budget | None


class Taken(Record, frozen=True, kw_only=True):
    """What became of an item, in a poll that is traced."""

    source: str
    item: Item


Step = Progress | Polled | Requested | Taken


class Word(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A step on its way between processes: one of the fields, and a failed poll's error."""

    progress: Progress | None = None
    polled: Polled | None = None
    requested: Requested | None = None
    taken: Taken | None = None
    error: dict[str, Any] | None = None

    @classmethod
    def of(cls, step: Step) -> Word:
        """Packs a step."""
        match step:
            case Progress():
                return cls(progress=step)
            case Requested():
                return cls(requested=step)
            case Taken():
                return cls(taken=step)
        error = None if step.error is None else packed(step.error)
        return cls(polled=msgspec.structs.replace(step, error=None), error=error)

    @property
    def step(self) -> Step:
        """The step that was packed.

        Raises:
            ValueError: there is none.
        """
        if self.polled is not None and self.error is not None:
            return msgspec.structs.replace(self.polled, error=unpacked(self.error))
        for step in (self.polled, self.progress, self.requested, self.taken):
            if step is not None:
                return step
        raise ValueError("an empty word")
