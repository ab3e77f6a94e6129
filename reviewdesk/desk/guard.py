"""Decides whether a reply still answers what stands there: what its thread has become since it was approved. Pure.

The thread is read again just before a reply goes out, where the connector can (`Connector.reread`), and taken into the
store; where it cannot, the last poll's word counts. So one rule decides for every platform.
"""

from __future__ import annotations

from collections.abc import Sequence

from reviewdesk.model import Author, Change, DeliveryState, Guard, Kind, Mention, What
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


def changes(
    strictness: Guard,
    reply: Reply,
    stored: Stored,
    *,
    known: Version | None,
    came: Sequence[Stored],
    replies: Sequence[Reply],
) -> tuple[Change, ...]:
    """Gives what speaks against sending a reply now; nothing where it may go out.

    Args:
        strictness: how much of it counts.
        stored: the mention as it stands now.
        known: its text as the agent knew it.
        came: the other texts of its thread that were first seen since.
        replies: all replies of the desk's to the mention.
    """
    if strictness is Guard.OFF:
        return ()
    since = reply.seen_until
    found = differences(stored, known=known, gone_known=held_for(reply, What.GONE), came=came)
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
    seen = {each.id for each in before.thread}
    found = differences(
        now.focus,
        known=before.focus.mention,
        gone_known=before.focus.gone_at is not None,
        came=[each for each in now.thread if each.id not in seen and each.id != now.focus.id],
    )
    known = {each.id for each in before.replies}
    found += [
        Change(what=What.COLLEAGUE, who=other.agent, after=other.text, at=other.created_at)
        for other in now.replies
        if other.id not in known and other.agent != agent and other.state not in _NEVER_OUT
    ]
    return tuple(found)


def differences(
    stored: Stored, *, known: Mention | Version | None, gone_known: bool, came: Sequence[Stored]
) -> list[Change]:
    """Gives what the platform's side has done to a mention: it is gone, edited, answered, or has more below it.

    Args:
        stored: as it stands now.
        known: its text as the agent knew it, None where that is not known.
        gone_known: whether the agent knew that it is gone.
        came: the other texts of its thread that the agent did not know.
    """
    found: list[Change] = []
    if stored.gone_at and not gone_known:
        found.append(Change(what=What.GONE, before=said(stored.mention), at=stored.gone_at))
    if known is not None and said(known) != said(stored.mention):
        at = stored.mention.edited_at
        found.append(Change(what=What.EDITED, who=_name(stored), before=said(known), after=said(stored.mention), at=at))
    for each in came:
        what = _what(stored.mention, each.mention)
        if what is not None:
            found.append(Change(what=what, who=_name(each), after=said(each.mention), at=each.mention.created_at))
    return found


def held_for(reply: Reply, what: What) -> bool:
    """Tells whether a reply was held for something once, so that whoever let it go knows."""
    return any(each.what is what for each in reply.changes)


def _what(mention: Mention, other: Mention) -> What | None:
    """Gives what another text of the thread is to a mention: an answer by the shop, more from the customer, or nothing.

    Platforms with two levels move an answer up, so one beside the mention and after it counts as an answer to it.
    """
    below = other.parent_id == mention.id or mention.kind is Kind.MESSAGE
    beside = bool(mention.parent_id) and other.parent_id == mention.parent_id and _later(other, mention)
    if other.ours:
        return What.ANSWERED if below or beside else None
    if _same(mention.author, other.author) and _later(other, mention):
        return What.WROTE_AGAIN
    # Some platforms hide who wrote: what stands right under a mention may be its author's.
    return What.WROTE_AGAIN if below and (mention.author is None or other.author is None) else None


def _later(other: Mention, mention: Mention) -> bool:
    return other.created_at is None or mention.created_at is None or other.created_at >= mention.created_at


def _same(one: Author | None, other: Author | None) -> bool:
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
