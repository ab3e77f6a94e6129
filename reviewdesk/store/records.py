"""What the store gives: records as rooms above need them, with times as aware datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from reviewdesk.model import (
    Assessment,
    Budget,
    Change,
    Channel,
    DeliveryState,
    Kind,
    Label,
    Mention,
    Record,
    Severity,
    Status,
)

T = TypeVar("T")
E = TypeVar("E")


def as_written(body: str | None, type: type[T], otherwise: E) -> T | E:
    """Gives a record that a row holds as JSON; `otherwise` for none, and for one that another desk's version wrote.

    Such a row must not take the list down in which it stands: what a newer desk has added is unknown to this one.
    """
    try:
        return msgspec.json.decode(body, type=type) if body else otherwise
    except (msgspec.MsgspecError, RecursionError):
        return otherwise


class View(StrEnum):
    """The named filters of the inbox, in the order they are shown."""

    COMPLAINTS = "complaints"
    NEEDS_REPLY = "needs_reply"
    MINE = "mine"
    OVERDUE = "overdue"
    SNOOZED = "snoozed"
    OUTBOX = "outbox"
    ALL = "all"


class Filter(Record, frozen=True, kw_only=True):
    """Which mentions, on top of a view. Empty fields do not filter.

    Attributes:
        agent: whose view `MINE` is.
        search: words to find in title, text, pros, cons, author, order number and product; case and diacritics do not
            count, the last word may be a beginning.
        since, until: bounds on when it was written; `until` is exclusive.
    """

    view: View = View.ALL
    agent: str = ""
    search: str = ""
    source: str = ""
    status: Status | None = None
    complaint: bool | None = None
    tag: str = ""
    assignee: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Writer(Record, frozen=True, kw_only=True):
    """An agent who is writing a reply, or has begun one. What is written is told to nobody before it is sent.

    Attributes:
        since: since when the reply is open; where it is not, when it was last written at.
        until: until when it counts as open unless the window that shows it says so again; None where it is not open.
    """

    agent: str
    since: datetime
    until: datetime | None

    def is_writing(self, now: datetime) -> bool:
        """Tells whether the reply is open in a window that lives, as far as is known."""
        return self.until is not None and self.until > now


class Row(Record, frozen=True, kw_only=True):
    """One line of a list. `excerpt` is at most 400 characters."""

    id: int
    source: str
    connector: str
    kind: Kind
    author: str
    excerpt: str
    created_at: datetime
    due_at: datetime | None
    rating: float | None
    status: Status
    complaint: bool
    severity: Severity
    compound: float | None
    assignee: str
    snoozed_until: datetime | None
    gone: bool
    edited: bool
    writers: tuple[Writer, ...]
    reply_state: DeliveryState | None
    tags: tuple[str, ...]


class Correction(Record, frozen=True, kw_only=True):
    """What a person says of a mention's current text; it outranks the assessment."""

    label: Label
    complaint: bool
    agent: str
    at: datetime


class Corrected(Record, frozen=True, kw_only=True):
    """A correction with the text it is about, for the learner; it goes with the mention when that is erased.

    Attributes:
        id: higher for later ones; a mention that is corrected again gets a new one.
        told: the language that the platform or an earlier assessment gave it, "" for none.
        language: as assessed when it was corrected.
    """

    id: int
    mention_id: int
    source: str
    label: Label
    complaint: bool
    language: str
    told: str
    title: str
    text: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    rating: float | None
    recommends: bool | None
    sub_ratings: Mapping[str, float]


class LearnedState(Record, frozen=True, kw_only=True):
    """What was learned of a family of languages, without the model.

    Attributes:
        family: the languages that are read with the same words: "cs" for Czech and Slovak.
        stamp: what it was learned from; another one asks to learn anew.
        label_share, complaint_share: how much of the model is used, 0 to 1.
    """

    family: str
    stamp: str
    learned_at: datetime
    corrections: int
    label_share: float
    complaint_share: float


class Stored(Record, frozen=True, kw_only=True):
    """A mention as the store keeps it: what the platform gave, and the people's work on it.

    Attributes:
        assessment: what the desk thinks of the current text; where a person has corrected it, complaint, probability
            and severity are the person's, and the compound with its reasons stays the desk's.
        correction: the person's word on the current text.
        erased_at: when a person had it erased; nothing is left of its words.
    """

    id: int
    source: str
    connector: str
    mention: Mention
    thread: int
    version: int
    status: Status
    assignee: str
    seen_at: datetime
    changed_at: datetime
    due_at: datetime | None
    snoozed_until: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    gone_at: datetime | None
    liked: bool
    assessment: Assessment | None
    correction: Correction | None = None
    erased_at: datetime | None = None


class Version(Record, frozen=True, kw_only=True):
    """One text that the customer wrote, as it was seen at `seen_at`."""

    version: int
    seen_at: datetime
    title: str
    text: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    rating: float | None


class Reply(Record, frozen=True, kw_only=True):
    """A reply in the outbox or beyond.

    Attributes:
        seen_until, seen_version, seen_mention: what its agent knew when it was approved or held: up to when, which
            version of the mention, and up to which mention of all that came in.
        seen_gone, seen_unreadable: since when the mention was gone, and that its thread cannot be read, where its agent
            was told so.
        changes: why the guard held it, the last time that it did.
    """

    id: int
    mention_id: int
    key: str
    channel: Channel
    agent: str
    text: str
    state: DeliveryState
    created_at: datetime
    updated_at: datetime
    send_after: datetime
    attempts: int
    attempted_at: datetime | None
    remote_id: str
    remote_url: str
    remote_text: str | None
    posted_at: datetime | None
    fault: str
    fault_hint: str
    seen_until: datetime
    seen_version: int
    seen_mention: int
    changes: tuple[Change, ...]
    seen_gone: datetime | None = None
    seen_unreadable: bool = False


class Draft(Record, frozen=True, kw_only=True):
    """A reply being written by one agent; for that agent's eyes."""

    mention_id: int
    agent: str
    text: str
    template: str
    updated_at: datetime


class Note(Record, frozen=True, kw_only=True):
    """What one agent told the others about a mention."""

    id: int
    agent: str
    text: str
    at: datetime


class Event(Record, frozen=True, kw_only=True):
    """One line of the log of who did what."""

    id: int
    at: datetime
    agent: str
    what: str
    mention_id: int | None
    source: str | None
    detail: Mapping[str, Any]


class Conversation(Record, frozen=True, kw_only=True):
    """Everything that the right-hand pane shows for one mention.

    Attributes:
        focus: the mention itself.
        thread: the texts of the thread in order, the shop's own among them; of more than 200 the newest with the focus.
        replies: ours to the focus, oldest first, those not yet on the platform included.
        history: other mentions by the same customer: the same author, order number or full name, newest first.
        versions: earlier texts of the focus, oldest first, without the current one.
        writers: who writes a reply to the focus or has begun one.
        flat: answers stand beside what they answer; see `reviewdesk.connector.Capabilities`.
    """

    focus: Stored
    thread: tuple[Stored, ...]
    replies: tuple[Reply, ...]
    history: tuple[Row, ...]
    versions: tuple[Version, ...]
    notes: tuple[Note, ...]
    tags: tuple[str, ...]
    writers: tuple[Writer, ...]
    flat: bool = False


class SourceState(Record, frozen=True, kw_only=True):
    """A source as the sources screen shows it.

    Attributes:
        capabilities: as the connector told at its last poll, plain JSON (see `reviewdesk.connector.Capabilities`).
        fault_kind: the error's class name, "" when all is well.
        parked: True when polling stopped until a person acts.
        disabled: True when a person has switched it off: its connector is not run at all.
        leased_until: a poll is running, at the latest until then; None when none is.
        mentions, open_mentions: counts.
        notices: what was told of it and still holds: that it is silent, that its token expires.
        tier: what its connector said at its last poll that it has earned, "" where nothing.
    """

    id: str
    connector: str
    title: str
    capabilities: Mapping[str, Any]
    polled_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None
    failures: int
    fault_kind: str
    fault: str
    fault_hint: str
    fault_since: datetime | None
    parked: bool
    leased_until: datetime | None
    budget: Budget | None
    mentions: int
    open_mentions: int
    set_aside: int
    disabled: bool = False
    notices: tuple[str, ...] = ()
    tier: str = ""


class Item(Record, frozen=True, kw_only=True):
    """What became of one item of a batch, for who traces a poll.

    Attributes:
        id: the platform's.
        outcome: "new", "changed", "same", "ours" (a text of the shop's own), "gone" or "set aside".
        reason: why it was set aside, else "".
    """

    id: str
    outcome: str
    reason: str = ""


class PollLine(Record, frozen=True, kw_only=True):
    """One poll in the ledger.

    Attributes:
        finished_at: None where the process was stopped in it, or is still at it.
        since: from when on it had to ask, which is when the last good poll before it began; None for all there is.
        total: what the platform said it has; None where it did not say.
        fetched: items handed over; each is new, changed, the same, ours, or set aside.
        fault: why it failed, "" where it went well.
    """

    started_at: datetime
    finished_at: datetime | None
    since: datetime | None
    total: int | None
    fetched: int
    new: int
    changed: int
    same: int
    set_aside: int
    gone: int
    fault: str


class Arrival(Record, frozen=True, kw_only=True):
    """So many customers' texts came in at one moment."""

    at: datetime
    count: int = 1


class Quarantined(Record, frozen=True, kw_only=True):
    """An item that could not be read, as the store keeps it.

    Attributes:
        platform_id: "" where none could be made out.
        raw: what the platform sent, without secrets.
    """

    id: int
    source: str
    platform_id: str
    reason: str
    raw: str
    first_at: datetime
    last_at: datetime


class Ingested(Record, frozen=True, kw_only=True):
    """What became of batches: how many customers' mentions were new, changed, the same again, gone, or set aside.

    Attributes:
        newly_aside: how many of those set aside were so for the first time.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    set_aside: int = 0
    newly_aside: int = 0

    def __add__(self, other: Ingested) -> Ingested:
        return Ingested(
            new=self.new + other.new,
            changed=self.changed + other.changed,
            same=self.same + other.same,
            gone=self.gone + other.gone,
            set_aside=self.set_aside + other.set_aside,
            newly_aside=self.newly_aside + other.newly_aside,
        )

    @property
    def items(self) -> int:
        """How many items were handed over."""
        return self.new + self.changed + self.same + self.set_aside
