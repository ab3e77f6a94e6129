"""The SDK for scorers: what a plugin imports that reads texts with a model of its own.

A scorer is a class, registered in the entry point group `reviewdesk.scorers` and chosen by `[assess] scorer`. It is
asked in the process of the poll, about some texts at a time; the desk's own engine has read them before, decides what
it leaves out, and what is left when the scorer fails or takes too long. Docs: assessment.md, "Other scorers".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Generic, TypeVar

from reviewdesk.connector import Http, Limits, Secret, Settings
from reviewdesk.model import Record

__all__ = ["SDK_VERSION", "Http", "Limits", "Score", "Scorer", "Secret", "Settings", "Text"]

SDK_VERSION = 1
"""The version of this contract; a scorer names the one that it was written for."""

S = TypeVar("S", bound=Settings)


class Text(Record, frozen=True, kw_only=True):
    """What a scorer is told of a mention: nothing of who wrote it.

    Attributes:
        language: ISO 639-1, or "other".
        rating: stars from 1 to 5; None where not rated.
        compound: what the desk's own engine says, -1 to 1; None where it could read nothing.
    """

    text: str
    language: str
    title: str = ""
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    rating: float | None = None
    compound: float | None = None


class Score(Record, frozen=True, kw_only=True):
    """What a scorer says of a text.

    Attributes:
        compound: -1 (worst) to 1 (best); between -0.05 and 0.05 is neutral.
        complaint: how likely it is a complaint, 0 to 1; None leaves that to the desk.
    """

    compound: float
    complaint: float | None = None

    def __post_init__(self) -> None:
        if not -1 <= self.compound <= 1:
            raise ValueError(f"a compound lies between -1 and 1, and {self.compound} does not")
        if self.complaint is not None and not 0 <= self.complaint <= 1:
            raise ValueError(f"a probability lies between 0 and 1, and {self.complaint} does not")


class Scorer(Generic[S]):
    """The base of a scorer.

    Attributes:
        sdk: the version of the contract that it was written for.
        settings: the type of `[assess.scorer_settings]`.
        batch: how many texts it is asked about at once, at most.
        config: its settings, typed and checked.
    """

    sdk: ClassVar[int] = SDK_VERSION
    settings: ClassVar[type[Settings]]
    batch: ClassVar[int] = 16

    def __init__(self, config: S, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.config = config
        self.clock = clock

    async def score(self, texts: Sequence[Text]) -> Sequence[Score | None]:
        """Gives a score for each text, in order; None leaves one to the desk.

        Raises:
            Exception: whatever it raises, the desk's engine decides alone and the fault is told.
        """
        raise TypeError(f"{type(self).__name__} does not score")

    async def close(self) -> None:
        """Gives back what it holds, such as connections."""
