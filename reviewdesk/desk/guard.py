"""Decides whether a reply still answers what stands there: what its thread has become since it was approved. Pure.

The thread is read again just before a reply goes out, where the connector can (`Connector.reread`), and taken into the
store; where it cannot, the last poll's word counts. So one rule decides for every platform.

What came since is weighed by the shape of the thread. Its *branches* are the texts right under its start, each with
all that is below it.

- **The customer wrote again:** a text of the same author's below the mention, or in the same branch. Whoever writes a
  second comment elsewhere under a post has begun another conversation, which stands in the inbox by itself.
- **Somebody answered for the shop:** a text of the shop's right under the mention, or under another one of the same
  author's in the branch. What the shop tells others is no answer to this one.
- On a **flat** platform (`Capabilities.flat`: Facebook) people seldom press "reply", and two levels are all there are:
  there the customer's next text under the same post counts as well, and the shop's beside the mention is an answer to
  it.
- Private messages, and texts that do not tell what they answer, have no branches: all of the thread counts. A branch
  whose upper end is not known may be any branch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reviewdesk.model import Author, Change, DeliveryState, Guard, Kind, Mention, Record, What
from reviewdesk.store.records import Conversation, Reply, Stored, Version

_SENTENCES = {
    What.EDITED: "The customer changed the text.",
    What.GONE: "The mention is gone from the platform.",
    What.ANSWERED: "Somebody answered for the shop on the platform itself.",
    What.WROTE_AGAIN: "The customer wrote again.",
    What.COLLEAGUE: "A colleague has replied.",
    What.UNREADABLE: "The thread could not be read again.",
}
_BY_EDITS = (What.EDITED, What.GONE)
_NEVER_OUT = (DeliveryState.WITHDRAWN, DeliveryState.REFUSED)


class Shape(Record, frozen=True, kw_only=True):
    """How the texts of a thread hang together.

    Attributes:
        above: for each text that is known, the id of the text that it answers, "" where it does not tell.
        authors: for each text that is known, who wrote it; None where that is not told.
        flat: see `Capabilities.flat`.
    """

    above: Mapping[str, str] = {}
    authors: Mapping[str, Author | None] = {}
    flat: bool = False

    def way_up(self, text: Mention) -> list[str]:
        """Gives the ids of the texts above this one, the nearest first; a circle is walked once."""
        way: list[str] = []
        id = text.parent_id or ""
        while id and id != text.id and id not in way:
            way.append(id)
            id = self.above.get(id, "")
        return way

    def same_branch(self, mention: Mention, later: Mention) -> bool:
        """Tells whether a later text stands in the same branch of the thread as a mention, as far as is known.

        One that begins a branch is in none that was there before, even where the way up from the mention is not known.
        """
        start = mention.thread_id or mention.id
        if later.parent_id == start != mention.id and _certainly_later(later, mention):
            return False
        branches = self._branch(mention), self._branch(later)
        return None in branches or branches[0] == branches[1]

    def _branch(self, text: Mention) -> str | None:
        start = text.thread_id or text.id
        if text.id == start:
            return None
        way = [text.id, *self.way_up(text)]
        return way[way.index(start) - 1] if start in way else None


def changes(
    strictness: Guard,
    reply: Reply,
    stored: Stored,
    *,
    known: Version | None,
    came: Sequence[Stored],
    replies: Sequence[Reply],
    shape: Shape,
) -> tuple[Change, ...]:
    """Gives what speaks against sending a reply now; nothing where it may go out.

    Args:
        strictness: how much of it counts.
        stored: the mention as it stands now.
        known: its text as the agent knew it.
        came: the other texts of its thread that were first seen since; on a flat platform also those beside it.
        replies: all replies of the desk's to the mention.
        shape: of the thread.
    """
    if strictness is Guard.OFF:
        return ()
    since = reply.seen_until
    found = differences(stored, known=known, gone_known=reply.seen_gone == stored.gone_at, came=came, shape=shape)
    found += [
        Change(what=What.COLLEAGUE, who=other.agent, after=other.text, at=other.posted_at)
        for other in replies
        if other.id != reply.id and other.agent != reply.agent and other.posted_at and other.posted_at > since
    ]
    return tuple(each for each in found if strictness is Guard.STRICT or each.what in _BY_EDITS)


def meanwhile(before: Conversation, now: Conversation, agent: str) -> tuple[Change, ...]:
    """Gives what has happened to a mention, since an agent saw it, that whoever answers it must know.

    Args:
        before: what the agent saw.
        now: the same as it stands now.
        agent: whose own replies are no news.
    """
    seen = {each.id for each in (*before.thread, now.focus)}
    from_here = {each.remote_id for each in now.replies if each.remote_id}
    found = differences(
        now.focus,
        known=before.focus.mention,
        gone_known=before.focus.gone_at is not None,
        came=[each for each in now.thread if each.id not in seen and each.mention.id not in from_here],
        shape=Shape(
            above={each.mention.id: each.mention.parent_id or "" for each in now.thread},
            authors={each.mention.id: each.mention.author for each in now.thread},
            flat=now.flat,
        ),
    )
    known = {each.id for each in before.replies}
    found += [
        Change(what=What.COLLEAGUE, who=other.agent, after=other.text, at=other.created_at)
        for other in now.replies
        if other.id not in known and other.agent != agent and other.state not in _NEVER_OUT
    ]
    return tuple(found)


def differences(
    stored: Stored, *, known: Mention | Version | None, gone_known: bool, came: Sequence[Stored], shape: Shape
) -> list[Change]:
    """Gives what the platform's side has done to a mention: it is gone, edited, answered, or has more below it.

    Args:
        stored: as it stands now.
        known: its text as the agent knew it, None where that is not known.
        gone_known: whether the agent knew that it is gone.
        came: the other texts of its thread that the agent did not know.
        shape: of the thread.
    """
    found: list[Change] = []
    if stored.erased_at:  # not by the customer, and its words are not to be shown again
        return [] if gone_known else [Change(what=What.GONE, at=stored.gone_at)]
    if stored.gone_at and not gone_known:
        found.append(Change(what=What.GONE, before=said(stored.mention), at=stored.gone_at))
    if known is not None and said(known) != said(stored.mention):
        at = stored.mention.edited_at
        found.append(Change(what=What.EDITED, who=_name(stored), before=said(known), after=said(stored.mention), at=at))
    for each in came:
        what = _what(stored.mention, each.mention, shape)
        if what is not None:
            found.append(Change(what=what, who=_name(each), after=said(each.mention), at=each.mention.created_at))
    return found


def _what(mention: Mention, other: Mention, shape: Shape) -> What | None:
    """Gives what another text is to a mention: an answer by the shop, more from the customer, or nothing."""
    together = (other.thread_id or other.id) == (mention.thread_id or mention.id)
    unshaped = together and (mention.kind is Kind.MESSAGE or not other.parent_id)
    beside = shape.flat and bool(mention.parent_id) and other.parent_id == mention.parent_id
    if other.ours:
        answers = other.parent_id == mention.id or _answers_its_author(mention, other, shape)
        return What.ANSWERED if answers or (_later(other, mention) and (unshaped or (together and beside))) else None
    if same_author(mention.author, other.author):
        near = unshaped or beside or (together and shape.same_branch(mention, other))
        return What.WROTE_AGAIN if near and _later(other, mention) else None
    # Some platforms hide who wrote: what stands right under a mention may be its author's.
    hidden = mention.author is None or other.author is None
    below = other.parent_id == mention.id or (together and mention.kind is Kind.MESSAGE)
    return What.WROTE_AGAIN if hidden and below else None


def _answers_its_author(mention: Mention, other: Mention, shape: Shape) -> bool:
    above = shape.authors.get(other.parent_id or "")
    return same_author(mention.author, above) and shape.same_branch(mention, other) and _later(other, mention)


def _certainly_later(other: Mention, mention: Mention) -> bool:
    return bool(other.created_at and mention.created_at) and not _later(mention, other)


def _later(other: Mention, mention: Mention) -> bool:
    return other.created_at is None or mention.created_at is None or other.created_at >= mention.created_at


def same_author(one: Author | None, other: Author | None) -> bool:
    """Tells whether two authors are one, by the platform's id where both have one; what is not told is nobody."""
    if one is None or other is None:
        return False
    return one.id == other.id if one.id and other.id else bool(one.name) and one.name == other.name


def said(text: Mention | Version) -> str:
    """Gives all words of a text in one piece, with its stars, for comparing and for showing."""
    stars = f"{text.rating:g} of 5 stars" if text.rating is not None else ""
    points = (*(f"+ {each}" for each in text.pros), *(f"− {each}" for each in text.cons))
    return "\n".join(filter(None, (stars, text.title, text.text, *points)))


def _name(stored: Stored) -> str:
    return stored.mention.author.name if stored.mention.author else ""


def sentence(change: Change) -> str:
    """Gives a change in a sentence, without the texts."""
    return _SENTENCES[change.what]


def summary(held: Sequence[Change]) -> str:
    """Gives why a reply is held, in sentences."""
    return " ".join(("Held back.", *dict.fromkeys(map(sentence, held))))
