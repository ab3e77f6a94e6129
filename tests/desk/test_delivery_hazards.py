"""What happens to a reply on its way while the machine sleeps, the clock jumps, or a person changes what it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from reviewdesk.config import Config
from reviewdesk.desk import deliver as delivering
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.erase import erase, plan
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.desk.triage import Triage
from reviewdesk.errors import (
    Actor,
    AuthFailed,
    NotAllowed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ReviewdeskError,
    Unreachable,
)
from reviewdesk.model import DeliveryState as State
from reviewdesk.model import Status
from reviewdesk.store.db import Store
from reviewdesk.store.outbox import Outbox
from reviewdesk.store.records import Reply
from tests.desk.shops import Clock, Platform

TEXT = "Omlouváme se."


class Way:
    """One reply on its way to the mention "a", and everything that may happen to it."""

    def __init__(self, config: Config, store: Store, there: Platform, clock: Clock) -> None:
        self.config, self.store, self.there, self.clock = config, store, there, clock
        there.capabilities = msgspec.structs.replace(there.capabilities, reread=True)
        there.write("a")
        self.run_poll()
        self.clock.forward(minutes=1)
        self.jana = Respond(store, "jana", config)
        self.sent = self.jana.send(self.mention.id, TEXT, despite_warnings=True)
        self.clock.forward(minutes=1)

    @property
    def mention(self):
        found = self.store.mentions.find("fb", "a")
        assert found is not None
        return found

    @property
    def reply(self) -> Reply:
        return self.store.outbox.get(self.sent.id)

    @property
    def standing(self) -> list[str]:
        return self.there.texts("a")

    def run_poll(self) -> None:
        asyncio.run(poll_round(self.config, self.store, now=True))

    def deliver(self) -> list[State]:
        return [each.state for each in asyncio.run(deliver(self.config, self.store))]

    def elsewhere(self, times: int = 1) -> None:
        """Another process delivers."""

        def work() -> None:
            with Store(self.config.database, clock=self.clock) as other:
                for _ in range(times):
                    asyncio.run(deliver(self.config, other))
                    self.clock.forward(minutes=3)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


@pytest.fixture
def way(config: Config, store: Store, there: Platform, clock: Clock) -> Way:
    return Way(config, store, there, clock)


def once(deed: Callable[[], object]) -> Callable[..., None]:
    """Gives a hook that does something at its first call."""
    left = [deed]

    def play(*_: object) -> None:
        if left:
            left.pop()()

    return play


def lost(*_: object) -> None:
    raise OutcomeUnknown("Cut.")


class TestSuspended:
    """A laptop is closed in the middle of sending."""

    def test_longer_than_the_lease_while_another_process_sends(self, way: Way) -> None:
        def sleep() -> None:
            way.clock.forward(minutes=6)
            way.elsewhere(times=3)

        way.there.on_reread = once(sleep)
        assert way.deliver() == [State.VISIBLE], "the sleeper reads that it stands there"
        assert way.standing == [TEXT]

    def test_longer_than_the_lease_where_nothing_is_read_again(self, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
        way.there.capabilities = msgspec.structs.replace(way.there.capabilities, reread=False)
        leaves = Outbox.leaves

        def sleep_and_leave(*args, **more) -> bool:
            monkeypatch.setattr(Outbox, "leaves", leaves)
            way.clock.forward(minutes=6)
            way.elsewhere(times=3)
            assert way.standing == [TEXT]
            return leaves(*args, **more)

        monkeypatch.setattr(Outbox, "leaves", sleep_and_leave)
        way.deliver()
        assert way.standing == [TEXT]
        assert way.reply.state is State.POSTED

    def test_longer_than_the_lease_and_nobody_else_sends(self, way: Way) -> None:
        way.there.on_reread = once(lambda: way.clock.forward(minutes=6))
        assert way.deliver() == [State.POSTED], "in the next turn of the same round"
        assert way.standing == [TEXT]
        assert way.reply.attempts == 2

    def test_between_the_lease_and_the_request(self, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
        """Signing in and connecting take time after the lease was looked at; the request itself has the last word."""
        awake = [1000.0]
        monkeypatch.setattr(delivering, "_since_boot", lambda: awake[0])
        way.there.on_reply = once(lambda: awake.append(awake.pop() + 3600))
        assert way.deliver() == [State.QUEUED]
        assert way.standing == []
        way.clock.forward(minutes=5)
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]

    def test_what_has_arrived_is_found_by_who_takes_over(self, way: Way) -> None:
        def sleep() -> None:
            way.clock.forward(minutes=6)
            way.elsewhere(times=3)

        way.there.after_reply = once(sleep)
        way.deliver()
        assert way.standing == [TEXT]
        assert way.reply.state is State.POSTED


def test_an_answer_that_comes_after_the_reply_was_given_up_still_counts(way: Way) -> None:
    def given_up() -> None:
        assert way.store.outbox.move(way.reply, State.UNKNOWN, fault="The desk was stopped.")

    way.there.after_reply = once(given_up)
    assert way.deliver() == [State.POSTED]
    assert (way.reply.state, way.reply.remote_id, way.mention.status) == (State.POSTED, "reply-1", Status.ANSWERED)
    assert way.deliver() == []
    assert way.standing == [TEXT]


class TestClockSetBack:
    """The clock was ahead by hours or by years, and is put right."""

    @pytest.fixture(params=[2, 24 * 400], ids=["two hours", "a year"])
    def wrong(self, request: pytest.FixtureRequest, config: Config, store: Store, there: Platform) -> Way:
        ours = Clock(there.clock() + timedelta(hours=request.param))
        store.clock = ours
        return Way(config, store, there, ours)

    @staticmethod
    def put_right(way: Way) -> None:
        way.clock.now = way.there.clock()

    def test_a_reply_that_waits_goes_out(self, wrong: Way) -> None:
        self.put_right(wrong)
        assert wrong.store.outbox.waits()
        assert wrong.deliver() == [State.POSTED]

    def test_a_lost_answer_is_found_and_not_sent_again(self, wrong: Way) -> None:
        wrong.there.after_reply = lost
        wrong.deliver()
        wrong.there.quiet()
        self.put_right(wrong)
        for _ in range(4):
            wrong.clock.forward(minutes=3)
            wrong.deliver()
        assert wrong.standing == [TEXT]
        assert wrong.reply.state in (State.POSTED, State.VISIBLE)

    def test_what_never_arrived_is_sent_once_after_two_looks(self, wrong: Way) -> None:
        wrong.there.on_reply = lost
        wrong.deliver()
        wrong.there.quiet()
        self.put_right(wrong)
        wrong.deliver()
        wrong.clock.forward(minutes=1)
        wrong.deliver()
        assert wrong.standing == [], "two looks within a minute are not enough"
        wrong.clock.forward(minutes=2)
        wrong.deliver()
        wrong.deliver()
        assert wrong.standing == [TEXT]

    @pytest.mark.parametrize("reread", [True, False])
    @pytest.mark.parametrize("wrong", [1, 2, 24], indirect=True)
    def test_it_was_ahead_and_nobody_saw_it_being_put_right(self, wrong: Way, reread: bool) -> None:
        """By the time of the first look the clock has caught up, and the attempt seems to be just now."""
        wrong.there.capabilities = msgspec.structs.replace(wrong.there.capabilities, reread=reread)
        wrong.there.after_reply = lost
        wrong.deliver()
        wrong.there.quiet()
        for _ in range(3):
            wrong.clock.forward(minutes=3)
            wrong.deliver()
        assert wrong.standing == [TEXT]

    def test_a_sender_that_died_is_found_out(self, wrong: Way) -> None:
        assert wrong.store.outbox.claim("elsewhere:1:x", lease_seconds=300)
        self.put_right(wrong)
        assert [each.id for each in wrong.store.outbox.abandoned()] == [wrong.sent.id]


class TestASourceInTrouble:
    """Two replies wait for one source."""

    @pytest.fixture
    def second(self, way: Way) -> Reply:
        way.there.write("b")
        way.run_poll()
        found = way.store.mentions.find("fb", "b")
        assert found is not None
        sent = way.jana.send(found.id, "Děkujeme.", despite_warnings=True)
        way.clock.forward(minutes=1)
        return sent

    @pytest.mark.parametrize("trouble", [Unreachable, AuthFailed, RateLimited])
    def test_it_is_left_alone_for_the_rest_of_the_round(
        self, way: Way, second: Reply, trouble: type[ReviewdeskError]
    ) -> None:
        tried = []

        def fail(to: str, text: str) -> None:
            tried.append(to)
            raise trouble("Not now.")

        way.there.on_reply = fail
        assert way.deliver() == [State.QUEUED]
        assert tried == ["a"]
        assert way.store.outbox.get(second.id).attempts == 0
        way.there.quiet()
        way.clock.forward(hours=2)
        assert way.deliver() == [State.POSTED, State.POSTED]

    def test_no_other_thread_is_read_in_the_round(self, way: Way, second: Reply) -> None:
        read = []

        def fail() -> None:
            read.append(1)
            raise Unreachable("No network.")

        way.there.on_reread = fail
        assert way.deliver() == [State.QUEUED]
        assert read == [1]
        assert way.store.outbox.get(second.id).attempts == 0

    def test_nothing_more_is_looked_for_in_the_round(self, way: Way, second: Reply) -> None:
        way.there.on_reply = lost
        assert way.deliver() == [State.UNKNOWN, State.UNKNOWN]
        looks = []

        def fail() -> None:
            looks.append(1)
            raise Unreachable("No network.")

        way.there.quiet()
        way.there.after_find = fail
        way.clock.forward(minutes=1)
        assert way.deliver() == [State.UNKNOWN]
        assert looks == [1]

    def test_nothing_is_looked_for_while_it_wants_quiet(self, way: Way) -> None:
        way.there.after_reply = lost
        way.deliver()
        way.there.quiet()
        until = way.clock.now + timedelta(minutes=11)

        def quiet() -> None:
            raise RateLimited("Not now.", until=until)

        way.there.after_find = quiet
        way.clock.forward(minutes=1)
        assert way.deliver() == [State.UNKNOWN]
        way.there.quiet()
        way.clock.forward(minutes=9)
        assert way.deliver() == []
        way.clock.forward(minutes=2)
        assert way.deliver() == [State.POSTED]

    def test_one_that_is_switched_off_or_not_named_is_left_alone(self, way: Way) -> None:
        assert asyncio.run(deliver(way.config, way.store, only=["other"])) == []
        way.store.sources.switch("fb", on=False)
        assert way.deliver() == []
        assert way.reply.attempts == 0
        way.store.sources.switch("fb", on=True)
        assert asyncio.run(deliver(way.config, way.store, only=["fb"])) != []
        assert way.standing == [TEXT]

    def test_what_is_refused_waits_for_a_person(self, way: Way) -> None:
        def no(to: str, text: str) -> None:
            raise Refused("No links.")

        way.there.on_reply = no
        (told,) = asyncio.run(deliver(way.config, way.store))
        assert (told.state, told.actor) == (State.REFUSED, Actor.USER)


class TestIdempotencyKey:
    """A platform that cannot be asked for a reply, but posts each key once."""

    @pytest.fixture(autouse=True)
    def keyed(self, way: Way) -> None:
        way.there.capabilities = msgspec.structs.replace(
            way.there.capabilities, reread=False, find_reply=False, idempotent_reply=True
        )

    def test_a_lost_answer_is_asked_for_again_by_its_key(self, way: Way) -> None:
        way.there.after_reply = lost
        assert way.deliver() == [State.UNKNOWN]
        way.there.quiet()
        assert way.deliver() == [], "not at once"
        way.clock.forward(seconds=15)
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]

    def test_a_repeat_that_fails_stays_unclear_while_the_key_lives_and_then_a_person_decides(self, way: Way) -> None:
        def unreachable(*_: object) -> None:
            raise Unreachable("No network.")

        way.there.after_reply = lost
        way.deliver()
        way.there.quiet()
        way.there.on_reply = unreachable
        way.clock.forward(seconds=15)
        assert way.deliver() == [State.UNKNOWN], "of the first attempt nothing is certain"
        way.there.quiet()
        way.there.keys.clear()
        way.clock.forward(minutes=31)
        assert way.deliver() == [State.UNKNOWN], "the key has died; sent again it would stand twice"
        assert "settle" in way.reply.fault_hint
        assert way.standing == [TEXT]

    def test_what_certainly_never_left_is_queued_again(self, way: Way) -> None:
        def unreachable(*_: object) -> None:
            raise Unreachable("No network.")

        way.there.on_reply = unreachable
        assert way.deliver() == [State.QUEUED]
        way.there.quiet()
        way.clock.forward(hours=3)
        assert way.deliver() == [State.POSTED]


class TestThePeopleAround:
    @staticmethod
    def try_to_erase(way: Way) -> None:
        with Store(way.config.database, clock=way.clock) as other, pytest.raises(NotAllowed, match="under way"):
            erase(other, plan(other, mentions=(way.sent.mention_id,)).person, agent="petr")

    @pytest.mark.parametrize("hook", ["on_reread", "on_reply", "after_reply"])
    def test_nobody_is_erased_in_mid_sending(self, way: Way, hook: str) -> None:
        setattr(way.there, hook, once(lambda: self.try_to_erase(way)))
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]

    def test_nobody_is_erased_while_a_reply_is_looked_for(self, way: Way) -> None:
        way.there.after_reply = lost
        way.deliver()
        way.there.quiet()
        way.clock.forward(minutes=1)
        way.there.after_find = once(lambda: self.try_to_erase(way))
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]

    @pytest.mark.parametrize("held", [False, True])
    def test_what_waits_for_an_erased_mention_never_goes_out(self, way: Way, held: bool) -> None:
        if held:
            way.there.write("a", "Už nic.")
            assert way.deliver() == [State.HELD]
        erase(way.store, plan(way.store, mentions=(way.sent.mention_id,)).person, agent="petr")
        assert way.deliver() == []
        assert way.standing == []
        with pytest.raises(NotAllowed):
            way.jana.release(way.reply)

    def test_a_posted_reply_to_an_erased_mention_is_looked_for_no_more(self, way: Way) -> None:
        way.there.visible = False
        way.deliver()
        assert [each.id for each in self.unseen_tomorrow(way)] == [way.sent.id]
        erase(way.store, plan(way.store, mentions=(way.sent.mention_id,)).person, agent="petr")
        assert self.unseen_tomorrow(way) == []

    @staticmethod
    def unseen_tomorrow(way: Way) -> list[Reply]:
        way.clock.forward(days=1)
        return way.store.outbox.unseen()

    def test_a_mention_that_a_colleague_closes_is_answered_all_the_same(self, way: Way) -> None:
        """The reply was approved; closing says that nothing more is to be done, and it stays out of the inbox."""
        Triage(way.store, "petr").close([way.sent.mention_id])
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]
        assert way.mention.status is Status.ANSWERED

    def test_sent_twice_and_undone_too_late(self, way: Way) -> None:
        with pytest.raises(NotAllowed, match="on its way"):
            way.jana.send(way.mention.id, TEXT, despite_warnings=True)
        seen = way.reply
        way.deliver()
        for reply in (seen, way.reply):
            with pytest.raises(NotAllowed):
                way.jana.take_back(reply)
        assert way.deliver() == []
        assert way.standing == [TEXT]

    def test_undone_while_it_is_going_out(self, way: Way) -> None:
        def undo() -> None:
            with Store(way.config.database, clock=way.clock) as other, pytest.raises(NotAllowed):
                Respond(other, "jana", way.config).take_back(other.outbox.get(way.sent.id))

        way.there.on_reread = once(undo)
        assert way.deliver() == [State.POSTED]
        assert way.standing == [TEXT]


async def test_where_the_platform_blocks_the_shop_the_refused_reply_waits_for_a_person_and_the_others_for_the_block(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    there.write("a")
    there.write("b")
    await poll_round(config, store, now=True)
    jana = Respond(store, "jana", config)
    found = [store.mentions.find("fb", id) for id in "ab"]
    first, second = [jana.send(each.id, f"Reply {each.id}.", despite_warnings=True) for each in found if each]
    until = clock() + timedelta(hours=24)
    asked = []

    def block(to: str, text: str) -> None:
        asked.append(to)
        raise Refused("Blocked for spam.", until=until)

    there.on_reply = block
    clock.forward(minutes=1)
    await deliver(config, store)
    await deliver(config, store)
    assert asked == ["a"]
    assert store.outbox.get(first.id).state is State.REFUSED
    assert store.outbox.get(second.id).send_after == until
    there.quiet()
    clock.forward(hours=24)
    await deliver(config, store)
    assert there.texts("b") == [second.text]
    assert there.texts("a") == []
