"""Replies to platforms that break: what is posted is posted once, what was not is posted in the end."""

from __future__ import annotations

import signal

import pytest

from reviewdesk.desk import deliver as delivering
from reviewdesk.errors import Actor
from reviewdesk.model import DeliveryState, Status
from reviewdesk.sandbox import FaultKind
from tests.flows.street import Street, until

REPLYING = ("facebook", "reddit")
WRITE = {"facebook": "POST /v25.0", "reddit": "POST /api/comment"}

pytestmark = pytest.mark.parametrize("platform", REPLYING)


@pytest.fixture
def shop(street, platform) -> Street:
    return street(platform)


async def queued(shop: Street, platform: str):
    id = shop.write(platform)
    await shop.poll()
    return id, shop.reply(platform, id)


def write_fails(shop: Street, platform: str, kind: FaultKind, **more) -> None:
    shop.fail(platform, kind, WRITE[platform], **more)


async def test_accepted_and_the_answer_lost_is_found_and_stands_once(shop: Street, platform: str) -> None:
    id, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.LOST)
    (told,) = await shop.deliver()
    assert (told.state, told.actor) == (DeliveryState.UNKNOWN, Actor.TIME)
    assert await shop.deliver() == [], "it is not looked for at once"
    shop.clock.forward(seconds=15)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert shop.texts(platform) == [reply.text]
    assert shop.stored(platform, id).status is Status.ANSWERED
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE


async def test_lost_and_brought_back_by_the_next_poll(shop: Street, platform: str) -> None:
    id, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.LOST)
    await shop.deliver()
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE
    assert shop.stored(platform, id).status is Status.ANSWERED
    shop.clock.forward(minutes=10)
    assert await shop.deliver() == []
    assert shop.texts(platform) == [reply.text]


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.SERVER_ERROR, FaultKind.LOGIN_PAGE])
async def test_never_done_is_looked_for_twice_and_then_sent_once(shop: Street, platform: str, kind: FaultKind) -> None:
    _, reply = await queued(shop, platform)
    write_fails(shop, platform, kind)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.UNKNOWN
    shop.clock.forward(seconds=15)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.UNKNOWN, "one look is not enough"
    assert shop.texts(platform) == []
    shop.clock.forward(minutes=3)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert shop.texts(platform) == [reply.text]


async def test_an_answer_that_breaks_off_is_found(shop: Street, platform: str) -> None:
    _, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.CUT)
    await shop.deliver()
    shop.clock.forward(minutes=3)
    await shop.deliver()
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.POSTED
    assert shop.texts(platform) == [reply.text]


async def test_slower_than_the_desk_waits(shop: Street, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.SLOW, seconds=1)
    monkeypatch.setattr(delivering, "_LONGEST_SEND", 0.3)
    (told,) = await shop.deliver()
    assert told.state is DeliveryState.UNKNOWN
    assert "in time" in told.fault
    until(lambda: bool(shop.texts(platform)))
    monkeypatch.undo()
    shop.clock.forward(seconds=15)
    for name, value in shop.emulator(platform).secrets().items():
        monkeypatch.setenv(name, value)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.POSTED
    assert shop.texts(platform) == [reply.text]


async def test_a_wait_that_is_told_is_kept_for_every_reply_to_the_platform(shop: Street, platform: str) -> None:
    ids = [shop.write(platform) for _ in range(2)]
    await shop.poll()
    first, second = [shop.reply(platform, id) for id in ids]
    write_fails(shop, platform, FaultKind.RATE_LIMIT, seconds=600)
    (told,) = await shop.deliver()
    assert (told.state, told.actor) == (DeliveryState.QUEUED, Actor.TIME)
    posts = shop.calls(platform, "POST")
    shop.clock.forward(minutes=9)
    assert await shop.deliver() == []
    assert shop.calls(platform, "POST") == posts, "the platform was asked in spite of its wait"
    shop.clock.forward(minutes=2)
    assert {each.state for each in await shop.deliver()} == {DeliveryState.POSTED}
    assert shop.texts(platform) == [first.text, second.text]


async def test_a_dead_token_keeps_the_reply_and_calls_for_a_person(shop: Street, platform: str) -> None:
    _, reply = await queued(shop, platform)
    shop.fail(platform, FaultKind.EXPIRED_TOKEN, times=-1)
    (told,) = await shop.deliver()
    assert (told.state, told.actor, told.news) == (DeliveryState.QUEUED, Actor.USER, True)
    shop.clock.forward(hours=2)
    (told,) = await shop.deliver()
    assert not told.news, "it was told already"
    shop.heal(platform)
    shop.clock.forward(hours=2)
    await shop.deliver()
    assert shop.texts(platform) == [reply.text]


async def test_a_missing_secret_keeps_the_reply_and_names_the_variable(
    shop: Street, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, reply = await queued(shop, platform)
    secrets = shop.emulator(platform).secrets()
    for name in secrets:
        monkeypatch.delenv(name)
    (told,) = await shop.deliver()
    assert told.state is DeliveryState.QUEUED, "nothing can have been posted"
    assert any(name in told.hint for name in secrets)
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    shop.clock.forward(hours=1)
    await shop.deliver()
    assert shop.texts(platform) == [reply.text]


async def test_killed_before_the_platform_had_it(shop: Street, platform: str) -> None:
    """The request is on its way for longer than the desk lives, and is never done."""
    _, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.SLOW, seconds=30)
    _kill_in_mid_send(shop, platform)
    assert shop.state(reply) is DeliveryState.SENDING
    assert shop.store.outbox.claim("another", lease_seconds=1) is None
    shop.clock.forward(minutes=6)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.UNKNOWN
    shop.clock.forward(minutes=3)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.POSTED
    assert shop.texts(platform) == [reply.text]


async def test_killed_after_the_platform_had_it(shop: Street, platform: str) -> None:
    _, reply = await queued(shop, platform)
    write_fails(shop, platform, FaultKind.SLOW, seconds=0.5)
    _kill_in_mid_send(shop, platform)
    until(lambda: bool(shop.texts(platform)))
    shop.clock.forward(minutes=6)
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.POSTED
    shop.clock.forward(minutes=6)
    await shop.deliver()
    assert shop.texts(platform) == [reply.text]


def _kill_in_mid_send(shop: Street, platform: str) -> None:
    # The process has the real time, which is behind the test's.
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET send_after = 0")
    before = shop.calls(platform, "POST")
    process = shop.start("send", "--quiet")
    until(lambda: shop.calls(platform, "POST") > before)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)


@pytest.mark.parametrize("seconds", [0.0, 0.3], ids=["answered at once", "answered late"])
async def test_one_sender_after_the_other_is_killed(shop: Street, platform: str, seconds: float) -> None:
    ids = [shop.write(platform, f"Rozbité, číslo {count}.") for count in range(3)]
    await shop.poll()
    replies = [shop.reply(platform, id, f"Omlouváme se, číslo {count}.") for count, id in enumerate(ids)]
    write_fails(shop, platform, FaultKind.SLOW, seconds=seconds, times=-1)
    # One that is answered at once may have sent several before it is killed.
    while DeliveryState.QUEUED in {shop.state(reply) for reply in replies}:
        _kill_in_mid_send(shop, platform)
    shop.heal(platform)
    # The test's minutes pass in no time; the platform's answer takes its own.
    until(lambda: len(shop.texts(platform)) == shop.calls(platform, "POST"))
    for _ in range(4):
        shop.clock.forward(minutes=6)
        await shop.deliver()
    assert {shop.state(reply) for reply in replies} == {DeliveryState.POSTED}
    assert sorted(shop.texts(platform)) == [reply.text for reply in replies]
    await shop.poll()
    assert {shop.state(reply) for reply in replies} == {DeliveryState.VISIBLE}
    assert all(shop.stored(platform, id).status is Status.ANSWERED for id in ids)
