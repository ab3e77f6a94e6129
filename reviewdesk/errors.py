"""What can go wrong, told apart by what has to happen next.

Every error carries a sentence for a person, a hint that says what to do, and the one who must act: the
user, time (it will pass by itself), or a developer. This module imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum


class Actor(StrEnum):
    """Who has to do something before it can work again."""

    USER = "user"
    TIME = "time"
    DEVELOPER = "developer"


class ReviewdeskError(Exception):
    """The root of everything that the desk itself reports.

    Args:
        sentence: what is wrong, in one sentence that a community manager understands; no secret in it.
        hint: what to do about it, in one sentence; empty where there is nothing to do.
    """

    actor: Actor = Actor.DEVELOPER

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    @property
    def in_a_line(self) -> str:
        """All that is wrong, without the hint, where there is room for one line."""
        return self.sentence

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".rstrip()


class ConfigError(ReviewdeskError):
    """The configuration is wrong; `problems` names every mistake at once, one line each."""

    actor = Actor.USER

    def __init__(self, sentence: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(sentence, hint=hint)
        self.problems = tuple(problems)

    @property
    def in_a_line(self) -> str:
        """The sentence with every problem."""
        return f"{self.sentence} {'; '.join(self.problems)}".rstrip()

    def __str__(self) -> str:
        if not self.problems:
            return super().__str__()
        return "\n".join([self.sentence, *(f"  {problem}" for problem in self.problems), self.hint]).rstrip()


class MissingSecret(ConfigError):
    """A secret that a source needs is not where its setting says."""


class PrivateNetwork(ConfigError):
    """An address leads into the private network, and its source does not say that it may. Nothing was sent."""


class StoreError(ReviewdeskError):
    """The database or a file cannot be used: locked for long, damaged, full, newer than the program, there already."""

    actor = Actor.USER


class Damaged(StoreError):
    """Pages of the database do not hold what SQLite wrote; `doctor --repair` saves what can be saved."""


class PluginError(ReviewdeskError):
    """A connector cannot be loaded, or does not keep the contract of `reviewdesk.connector`."""

    actor = Actor.DEVELOPER


class NotAllowed(ReviewdeskError):
    """The desk's own rules say no: the mention is gone, the reply is too long, the template has a hole."""

    actor = Actor.USER


class ConnectorError(ReviewdeskError):
    """The root of what a connector may raise while it talks to its platform."""


class Unreachable(ConnectorError):
    """The platform did not answer, or answered that it is not well (5xx, cut body). Reading again later is safe."""

    actor = Actor.TIME


class RateLimited(ConnectorError):
    """The platform wants quiet until `until` (aware, UTC); None where it does not say for how long."""

    actor = Actor.TIME

    def __init__(self, sentence: str, *, until: datetime | None = None, hint: str = "") -> None:
        super().__init__(sentence, hint=hint)
        self.until = until


class AuthFailed(ConnectorError):
    """The token or key is dead. The source parks until a person has renewed it."""

    actor = Actor.USER


class PermissionMissing(ConnectorError):
    """The token lives, but this function was not granted to it."""

    actor = Actor.USER


class NotThere(ConnectorError):
    """The thing asked for is gone, or hidden from us; platforms often do not tell which."""

    actor = Actor.USER


class BadAnswer(ConnectorError):
    """The platform answered something that its API does not describe: a login page, cut JSON, a wrong root."""

    actor = Actor.DEVELOPER


class Refused(ConnectorError):
    """A write was refused, and it is certain that nothing was posted. The sentence holds the platform's words.

    `until` (aware, UTC) is for a platform that takes no other reply of the shop's before then either: this one waits
    for a person, the others for that time. None where only this one was meant.
    """

    actor = Actor.USER

    def __init__(self, sentence: str, *, until: datetime | None = None, hint: str = "") -> None:
        super().__init__(sentence, hint=hint)
        self.until = until


class OutcomeUnknown(ConnectorError):
    """A write may or may not have happened (timeout, connection cut, 5xx). It must be looked for, never re-sent."""

    actor = Actor.TIME


class Unsupported(ConnectorError):
    """The platform has no such function; capabilities said so."""

    actor = Actor.USER
