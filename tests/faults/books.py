"""The books: what customers and the shop wrote by hand on the platforms, what an agent approved, and what they knew.

They are kept apart from the desk and judge it by rules of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from reviewdesk.model import Change, What

FLAT = ("facebook",)
"""Platforms with two levels, on which people go on beside what they wrote."""


@dataclass
class Written:
    """What a customer wrote, or somebody of the shop by hand.

    Attributes:
        author: a name; "" for the shop.
        above: the id of the text that it answers; "" for what stands right under a post.
        texts: every text that stood there, oldest first, each with the time from which on.
        settled: those of them that stood there while an undisturbed poll ran to its end.
        gone_at: since when it is not there any more.
    """

    platform: str
    id: str
    author: str
    above: str
    history: list[tuple[datetime, str]]
    settled: list[str] = field(default_factory=list)
    gone_at: datetime | None = None

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.history]

    @property
    def gone(self) -> bool:
        return self.gone_at is not None

    @property
    def since(self) -> datetime:
        return self.history[0][0]

    def text_at(self, moment: datetime) -> str:
        return [text for at, text in self.history if at <= moment][-1]


@dataclass
class Knowledge:
    """What an agent knew of a thread from a moment on: the mention's text, other texts by id, that it was gone."""

    since: datetime
    text: str
    others: set[str]
    gone: bool = False


@dataclass
class Approved:
    """A reply that an agent approved, and what they knew when they did, and each time when they let it go on."""

    reply: int
    platform: str
    to: str
    text: str
    knew: list[Knowledge]
    taken_back: bool = False


@dataclass
class Verdict:
    """What a comparison found; each of the lists holds sentences.

    Attributes:
        unguarded: sent into a thread that had changed before the attempt began.
        misheld: held, and nothing had changed.
        held: how often a reply was held rightly.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unapproved: list[str] = field(default_factory=list)
    unguarded: list[str] = field(default_factory=list)
    misheld: list[str] = field(default_factory=list)
    mentions: int = 0
    versions: int = 0
    replies: int = 0
    held: int = 0

    @property
    def sentences(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.unapproved, *self.unguarded, *self.misheld]

    @property
    def summary(self) -> str:
        return (
            f"{self.mentions} mentions in {self.versions} versions, {self.replies} replies, {self.held} times held\n"
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.unapproved)} unapproved, "
            f"{len(self.unguarded)} unguarded, {len(self.misheld)} held for nothing"
        )


class Books:
    """All of it, in one place.

    Attributes:
        written: what customers wrote, by platform and id.
        by_hand: what the shop wrote on the platforms themselves, in the same way.
        replies: what the desk's replies answer, by platform and their id there.
        arrived: when a reply was first seen on its platform.
    """

    def __init__(self) -> None:
        self.written: dict[tuple[str, str], Written] = {}
        self.by_hand: dict[tuple[str, str], Written] = {}
        self.replies: dict[tuple[str, str], str] = {}
        self.arrived: dict[tuple[str, str], datetime] = {}
        self.approved: list[Approved] = []

    def way_up(self, platform: str, id: str) -> list[str]:
        """Gives a text and all above it, the nearest first."""
        way = [id]
        while id:
            text = self.written.get((platform, id)) or self.by_hand.get((platform, id))
            id = text.above if text else self.replies.get((platform, id), "")
            way += [id] if id else []
        return way

    def concerns(self, other: Written, mention: Written) -> bool:
        """Tells whether an agent who answers a mention has to know of another text."""
        if other.platform != mention.platform or other.id == mention.id:
            return False
        way, own = self.way_up(other.platform, other.id), self.way_up(mention.platform, mention.id)
        together, flat = way[-1] == own[-1], mention.platform in FLAT
        if other.author == mention.author:
            return together or (flat and not other.above and not mention.above)
        if other.author:
            return False
        answered = self.written.get((other.platform, other.above))
        to_the_author = together and answered is not None and answered.author == mention.author
        return other.above == mention.id or to_the_author or (flat and together)

    def must_be_seen(self, other: Written, mention: Written) -> bool:
        """Tells whether the desk sees such a text when it reads the mention's thread again just before it sends.

        Facebook hands out all below the top-level comment, Reddit what is below the mention and what is below the text
        that it answers. The rest is known from the last poll.
        """
        if mention.platform in FLAT:
            return self.way_up(other.platform, other.id)[-1] == self.way_up(mention.platform, mention.id)[-1]
        return bool({mention.id, mention.above} - {""} & set(self.way_up(other.platform, other.id)))

    def others(self, mention: Written) -> list[Written]:
        """Gives the texts that concern a mention."""
        return [each for each in (*self.written.values(), *self.by_hand.values()) if self.concerns(each, mention)]

    def may_concern(self, other: Written, mention: Written, seen: set[str]) -> bool:
        """Tells whether a text concerns a mention, or may do so for one who has seen only these texts.

        Where the way up goes through a text that the desk was not shown yet, it cannot tell the branch and asks.
        """
        if other.platform != mention.platform:
            return False
        ways = (*self.way_up(other.platform, other.id), *self.way_up(mention.platform, mention.id))
        return self.concerns(other, mention) or (other.author == mention.author and not seen.issuperset(ways))

    def is_true(self, change: Change, approved: Approved, seen: set[str]) -> bool:
        """Tells whether something that a reply was held for has really happened since its agent last knew.

        Args:
            seen: the ids of all texts that the desk had seen on this platform when it held the reply.
        """
        mention, knew = self.written[approved.platform, approved.to], approved.knew[-1]
        before, after = _words(change.before), _words(change.after)
        if change.what is What.EDITED:
            return before == knew.text != after and after in mention.texts
        if change.what is What.GONE:
            return mention.gone and not knew.gone
        if change.what in (What.WROTE_AGAIN, What.ANSWERED):
            by_shop = change.what is What.ANSWERED
            return any(
                after in each.texts and each.id not in knew.others and bool(each.author) is not by_shop
                for each in (*self.written.values(), *self.by_hand.values())
                if self.may_concern(each, mention, seen)
            )
        return False

    def learns(self, approved: Approved, changes: tuple[Change, ...], now: datetime) -> None:
        """Notes that an agent was shown these changes, and lets the reply go on."""
        mention, knew = self.written[approved.platform, approved.to], approved.knew[-1]
        shown = {_words(change.after) for change in changes if change.what in (What.WROTE_AGAIN, What.ANSWERED)}
        approved.knew.append(
            Knowledge(
                now,
                next((_words(change.after) for change in changes if change.what is What.EDITED), knew.text),
                knew.others | {each.id for each in self.others(mention) if shown & set(each.texts)},
                knew.gone or any(change.what is What.GONE for change in changes),
            )
        )

    def unknown_at(self, approved: Approved, attempt: datetime) -> str:
        """Gives what had happened before an attempt began and its agent did not know; "" for nothing."""
        mention = self.written[approved.platform, approved.to]
        knew = [each for each in approved.knew if each.since <= attempt][-1]
        if mention.gone_at and mention.gone_at < attempt and not knew.gone:
            return "it was gone"
        if mention.text_at(attempt) != knew.text:
            return f"it said {mention.text_at(attempt)!r} instead of {knew.text!r}"
        for each in self.others(mention):
            # Only what is newer than the approval: of what is older, not all was ever read.
            came = approved.knew[0].since < each.since < attempt
            stands = each.gone_at is None or each.gone_at >= attempt
            if came and stands and each.id not in knew.others and self.must_be_seen(each, mention):
                return f"{each.author or 'the shop'} had written {each.texts[0]!r}"
        return ""


def _words(shown: str) -> str:
    """Gives what somebody wrote without the title above it, which is the post's."""
    return shown.rpartition("\n")[2]
