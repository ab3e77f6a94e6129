"""The states of a reply on its way, and what may follow what. Pure.

    queued ──▶ sending ──▶ posted ──▶ visible
      │  ▲        │ │ └──▶ refused
      │  └────────┤ ├────▶ unknown ──▶ posted, visible, queued, withdrawn
      │             └────▶ held ──▶ queued, withdrawn
      └──▶ withdrawn
    handed_off ──▶ posted, visible, withdrawn
    posted, visible ──▶ withdrawn (deleted from the platform)

`sending` is committed before the first byte leaves. `unknown` is what nobody knows: it is looked for on the platform
and goes back to `queued` only when it is certain that it is not there, or when a person says so. `held` was stopped by
the guard (`reviewdesk.desk.guard`) before anything was sent; only a person lets it go on.
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

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset((State.SENDING, State.VISIBLE, State.WITHDRAWN)),
    State.SENDING: frozenset((State.POSTED, State.VISIBLE, State.REFUSED, State.QUEUED, State.UNKNOWN, State.HELD)),
    State.HELD: frozenset((State.QUEUED, State.VISIBLE, State.WITHDRAWN)),
    State.UNKNOWN: frozenset((State.POSTED, State.VISIBLE, State.QUEUED, State.WITHDRAWN)),
    State.POSTED: frozenset((State.VISIBLE, State.REFUSED, State.WITHDRAWN)),
    State.REFUSED: frozenset((State.WITHDRAWN,)),
    State.HANDED_OFF: frozenset((State.POSTED, State.VISIBLE, State.WITHDRAWN)),
    State.VISIBLE: frozenset((State.WITHDRAWN,)),
    State.WITHDRAWN: frozenset(),
}

FIRST_LOOK = timedelta(seconds=10)
"""How long after the attempt an unknown reply is first looked for: platforms need a moment to show it."""
SURE_AFTER = timedelta(minutes=2)
"""How long after the attempt a reply that is not there counts as never posted."""
KEY_LIVES = timedelta(minutes=30)
"""How long after the first attempt an idempotency key is relied on: half of an hour, the shortest that one lives."""
LONGEST_PAUSE = timedelta(hours=1)
LATE_AFTER = timedelta(days=3)
"""How long a platform may hold a posted reply back before its agent is told."""
SHORTEST_LOOK, LONGEST_LOOK = timedelta(minutes=5), timedelta(hours=6)


def require(was: State, to: State) -> State:
    """Gives `to` where it may follow `was`.

    Raises:
        NotAllowed: it may not.
    """
    if to not in TRANSITIONS[was]:
        raise NotAllowed(f"A reply that is {was.value.replace('_', ' ')} cannot become {to.value.replace('_', ' ')}.")
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
    """Gives when a reply that is `queued` again is tried: as the platform says, else after 1, 2, 4 … minutes."""
    if isinstance(error, RateLimited) and error.until:
        return max(error.until, now)
    return now + min(timedelta(minutes=2 ** min(max(attempts - 1, 0), 6)), LONGEST_PAUSE)


def next_look(posted_at: datetime, now: datetime) -> datetime:
    """Gives when a posted reply that is not visible yet is looked for again: rarer the longer it has been waiting."""
    return now + min(max((now - posted_at) / 4, SHORTEST_LOOK), LONGEST_LOOK)
