"""The nouns of the desk as frozen, slotted records. No I/O.

Times are aware and in UTC. Ids that platforms give are strings, whatever they look like. What the public
wrote is kept as it came; `reviewdesk.text` makes it safe to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

JsonObject = dict[str, Any]
"""A JSON object, as a cursor or a raw payload holds it."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all records: frozen, slotted, made by keyword."""


class Kind(StrEnum):
    """What a mention is on its platform."""

    REVIEW = "review"
    COMMENT = "comment"
    POST = "post"
    MESSAGE = "message"


class Status(StrEnum):
    """Where the people's work on a mention stands."""

    NEW = "new"
    OPEN = "open"
    SNOOZED = "snoozed"
    ANSWERED = "answered"
    CLOSED = "closed"


class DeliveryState(StrEnum):
    """Where a reply is on its way; the transitions stand in `reviewdesk.desk.delivery`."""

    QUEUED = "queued"
    SENDING = "sending"
    POSTED = "posted"
    VISIBLE = "visible"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    HANDED_OFF = "handed_off"

    @property
    def words(self) -> str:
        """The state as people say it: "handed off"."""
        return self.value.replace("_", " ")


class Channel(StrEnum):
    """How a reply reaches the customer."""

    PUBLIC = "public"
    PRIVATE = "private"


class Guard(StrEnum):
    """How strictly a reply is held back when its thread has changed since it was approved.

    `EDITS` holds it only where the mention itself was changed or is gone; `OFF` never does, and reads nothing again.
    """

    STRICT = "strict"
    EDITS = "edits"
    OFF = "off"


class Label(StrEnum):
    """The sentiment of a text in three classes, by the compound's sign outside of (-0.05, 0.05)."""

    NEGATIVE = "neg"
    NEUTRAL = "neu"
    POSITIVE = "pos"

    @property
    def word(self) -> str:
        """The label as people say it: "negative"."""
        return self.name.lower()


class Topic(StrEnum):
    """What a mention is about."""

    DELIVERY = "delivery"
    PRODUCT = "product"
    GOODS = "goods"
    """The wrong goods came, or a part of them is missing."""
    AVAILABILITY = "availability"
    RETURNS = "returns"
    PRICE = "price"
    STAFF = "staff"
    WEBSITE = "website"
    PAYMENT = "payment"


class Severity(StrEnum):
    """How much a complaint hurts; `NONE` for what is no complaint."""

    NONE = "none"
    MILD = "mild"
    SERIOUS = "serious"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for none up to 3 for critical, for ordering."""
        return _SEVERITY_RANKS[self]


_SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Intent(StrEnum):
    """What the writer of a mention wants."""

    COMPLAINT = "complaint"
    QUESTION = "question"
    REQUEST = "request"
    PRAISE = "praise"
    SPAM = "spam"
    ABUSE = "abuse"
    OTHER = "other"


class LengthUnit(StrEnum):
    """What a platform counts when it limits a reply's length."""

    CHARACTERS = "characters"
    UTF16 = "utf16"
    BYTES = "bytes"


class Author(Record, frozen=True, kw_only=True):
    """Who wrote a mention, as far as the platform tells. `id` is None where only a name is known."""

    id: str | None = None
    name: str = ""
    url: str = ""


class Attachment(Record, frozen=True, kw_only=True):
    """A picture, video or link that came with a mention; only its description is kept, never fetched."""

    type: str
    url: str = ""
    title: str = ""


class Mention(Record, frozen=True, kw_only=True):
    """One public text by one author at a source, as a connector hands it over.

    Attributes:
        id: the platform's id, unique within the source and stable between polls.
        kind: review, comment, post or message.
        text: the body as plain text (HTML already turned into text), empty where the platform has none.
        created_at: when it was written; None where the platform does not say (then the first sight counts).
        author: None where the platform tells nothing.
        title: headline, or the name of the page or post where that is the headline.
        thread_id: the conversation it belongs to; None makes it the start of its own.
        parent_id: the platform id of the text that it answers, if any.
        ours: True for texts by the shop itself (its posts, its replies); those never enter the inbox.
        rating: stars on a scale of 1 to 5, half steps allowed; None where not rated, never 0.
        rating_raw: the rating as the platform wrote it, for display ("97 %", "negative").
        sub_ratings: further ratings on the same scale by name ("delivery_time": 4.5).
        recommends: whether the author recommends the shop or product, where asked.
        pros, cons: one point per item, where the platform has such fields.
        order_id: the shop's own order number, where known.
        product, product_url: what is reviewed, where it is a product.
        url: the public page of this text, without any secret in it.
        reply_url: the page where a person replies by hand; the desk asks the connector's `reply_page` for it.
        edited_at: the last change, where the platform tells.
        language: ISO 639-1 where the platform or source tells it.
        hidden: hidden from the public on the platform.
        can_reply, can_hide, can_like, can_private_reply: what the platform allows for this one; None = not told.
        attachments: what came with it.
        fields: further facts to show, by name.
        raw: the payload as received, without secrets, for replays and audits.
    """

    id: str
    kind: Kind
    text: str = ""
    created_at: datetime | None = None
    author: Author | None = None
    title: str = ""
    thread_id: str | None = None
    parent_id: str | None = None
    ours: bool = False
    rating: float | None = None
    rating_raw: str = ""
    sub_ratings: Mapping[str, float] = {}
    recommends: bool | None = None
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    order_id: str = ""
    product: str = ""
    product_url: str = ""
    url: str = ""
    reply_url: str = ""
    edited_at: datetime | None = None
    language: str | None = None
    hidden: bool = False
    can_reply: bool | None = None
    can_hide: bool | None = None
    can_like: bool | None = None
    can_private_reply: bool | None = None
    attachments: tuple[Attachment, ...] = ()
    fields: Mapping[str, str] = {}
    raw: Any = None


class SetAside(Record, frozen=True, kw_only=True):
    """An item that could not be read: its raw payload (no secrets) and the reason in a sentence."""

    reason: str
    raw: str
    id: str = ""


class PostedReply(Record, frozen=True, kw_only=True):
    """A reply as it stands on the platform.

    Attributes:
        id: the platform's id of the reply, "" where it gives none.
        posted_at: when the platform says it was posted; None where it does not.
        visible: False while the platform holds it back for moderation.
        text: the text as the platform shows it; None where it does not tell.
        url: its public page.
    """

    id: str
    posted_at: datetime | None = None
    visible: bool = True
    text: str | None = None
    url: str = ""


class What(StrEnum):
    """What can have happened to a thread since a reply was approved."""

    EDITED = "edited"
    GONE = "gone"
    ANSWERED = "answered"
    WROTE_AGAIN = "wrote_again"
    COLLEAGUE = "colleague"
    UNREADABLE = "unreadable"


class Change(Record, frozen=True, kw_only=True):
    """One thing that happened to a thread since a reply was approved, and for which the reply is held.

    Attributes:
        who: the author or agent, "" where it is not told.
        before: the mention's text as the agent knew it; "" for what is about another text.
        after: the text that is there now, or why the thread cannot be read.
        at: when it was written, or seen by the desk where the platform does not say.
    """

    what: What
    who: str = ""
    before: str = ""
    after: str = ""
    at: datetime | None = None


class Reason(Record, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One piece of evidence behind an assessment.

    Attributes:
        field: where it was found: "text", "title", "rating", "pros", "cons", "recommends", "sub_ratings"; "scorer" for
            the word of a plugin.
        share: its part of the compound before squashing; negative weighs towards a complaint.
        start, end: the span in that field's text in code points, end exclusive; None for fields without words.
        evidence: the words or the value, as shown to people ("nefunguje", "2 of 5 stars").
        note: why it counts, in a few words ("negated", "complaint phrase", "answered 'none'").
        topic: the topic that it speaks for, if any.
    """

    field: str
    share: float
    evidence: str
    start: int | None = None
    end: int | None = None
    note: str = ""
    topic: Topic | None = None


class Assessment(Record, frozen=True, kw_only=True, gc=False):
    """What the desk thinks of a mention.

    Attributes:
        language: ISO 639-1, or "other" where none of the known ones fits.
        compound: sentiment from -1 to 1; None where nothing could be read from it ("unknown", not "neutral").
        complaint: whether a person should answer it as a complaint.
        probability: how likely it is a complaint, 0 to 1; ranks the queue.
        severity: how much it hurts.
        topics: most weighty first.
        reasons: what decided, most weighty first.
        assessor: name and version of what made it, e.g. "desk/1".
        intent: what the writer wants.
        unsure: the evidence is thin or contradicts itself; a person should look.
    """

    language: str
    compound: float | None
    complaint: bool
    probability: float
    severity: Severity
    topics: tuple[Topic, ...] = ()
    reasons: tuple[Reason, ...] = ()
    assessor: str = ""
    intent: Intent = Intent.OTHER
    unsure: bool = False

    @property
    def label(self) -> Label:
        """The three-class label; what could not be read counts as neutral."""
        if self.compound is None or -0.05 < self.compound < 0.05:
            return Label.NEUTRAL
        return Label.POSITIVE if self.compound > 0 else Label.NEGATIVE


class Budget(Record, frozen=True, kw_only=True):
    """What the platform says of our remaining calls.

    Attributes:
        used: share of the allowance used, 0 to 1 (over 1 when exceeded); None where not told.
        until: when it refills or when we may call again.
        note: the platform's headers in short, for the sources screen.
    """

    used: float | None = None
    until: datetime | None = None
    note: str = ""


class Level(StrEnum):
    """How a finding of `check` stands."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(Record, frozen=True, kw_only=True):
    """One line of what `reviewdesk doctor` shows.

    Attributes:
        expires_at: when the thing found good stops being so (a token, data access), if it does.
    """

    level: Level
    sentence: str
    hint: str = ""
    expires_at: datetime | None = None


class Purpose(StrEnum):
    """What a template is for."""

    THANK = "thank"
    EXPLAIN = "explain"
    APOLOGISE = "apologise"
    DEFEND = "defend"
    ASK = "ask"
    AFTER_SALES = "after_sales"


class Template(Record, frozen=True, kw_only=True):
    """A reply with variables, in a language, for a purpose.

    Attributes:
        name: unique within its language, in kebab-case.
        language: ISO 639-1.
        title: what the picker shows.
        topics: what it suits; empty suits all.
        body: the words, with variables as `{{ name }}`.
        bundled: True for those that come in the box; the shop's own of the same name and language replace them.
    """

    name: str
    language: str
    purpose: Purpose
    title: str
    body: str
    topics: tuple[Topic, ...] = ()
    bundled: bool = False
