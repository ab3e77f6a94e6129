"""People's work on the list: assign, close, snooze, tag, note; each with a way back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Label, Record, Status
from reviewdesk.store.db import Store, to_ms
from reviewdesk.text import one_line

_TAG = re.compile(r"[\w.+/-]{1,40}\Z")


class Done(Record, frozen=True, kw_only=True):
    """What a piece of triage did.

    Attributes:
        sentence: for the person who did it.
        what: what the mentions are now, in the words of the sentence.
        action: the key for `Triage.undo`; "" where there is nothing to take back.
        count: how many mentions it changed.
    """

    sentence: str
    what: str = ""
    action: str
    count: int


class Triage:
    """Triage by one agent.

    Args:
        store: of the calling thread.
        agent: whose name stands in the log.
    """

    def __init__(self, store: Store, agent: str) -> None:
        self._store = store
        self._agent = agent

    def assign(self, ids: Sequence[int], to: str, *, called: str = "") -> Done:
        """Gives the mentions to an agent; "" gives them back to everybody.

        Args:
            called: the agent's name, where it is another than the id.
        """
        return self._change(ids, f"assigned to {called or to or 'nobody'}", assignee=to)

    def close(self, ids: Sequence[int]) -> Done:
        """Closes the mentions: nothing more is to be done. A customer's next change opens them again."""
        now = self._store.now_ms()
        return self._change(ids, "closed", status=Status.CLOSED.value, closed_at=now, snoozed_until=None)

    def reopen(self, ids: Sequence[int]) -> Done:
        """Puts the mentions back into the inbox."""
        return self._change(ids, "reopened", status=Status.OPEN.value, closed_at=None, snoozed_until=None)

    def snooze(self, ids: Sequence[int], until: datetime, *, called: str = "") -> Done:
        """Lets the mentions disappear until a time.

        Args:
            called: the time in the words of whoever snoozes.

        Raises:
            NotAllowed: that time has passed.
        """
        if until <= self._store.clock():
            raise NotAllowed("That time has passed already.", hint="Choose a later one.")
        values = {"status": Status.SNOOZED.value, "snoozed_until": to_ms(until)}
        action, changed = self._store.mentions.change(ids, values, agent=self._agent, what="snoozed")
        return self._done(ids, f"snoozed until {called}" if called else "snoozed", action, changed)

    def tag(self, ids: Sequence[int], tag: str, on: bool = True) -> Done:
        """Puts a tag on the mentions, or takes it off. Tags are one word in lower case.

        Raises:
            NotAllowed: it is no tag.
        """
        tag = one_line(tag).lstrip("#+").casefold()
        if not _TAG.match(tag):
            raise NotAllowed("A tag is one word of at most 40 letters, digits and . + / - _.")
        action, changed = self._store.people.tag(ids, tag, agent=self._agent, on=on)
        return self._done(ids, f"tagged #{tag}" if on else f"without #{tag}", action, changed)

    def note(self, ids: Sequence[int], text: str) -> Done:
        """Writes a note for colleagues on each of the mentions.

        Raises:
            NotAllowed: it is empty.
        """
        if not text.strip():
            raise NotAllowed("The note is empty.")
        action = self._store.people.add_note(ids, self._agent, text.strip())
        return self._done(ids, "noted for your colleagues", action, len(ids))

    def correct(self, ids: Sequence[int], label: Label, complaint: bool | None = None) -> Done:
        """Keeps the agent's word on the mentions over the desk's; one that agrees confirms it, and counts as well.

        The next poll learns from it.

        Args:
            complaint: None for what the label makes likely: negative is a complaint.

        Raises:
            NotAllowed: nothing is left to read of them, since they were erased.
        """
        complaint = label is Label.NEGATIVE if complaint is None else complaint
        action, changed = self._store.corrections.put(ids, label, complaint, agent=self._agent)
        if not changed and ids and all(each.erased_at for each in self._store.mentions.all_stored(ids)):
            raise NotAllowed("It was erased, so there is nothing left to read.")
        return self._corrected(ids, _said(label, complaint), action, changed)

    def correct_complaint(self, ids: Sequence[int]) -> Done:
        """Says the opposite of what stands: that a complaint is none, or that the others are complaints.

        Of several the first one decides which of the two is said of all.
        """
        found = self._store.mentions.rows(ids)
        if not found:
            return Done(sentence="There is nothing to correct.", action="", count=0)
        complaint = not next(iter(found.values())).complaint
        label = Label.NEGATIVE if complaint else Label.NEUTRAL
        return self.correct(ids, label, complaint)

    def confirm(self, ids: Sequence[int]) -> Done:
        """Says that the desk has read the mentions rightly. Those that it has not read yet are left alone."""
        stored = self._store.mentions.all_stored(ids)
        groups: dict[tuple[Label, bool], list[int]] = {}
        for each in stored:
            if each.assessment is not None and each.correction is None:
                groups.setdefault((each.assessment.label, each.assessment.complaint), []).append(each.id)
        if len(groups) > 1:
            raise NotAllowed("They are read in different ways.", hint="Confirm them one by one.")
        for (label, complaint), same in groups.items():
            action, changed = self._store.corrections.put(same, label, complaint, agent=self._agent)
            return self._corrected(ids, f"right as read: {_said(label, complaint)}", action, changed)
        return Done(sentence="There is nothing to confirm.", action="", count=0)

    def _corrected(self, ids: Sequence[int], what: str, action: str, changed: int) -> Done:
        done = self._done(ids, what, action, changed)
        learns = " The desk learns from it with the next poll."
        return msgspec.structs.replace(done, sentence=done.sentence + learns) if changed else done

    def undo(self, done: Done) -> Done:
        """Takes a piece of triage back, where nobody has changed the same since."""
        if not done.action:
            return Done(sentence="There is nothing to take back.", action="", count=0)
        doors = (self._store.mentions, self._store.people, self._store.corrections)
        parts = [door.undo(done.action, agent=self._agent) for door in doors]
        undone, kept = (sum(numbers) for numbers in zip(*parts, strict=True))
        sentence = f"Taken back: {_count(undone)} {done.what}." if undone else "Nothing was taken back."
        if kept:
            sentence += f" {_count(kept)} had been changed by someone since."
        return Done(sentence=sentence, action="", count=undone)

    def wake(self) -> int:
        """Opens the snoozed mentions whose time has come. Gives how many."""
        return self._store.mentions.wake()

    def _change(self, ids: Sequence[int], what: str, **values: Any) -> Done:
        action, changed = self._store.mentions.change(ids, values, agent=self._agent, what=what)
        return self._done(ids, what, action, changed)

    def _done(self, ids: Sequence[int], what: str, action: str, changed: int) -> Done:
        if not changed:
            return Done(sentence=f"Nothing to do: {_count(len(ids))} already {what}.", action="", count=0)
        rest = len(ids) - changed
        sentence = f"{_count(changed)} {what}" + (f"; {_count(rest)} already so." if rest else ".")
        return Done(sentence=sentence, what=what, action=action, count=changed)


def _said(label: Label, complaint: bool) -> str:
    return f"{label.word}, {'a complaint' if complaint else 'no complaint'}"


def _count(number: int) -> str:
    return "1 mention" if number == 1 else f"{number:,} mentions"
