"""Posted is not visible: what a platform holds back is looked for until it is there, and its agent is told."""

from __future__ import annotations

import msgspec
import pytest

from reviewdesk.config import Config
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.delivery import LATE_AFTER, LONGEST_LOOK
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import Actor, AuthFailed, RateLimited, Unreachable
from reviewdesk.model import DeliveryState
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply
from tests.desk.shops import Clock, Platform


@pytest.fixture
async def posted(config: Config, store: Store, there: Platform, clock: Clock) -> Reply:
    """A reply that the platform took and holds back."""
    there.write("a")
    there.visible = False
    await poll_round(config, store, now=True)
    clock.forward(minutes=1)
    mention = store.mentions.find("fb", "a")
    assert mention is not None
    reply = Respond(store, "jana", config).send(mention.id, "Omlouváme se.", despite_warnings=True)
    clock.forward(minutes=1)
    (told,) = await deliver(config, store)
    assert told.state is DeliveryState.POSTED
    return reply


async def test_it_is_looked_for_until_it_is_visible(
    posted: Reply, config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    assert not store.outbox.waits()
    assert await deliver(config, store) == [], "not at once"
    clock.forward(minutes=6)
    assert store.outbox.waits(), "a poll by cron wakes up for it"
    (told,) = await deliver(config, store)
    assert (told.state, told.actor, told.news) == (DeliveryState.POSTED, None, False)
    there.visible = True
    clock.forward(minutes=6)
    (told,) = await deliver(config, store)
    assert (told.state, told.fault) == (DeliveryState.VISIBLE, "")
    assert store.outbox.get(posted.id).fault == ""
    clock.forward(days=10)
    assert await deliver(config, store) == []
    assert len(there.texts("a")) == 1


async def test_its_agent_is_told_once_when_it_is_late(
    posted: Reply, config: Config, store: Store, clock: Clock
) -> None:
    told = []
    for _ in range(40):
        clock.now += LONGEST_LOOK
        told += await deliver(config, store)
    late = [each for each in told if each.actor is Actor.USER]
    assert f"{LATE_AFTER.days} days" in late[0].fault
    assert [each.news for each in late] == [True] + [False] * (len(late) - 1)
    assert store.outbox.get(posted.id).state is DeliveryState.POSTED


@pytest.mark.parametrize("error", [Unreachable("Cut."), AuthFailed("Dead."), RateLimited("Wait.")])
async def test_a_look_that_fails_changes_nothing(
    posted: Reply, config: Config, store: Store, there: Platform, clock: Clock, error: Exception
) -> None:
    def fail() -> None:
        raise error

    there.after_find = fail
    clock.forward(minutes=6)
    await deliver(config, store)
    assert store.outbox.get(posted.id).state is DeliveryState.POSTED
    there.quiet()
    there.visible = True
    clock.forward(hours=2)
    await deliver(config, store)
    assert store.outbox.get(posted.id).state is DeliveryState.VISIBLE


async def test_a_moderating_platform_is_not_believed_at_once(
    config: Config, store: Store, there: Platform, clock: Clock
) -> None:
    there.capabilities = msgspec.structs.replace(there.capabilities, moderated=True, find_reply=False)
    there.write("a")
    await poll_round(config, store, now=True)
    mention = store.mentions.find("fb", "a")
    assert mention is not None
    reply = Respond(store, "jana", config).send(mention.id, "Omlouváme se.", despite_warnings=True)
    clock.forward(minutes=1)
    await deliver(config, store)
    assert "Waiting" in store.outbox.get(reply.id).fault
    clock.forward(days=3, minutes=1)
    (told,) = await deliver(config, store)
    assert told.actor is Actor.USER, "nobody can look but a person"
    await poll_round(config, store, now=True)
    assert store.outbox.get(reply.id).state is DeliveryState.VISIBLE
    clock.forward(days=3)
    assert await deliver(config, store) == []
