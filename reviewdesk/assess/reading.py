"""What is read from one text: its pieces that say something, and what they say together. Pure."""

from __future__ import annotations

from operator import attrgetter

import msgspec

from reviewdesk.model import Intent, Severity, Topic

# Named once, as naming a member of an enumeration is a search through it before Python 3.12.
_HARMLESS = Severity.NONE
_rank = attrgetter("rank")


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One piece of a text that says something.

    Attributes:
        start, end: its span in the text.
        share: its part of the sum.
        note: why it counts.
        severity: given where it is a complaint phrase.
        courtesy: a greeting or thanks.
        sentence: the number of its sentence.
        intent: what somebody wants who writes so.
    """

    start: int
    end: int
    share: float
    note: str = ""
    topic: Topic | None = None
    severity: Severity | None = None
    courtesy: bool = False
    sentence: int = 0
    intent: Intent | None = None


class TextReading(msgspec.Struct, frozen=True, gc=False):
    """What was read from one text.

    Attributes:
        hits: in the order of the text.
        question: it asks something and holds no complaint phrase.
        words: how many words were looked at.
        intents: what the writer says to want; a question mark asks.
    """

    hits: tuple[Hit, ...] = ()
    question: bool = False
    words: int = 0
    intents: frozenset[Intent] = frozenset()

    @property
    def total(self) -> float:
        """The sum of all shares."""
        return sum([hit.share for hit in self.hits])

    @property
    def severity(self) -> Severity:
        """The worst complaint phrase's severity."""
        found = [hit.severity for hit in self.hits if hit.severity]
        return max(found, key=_rank) if found else _HARMLESS
