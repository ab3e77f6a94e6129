"""The states of a reply on its way, what they mean, and what may follow what and why. Pure.

docs/delivery.md shows the table as a picture. `sending` is committed before the first byte leaves. `unknown` is what
nobody knows: it is looked for on the platform, and goes back to `queued` only when it is certain that it is not there,
or when a person says so. `held` was stopped by the guard (`reviewdesk.desk.guard`) before anything was sent; only a
person lets it go on. What is read on the platform outweighs all that the desk believed: an attempt that counted as lost
may have arrived after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from reviewdesk.errors import (
    AuthFailed,
    ConfigError,
    NotAllowed,
    NotThere,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
    Unsupported,
)
from reviewdesk.model import DeliveryState as State

MEANINGS: Mapping[State, str] = {
    State.QUEUED: "It waits: for the seconds in which it can be taken back, for the next sending, or for its platform.",
    State.SENDING: "One process has it, and it may be leaving just now.",
    State.HELD: "Its thread has changed since it was approved. Nothing was sent; look at the difference and decide.",
    State.UNKNOWN: "It may stand there or not. The desk looks for it, or asks you; it is never sent again blindly.",
    State.POSTED: "The platform has it, and may be holding it back from the public.",
    State.VISIBLE: "It was seen on the platform.",
    State.REFUSED: "The platform said no, in its own words. It does not stand there.",
    State.HANDED_OFF: "The platform takes replies on its own page only: paste it there, and say so.",
    State.WITHDRAWN: "It was taken back; its text is a draft again. Nothing follows.",
}
"""What each state means to the agent."""

TRANSITIONS: Mapping[State, Mapping[State, str]] = {
    State.QUEUED: {
        State.SENDING: "its time has come",
        State.VISIBLE: "an earlier attempt is seen there",
        State.WITHDRAWN: "taken back",
    },
    State.SENDING: {
        State.POSTED: "the platform took it",
        State.VISIBLE: "it is seen there",
        State.REFUSED: "the platform said no",
        State.QUEUED: "certainly not sent",
        State.UNKNOWN: "no whole answer, or the process died",
        State.HELD: "the thread has changed",
    },
    State.HELD: {
        State.QUEUED: "released",
        State.VISIBLE: "an earlier attempt is seen there",
        State.WITHDRAWN: "taken back",
    },
    State.UNKNOWN: {
        State.POSTED: "found, or a person saw it",
        State.VISIBLE: "a poll brought it",
        State.QUEUED: "certainly not there",
    },
    State.POSTED: {
        State.VISIBLE: "it is seen there",
        State.WITHDRAWN: "deleted from the platform, or not posted by hand after all",
    },
    State.REFUSED: {State.WITHDRAWN: "taken back"},
    State.HANDED_OFF: {
        State.POSTED: "a person posted it",
        State.VISIBLE: "a poll brought it",
        State.WITHDRAWN: "taken back, or a better text",
    },
    State.VISIBLE: {State.WITHDRAWN: "deleted from the platform"},
    State.WITHDRAWN: {},
}

NOT_OUT = (State.QUEUED, State.HELD, State.REFUSED, State.HANDED_OFF)
"""States in which it is certain that the desk has posted nothing, and the reply can be taken back."""
THERE = (State.POSTED, State.VISIBLE)
"""States in which the reply stands on its platform."""

FIRST_LOOK = timedelta(seconds=10)
"""How long after the attempt an unknown reply is first looked for: platforms need a moment to show it."""
SURE_AFTER = timedelta(minutes=2)
"""How long after the attempt a reply that is not there counts as never posted."""
KEY_LIVES = timedelta(minutes=30)
"""How long after the first attempt an idempotency key is relied on: half of an hour, the shortest that one lives."""
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_QUIET = timedelta(days=7)
"""How long a platform may ask for quiet: a slip of its, or of a connector's, must not silence a source for years."""
LATE_AFTER = timedelta(days=3)
"""How long a platform may hold a posted reply back before its agent is told."""
SHORTEST_LOOK, LONGEST_LOOK = timedelta(minutes=5), timedelta(hours=6)


def require(was: State, to: State) -> State:
    """Gives `to` where it may follow `was`.

    Raises:
        NotAllowed: it may not.
    """
    if to not in TRANSITIONS[was]:
        raise NotAllowed(f"A reply that is {was.words} cannot become {to.words}.")
    return to


def after_failure(error: BaseException) -> State:
    """Gives the state of a reply whose sending ended with `error`.

    Only errors that promise that nothing was posted lead back to `queued` or to `refused`. Everything else, an
    unreadable answer and a fault of the connector itself among them, is `unknown`.
    """
    if isinstance(error, (RateLimited, Unreachable, AuthFailed, ConfigError)):
        return State.QUEUED
    if isinstance(error, (Refused, NotThere, PermissionMissing, Unsupported, NotAllowed)):
        return State.REFUSED
    return State.UNKNOWN


def next_try(attempts: int, now: datetime, error: BaseException) -> datetime:
    """Gives when a reply that is `queued` is tried again: as the platform says, else after 1, 2, 4 … minutes."""
    if isinstance(error, (RateLimited, Refused)) and error.until:
        return min(max(error.until, now), now + LONGEST_QUIET)
    return now + min(timedelta(minutes=2 ** min(max(attempts - 1, 0), 6)), LONGEST_PAUSE)


def next_look(posted_at: datetime, now: datetime) -> datetime:
    """Gives when a posted reply that is not visible yet is looked for again: rarer the longer it has been waiting."""
    return now + min(max((now - posted_at) / 4, SHORTEST_LOOK), LONGEST_LOOK)
