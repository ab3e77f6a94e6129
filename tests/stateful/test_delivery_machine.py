"""Delivery against a plain model: whatever is lost, cut, killed or decided in whatever order, no reply stands twice.

And none goes into a thread that its agent did not know, nor is one held for nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reviewdesk.config import load
from reviewdesk.desk import connecting
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import AuthFailed, NotAllowed, OutcomeUnknown, RateLimited, Refused, Unreachable
from reviewdesk.model import Author, DeliveryState, Guard, PostedReply, What
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply
from tests.desk.shops import Clock, Memory, Platform, config_with, load_memory

SOURCES = ("fb", "reddit")
MENTIONS = ("a", "b")
AGENTS = ("jana", "petr")


ENDINGS = {
    "well": False,
    "refused": True,
    "limited": True,
    "unreachable": True,
    "token": True,
    "dropped": True,
    "nonsense": True,
    "killed before": True,
    "rival before": True,
    "lost": False,
    "killed": False,
    "rival": False,
}
"""How a call ends, and whether before anything is done there."""
HAPPENS = ("edits", "edits back", "goes on", "other", "deletes", "by hand")


JANA = Author(id="c1", name="Jana")
OTHER = Author(id="c2", name="Petr")
BY_HAND = "Ručně"


@dataclass
class Thread:
    """What has happened to a mention on its platform: its texts, what came below it and as what, whether it is gone."""

    texts: list[str] = field(default_factory=list)
    came: dict[str, tuple[What, str]] = field(default_factory=dict)
    gone: bool = False


@dataclass
class Known:
    """What the agent of a reply knows: the text, ids of what came, that it is gone."""

    text: str
    came: set[str]
    gone: bool


class Watched(Platform):
    """A platform that asks, before it takes a reply, whether that may be sent."""

    def __init__(self, clock: Clock, may_come: Callable[[str, str], None]) -> None:
        super().__init__(clock)
        self.may_come = may_come

    def post(self, to: str, text: str) -> PostedReply:
        self.may_come(to, text)
        return super().post(to, text)


class Killed(BaseException):
    """The process is gone; nothing after it runs."""


class Delivering(RuleBasedStateMachine):
    """Two platforms, two agents, many processes that deliver, each of which may die at each of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(connecting, "load_source", load_memory)
        self.folder = Path(tempfile.mkdtemp(prefix="desk-"))
        self.clock = Clock()
        self.config = config_with(self.folder, *SOURCES)
        self.there: dict[str, Watched] = {
            source: Watched(self.clock, partial(self._comes, source)) for source in SOURCES
        }
        self.threads = {(source, id): Thread() for source in SOURCES for id in MENTIONS}
        self.known: dict[int, Known] = {}
        Memory.platforms = self.there
        self.store = Store(self.config.database, clock=self.clock)
        # No power is cut here, and waiting for the disk is what takes the time.
        self.store.db.conn.execute("PRAGMA synchronous = OFF")
        self.approved: dict[int, tuple[str, str, str]] = {}
        self.said = self.spoken = 0
        # Whatever a platform raises is the connector's fault to the desk, so it is only noted there.
        self.unguarded: list[str] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)
        self.patch.undo()

    @initialize(other=st.sampled_from(Guard), rereads=st.booleans())
    def customers_write(self, other: Guard, rereads: bool) -> None:
        text = self.config.path.read_text()
        for source, guard in zip(SOURCES, (Guard.STRICT, other), strict=True):
            text = text.replace(f'id = "{source}"', f'id = "{source}"\nguard = "{guard.value}"')
        self.config.path.write_text(text)
        self.config = load(self.config.path, db=self.config.database, environ={})
        # The first source can be read again, the other as it comes: then the last poll counts.
        for source, able in zip(SOURCES, (True, rereads), strict=True):
            there = self.there[source]
            there.capabilities = msgspec.structs.replace(there.capabilities, reread=able)
        for source in SOURCES:
            for id in MENTIONS:
                self._write(source, id)
        self.poll()

    def _write(self, source: str, id: str) -> None:
        self.said += 1
        self.there[source].write(id, f"Nefunguje to, {self.said}.", author=JANA)
        self.threads[source, id].texts.append(self.there[source].customers[id].text)

    @rule(source=st.sampled_from(SOURCES), id=st.sampled_from(MENTIONS), what=st.sampled_from(HAPPENS))
    def something_happens(self, source: str, id: str, what: str) -> None:
        """A customer edits, goes on or deletes, another one writes below, or a colleague answers past the desk."""
        self._happens(source, id, what)

    def _happens(self, source: str, id: str, what: str) -> None:
        there, thread = self.there[source], self.threads[source, id]
        if thread.gone:
            return
        self.said += 1
        more: dict[str, Any] = {"thread_id": id, "parent_id": id}
        match what:
            case "edits":
                self._write(source, id)
            case "edits back" if len(thread.texts) > 1:
                there.customers[id] = msgspec.structs.replace(there.customers[id], text=thread.texts[-2])
                thread.texts.append(thread.texts[-2])
            case "goes on":
                there.write(f"{id}{self.said}", f"Haló, {self.said}?", author=JANA, **more)
                thread.came[f"{id}{self.said}"] = What.WROTE_AGAIN, f"Haló, {self.said}?"
            case "other":
                there.write(f"{id}{self.said}", "Mně taky.", author=OTHER, **more)
            case "deletes" if id == MENTIONS[-1]:
                del there.customers[id]
                thread.gone = True
            case "by hand":
                posted = Platform.post(there, id, f"{BY_HAND}, {self.said}.")
                thread.came[posted.id] = What.ANSWERED, f"{BY_HAND}, {self.said}."

    def _comes(self, source: str, id: str, text: str) -> None:
        """A reply arrives: its agent has to know what stands there, as far as the source's guard goes."""
        guard = self.config.source(source).guard
        if guard is Guard.OFF or not self.there[source].capabilities.reread:
            return
        known = self.known[max(key for key, told in self.approved.items() if told == (source, id, text))]
        thread = self.threads[source, id]
        if thread.gone > known.gone:
            self.unguarded.append(f"{text!r} was sent, and nobody knew that it is gone")
        elif not thread.gone and thread.texts[-1] != known.text:
            self.unguarded.append(f"{text!r} was sent to a text that nobody had seen")
        elif not thread.gone and guard is Guard.STRICT and set(thread.came) - known.came:
            self.unguarded.append(f"{text!r} was sent, and nobody knew what had been added")

    def _id(self, source: str, mention: str) -> int:
        found = self.store.mentions.find(source, mention)
        assert found is not None
        return found.id

    def _respond(self, agent: str) -> Respond:
        return Respond(self.store, agent, self.config)

    @rule(
        source=st.sampled_from(SOURCES),
        mention=st.sampled_from(MENTIONS),
        agent=st.sampled_from(AGENTS),
        again=st.booleans(),
        then=st.sampled_from(("", *HAPPENS)),
    )
    def send(self, source: str, mention: str, agent: str, again: bool, then: str) -> None:
        """An agent approves a text, now and then the very words of an earlier one; and something happens."""
        self.spoken += 0 if again and self.spoken else 1
        text = f"Omlouváme se, {self.spoken}."
        stored = self.store.mentions.get(self._id(source, mention))
        try:
            reply = self._respond(agent).send(stored.id, text, despite_warnings=True)
        except NotAllowed:
            return
        self.approved[reply.id] = (source, mention, text)
        came = self.threads[source, mention].came
        self.known[reply.id] = Known(
            stored.mention.text, {id for id in came if self.store.mentions.find(source, id)}, stored.gone_at is not None
        )
        self._happens(source, mention, then)
        self.clock.forward(seconds=self.config.desk.undo_seconds)

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), agent=st.sampled_from(AGENTS))
    def release(self, data: st.DataObject, agent: str) -> None:
        """An agent looks at what a reply is held for, and sends it all the same."""
        held = [each for each in self._replies() if each.state is DeliveryState.HELD]
        if not held:
            return
        reply = data.draw(st.sampled_from(held))
        source, mention, _ = self.approved[reply.id]
        known, came = self.known[reply.id], self.threads[source, mention].came
        for change in reply.changes:
            if change.what is What.EDITED:
                known.text = change.after
            known.gone |= change.what is What.GONE
            known.came |= {id for id, told in came.items() if told == (change.what, change.after)}
        self._respond(agent).release(reply)

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), agent=st.sampled_from(AGENTS))
    def take_back(self, data: st.DataObject, agent: str) -> None:
        reply = self.store.outbox.get(data.draw(st.sampled_from(sorted(self.approved))))
        try:
            draft = self._respond(agent).take_back(reply)
        except NotAllowed:
            return
        assert draft.text.startswith(reply.text), "what was taken back is not lost"

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), agent=st.sampled_from(AGENTS))
    def decide(self, data: st.DataObject, agent: str) -> None:
        """A person looks at the platform and tells what is true."""
        reply = self.store.outbox.get(data.draw(st.sampled_from(sorted(self.approved))))
        source, mention, text = self.approved[reply.id]
        done = (DeliveryState.POSTED, DeliveryState.VISIBLE)
        told = [each for each in self._replies() if each.id != reply.id and each.state in done]
        others = sum(self.approved[each.id] == (source, mention, text) for each in told)
        there = self.there[source].texts(mention).count(text) > others
        with suppress(NotAllowed):
            self._respond(agent).settle(reply, posted=there)
        with pytest.raises(NotAllowed):
            self._respond(agent).confirm_hand_off(reply)

    def _replies(self) -> list[Reply]:
        return self.store.outbox.in_states(list(DeliveryState))

    @rule(
        ending=st.sampled_from(sorted(ENDINGS)),
        finding=st.sampled_from(("well", "unreachable", "limited", "killed", "rival")),
        minutes=st.sampled_from((0, 0.2, 3)),
    )
    def deliver(self, ending: str, finding: str, minutes: float) -> None:
        """One process delivers; the first call to each platform ends so, and so does the first search."""
        self.clock.forward(minutes=minutes)
        for platform in self.there.values():
            platform.on_reply, platform.after_reply = (
                self._first(ending, before=True),
                self._first(ending, before=False),
            )
            platform.after_find = self._first(finding, before=False)
        with suppress(Killed):
            asyncio.run(deliver(self.config, self.store))
        for platform in self.there.values():
            platform.quiet()

    def _first(self, ending: str, *, before: bool) -> Callable[..., None]:
        """Gives a hook that plays `ending` at its first call, where it is one of those before or after the deed."""
        left = [ending] if ENDINGS.get(ending, False) is before else []

        def play(*_: object) -> None:
            match left.pop() if left else "well":
                case "refused":
                    raise Refused("No.")
                case "limited":
                    raise RateLimited("Wait.", until=self.clock() + timedelta(minutes=5))
                case "unreachable":
                    raise Unreachable("Nobody there.")
                case "token":
                    raise AuthFailed("Dead.")
                case "dropped" | "lost":
                    raise OutcomeUnknown("Cut.")
                case "nonsense":
                    raise ValueError("A fault of the plugin.")
                case "killed" | "killed before":
                    raise Killed
                case "rival" | "rival before":
                    self._rival()

        return play

    def _rival(self) -> None:
        """Another process delivers, for longer than the lease, while this one waits for its answer."""
        for platform in self.there.values():
            platform.quiet()
            platform.after_reply = self._first("lost", before=False)
        self.clock.forward(minutes=6)

        def work() -> None:
            with Store(self.config.database, clock=self.clock) as other:
                other.db.conn.execute("PRAGMA synchronous = OFF")
                asyncio.run(deliver(self.config, other))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        for platform in self.there.values():
            platform.quiet()

    @rule()
    def all_goes_well(self) -> None:
        self.deliver("well", "well", 3)

    @rule()
    def poll(self) -> None:
        asyncio.run(poll_round(self.config, self.store, now=True))

    @rule(minutes=st.sampled_from((0.1, 0.5, 2, 6, 61)))
    def time_passes(self, minutes: float) -> None:
        self.clock.forward(minutes=minutes)

    @invariant()
    def nothing_stands_twice_and_nothing_that_nobody_approved(self) -> None:
        for source, platform in self.there.items():
            for mention in MENTIONS:
                standing = [text for text in platform.texts(mention) if not text.startswith(BY_HAND)]
                approved = [text for where, to, text in self.approved.values() if (where, to) == (source, mention)]
                for text in set(standing):
                    assert standing.count(text) <= approved.count(text), f"{text!r} stands there too often"

    @invariant()
    def what_is_withdrawn_or_refused_does_not_stand_there(self) -> None:
        for source, platform in self.there.items():
            for mention in MENTIONS:
                for text in {text for text in platform.texts(mention) if not text.startswith(BY_HAND)}:
                    alive = [
                        reply
                        for reply in self._replies()
                        if self.approved[reply.id] == (source, mention, text)
                        and reply.state not in (DeliveryState.WITHDRAWN, DeliveryState.REFUSED, DeliveryState.QUEUED)
                    ]
                    assert len(alive) >= platform.texts(mention).count(text), (
                        f"{text!r} stands there unknown to the desk"
                    )

    @invariant()
    def what_counts_as_posted_stands_there(self) -> None:
        done = (DeliveryState.POSTED, DeliveryState.VISIBLE)
        for source, platform in self.there.items():
            for mention in MENTIONS:
                posted = [
                    self.approved[reply.id][2]
                    for reply in self._replies()
                    if reply.state in done and self.approved[reply.id][:2] == (source, mention)
                ]
                for text in set(posted):
                    assert platform.texts(mention).count(text) >= posted.count(text), f"{text!r} does not stand there"

    @invariant()
    def nothing_was_sent_into_a_thread_that_its_agent_did_not_know(self) -> None:
        assert self.unguarded == []

    @invariant()
    def what_is_held_is_held_for_something_that_happened(self) -> None:
        for reply in self._replies():
            if reply.state is not DeliveryState.HELD:
                continue
            source, mention, _ = self.approved[reply.id]
            known, thread = self.known[reply.id], self.threads[source, mention]
            assert reply.changes
            for change in reply.changes:
                match change.what:
                    case What.EDITED:
                        assert change.before == known.text != change.after, change
                        assert change.after in thread.texts, change
                    case What.GONE:
                        assert thread.gone, change
                        assert not known.gone, change
                    case _:
                        assert (change.what, change.after) in [
                            told for id, told in thread.came.items() if id not in known.came
                        ], change

    @invariant()
    def no_approved_reply_is_gone(self) -> None:
        assert {reply.id for reply in self._replies()} == set(self.approved)


TestDelivering = Delivering.TestCase
TestDelivering.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
