"""Erases a person at their request (GDPR, article 17), everywhere that the desk keeps what they wrote."""

from __future__ import annotations

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Record
from reviewdesk.store.db import Store
from reviewdesk.store.erasing import Found, Person


class Plan(Record, frozen=True, kw_only=True):
    """Who will be erased, and how much that is.

    Attributes:
        elsewhere: mentions of others in whose texts, notes, drafts or replies a name of the person stands; they are not
            this person's, so a person has to look at them.
    """

    person: Person
    found: Found
    elsewhere: tuple[int, ...]


def plan(store: Store, *, who: str = "", mentions: tuple[int, ...] = (), source: str = "") -> Plan:
    """Gives what would be erased; changes nothing.

    Args:
        who: a name, or the platform's id of an author.
        mentions: instead of `who`, just these: for a name that many have.
        source: only there; "" everywhere.

    Raises:
        NotAllowed: nobody is called so, or there is no such mention.
    """
    if bool(who) == bool(mentions):
        raise NotAllowed("Name either the person or the mentions that are to be erased.")
    person = store.erasing.of(mentions) if mentions else store.erasing.find(who, source=source)
    return Plan(person=person, found=store.erasing.found(person), elsewhere=tuple(store.erasing.elsewhere(person)))


def erase(store: Store, person: Person, *, agent: str) -> bool:
    """Erases a person, and gives whether nothing of it is left in the database's files either.

    Whatever else of the desk's learns from texts forgets them within the same transaction.

    Raises:
        NotAllowed: a reply to them is under way.
        StoreError: the database is busy for too long, or there is no room for a second copy. What was erased is not
            shown any more, but may still stand in the file, until `doctor --repair` has cleaned it.
    """
    with store.transaction():
        store.erasing.erase(person, agent=agent)
    return store.erasing.scrub()
