"""Delivery against a plain model: whatever is lost, cut, killed or decided in whatever order, no reply stands twice."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reviewdesk.desk import connecting
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import AuthFailed, NotAllowed, OutcomeUnknown, RateLimited, Refused, Unreachable
from reviewdesk.model import DeliveryState
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
        self.there = {source: Platform(self.clock) for source in SOURCES}
        Memory.platforms = self.there
        self.store = Store(self.config.database, clock=self.clock)
        # No power is cut here, and waiting for the disk is what takes the time.
        self.store.db.conn.execute("PRAGMA synchronous = OFF")
        self.approved: dict[int, tuple[str, str, str]] = {}
        self.said = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)
        self.patch.undo()

    @initialize()
    def customers_write(self) -> None:
        for platform in self.there.values():
            for id in MENTIONS:
                platform.write(id)
        self.poll()

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
    )
    def send(self, source: str, mention: str, agent: str, again: bool) -> None:
        """An agent approves a text; now and then the very words of an earlier one."""
        self.said += 0 if again and self.said else 1
        text = f"Omlouváme se, {self.said}."
        try:
            reply = self._respond(agent).send(self._id(source, mention), text, despite_warnings=True)
        except NotAllowed:
            return
        self.approved[reply.id] = (source, mention, text)

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
    )
    def deliver(self, ending: str, finding: str) -> None:
        """One process delivers; the first call to each platform ends so, and so does the first search."""
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
    def poll(self) -> None:
        asyncio.run(poll_round(self.config, self.store, now=True))

    @rule(minutes=st.sampled_from((0.1, 0.5, 2, 6, 61)))
    def time_passes(self, minutes: float) -> None:
        self.clock.forward(minutes=minutes)

    @invariant()
    def nothing_stands_twice_and_nothing_that_nobody_approved(self) -> None:
        for source, platform in self.there.items():
            for mention in MENTIONS:
                standing = platform.texts(mention)
                approved = [text for where, to, text in self.approved.values() if (where, to) == (source, mention)]
                for text in set(standing):
                    assert standing.count(text) <= approved.count(text), f"{text!r} stands there too often"

    @invariant()
    def what_is_withdrawn_or_refused_does_not_stand_there(self) -> None:
        for source, platform in self.there.items():
            for mention in MENTIONS:
                for text in set(platform.texts(mention)):
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
    def no_approved_reply_is_gone(self) -> None:
        assert {reply.id for reply in self._replies()} == set(self.approved)


TestDelivering = Delivering.TestCase
TestDelivering.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
