"""The guard on emulated platforms: what is read again there holds a reply, and changes nothing that was known."""

from __future__ import annotations

import pytest

from reviewdesk.desk import deliver as delivering
from reviewdesk.desk.respond import Respond
from reviewdesk.model import DeliveryState, What
from reviewdesk.sandbox import CustomerText, FaultKind
from tests.flows.street import Street

PLATFORMS = ("facebook", "reddit")
pytestmark = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture
def shop(street, platform) -> Street:
    return street(platform)


def whole_id(shop: Street, platform: str, id: str) -> str:
    comments = shop.emulator("facebook").shop.comments if platform == "facebook" else {}
    return next((key for key in comments if key.endswith(f"_{id}")), id)


def shop_answers(shop: Street, platform: str, id: str) -> None:
    emulator = shop.emulator(platform)
    if platform == "facebook":
        target = emulator.shop.found(whole_id(shop, platform, id))
        emulator.shop.add_comment(
            target.post, "Už jsme volali.", emulator.shop.owner, under=target.id, target=target.id
        )
    else:
        emulator.comment(emulator.ACCOUNT, "Už jsme volali.", id)


def customer_edits(shop: Street, platform: str, id: str) -> None:
    emulator = shop.emulator(platform)
    if platform == "facebook":
        emulator.shop.found(whole_id(shop, platform, id)).message = "Už to mám, díky."
    else:
        emulator.edit(id, "Už to mám, díky.")


def goes_on(shop: Street, platform: str, id: str, author: str, text: str) -> str:
    emulator = shop.emulator(platform)
    if platform == "reddit":
        return emulator.comment(author, text, id)
    target = emulator.shop.found(whole_id(shop, platform, id))
    return emulator.shop.comment(target.post, text, author, under=target.id).id.rpartition("_")[2]


def customer_writes_again(shop: Street, platform: str, id: str) -> None:
    goes_on(shop, platform, id, "Jana Nováková", "Haló?")


def customer_deletes(shop: Street, platform: str, id: str) -> None:
    emulator = shop.emulator(platform)
    if platform == "facebook":
        emulator.shop.remove(whole_id(shop, platform, id))
    else:
        emulator.delete(id)


@pytest.mark.parametrize(
    ("happen", "what"),
    [
        (shop_answers, What.ANSWERED),
        (customer_edits, What.EDITED),
        (customer_writes_again, What.WROTE_AGAIN),
        (customer_deletes, What.GONE),
    ],
)
async def test_what_happened_since_the_last_poll_holds_the_reply(shop: Street, platform: str, happen, what) -> None:
    id = shop.write(platform)
    await shop.poll()
    reply = shop.reply(platform, id)
    happen(shop, platform, id)
    standing = shop.texts(platform)
    (told,) = await shop.deliver()
    assert told.state is DeliveryState.HELD, told
    assert [each.what for each in shop.store.outbox.get(reply.id).changes] == [what]
    assert shop.texts(platform) == standing
    if what is What.GONE:
        return
    Respond(shop.store, "jana", shop.config).release(shop.store.outbox.get(reply.id))
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert shop.texts(platform).count(reply.text) == 1


async def test_reading_again_changes_nothing_that_was_known(shop: Street, platform: str) -> None:
    id = shop.write(platform)
    other = shop.write(platform, "Mně taky nic nepřišlo.", author="Petr Dvořák")
    customer_writes_again(shop, platform, id)
    await shop.poll()

    def known() -> list[tuple[object, ...]]:
        return shop.store.db.conn.execute(
            """SELECT platform_id, thread_id, parent, version, content_hash, facts_hash, author_id, url FROM mention
               WHERE ours = 0 ORDER BY platform_id"""
        ).fetchall()

    before = known()
    shop.reply(platform, id)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert known() == before
    await shop.poll()
    assert known() == before
    assert shop.stored(platform, other).version == 1


async def test_a_nested_mention_is_guarded_too(shop: Street, platform: str) -> None:
    id = shop.write(platform)
    customer_writes_again(shop, platform, id)
    await shop.poll()
    nested = next(
        key for (key,) in shop.store.db.conn.execute("SELECT platform_id FROM mention WHERE text = 'Haló?'").fetchall()
    )
    shop.reply(platform, nested)
    customer_edits(shop, platform, nested)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.HELD]


async def test_a_reply_without_news_is_posted_once_and_seen(shop: Street, platform: str) -> None:
    id = shop.write(platform)
    await shop.poll()
    reply = shop.reply(platform, id)
    await shop.deliver()
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE
    assert shop.texts(platform) == [reply.text]


async def test_a_request_that_comes_too_late_is_kept_back(
    shop: Street, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine slept between the look at the lease and the request."""
    id = shop.write(platform)
    await shop.poll()
    reply = shop.reply(platform, id)
    posts = shop.calls(platform, "POST")
    with monkeypatch.context() as asleep:
        asleep.setattr(delivering, "_LATEST_DEPARTURE", -1.0)
        (told,) = await shop.deliver()
    assert told.state is DeliveryState.QUEUED
    assert "held up" in told.fault
    assert shop.calls(platform, "POST") == posts, "nothing has left"
    shop.clock.forward(minutes=5)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert shop.texts(platform) == [reply.text]


async def test_a_comment_elsewhere_under_the_post_holds_only_where_answers_do_not_branch(
    shop: Street, platform: str
) -> None:
    id = shop.write(platform)
    await shop.poll()
    shop.reply(platform, id)
    shop.write(platform, "A ještě tohle.")
    await shop.poll()
    expected = DeliveryState.HELD if platform == "facebook" else DeliveryState.POSTED
    assert [each.state for each in await shop.deliver()] == [expected]


async def test_what_the_customer_writes_beside_under_our_reply_holds(shop: Street, platform: str) -> None:
    """Both stand under the shop's first reply; Reddit is asked for what is below that, too."""
    id = shop.write(platform)
    await shop.poll()
    shop.reply(platform, id)
    await shop.deliver()
    (ours,) = shop.emulator(platform).shop_replies()
    words = CustomerText(author="Jana Nováková", text="To nestačí.", language="cs")
    nested = shop.emulator(platform).answer(ours, words)
    await shop.poll()
    second = shop.reply(platform, nested, "Napíšeme vám.")
    shop.emulator(platform).answer(ours, CustomerText(author="Jana Nováková", text="Haló?", language="cs"))
    assert [each.state for each in await shop.deliver()] == [DeliveryState.HELD]
    assert [each.after.rpartition("\n")[2] for each in shop.store.outbox.get(second.id).changes] == ["Haló?"]


async def test_what_is_below_a_deleted_comment_is_read_too(shop: Street, platform: str) -> None:
    id = shop.write(platform)
    await shop.poll()
    shop.reply(platform, id)
    between = goes_on(shop, platform, id, "Petr Dvořák", "Mně taky.")
    goes_on(shop, platform, between, "Jana Nováková", "Už to přišlo.")
    customer_deletes(shop, platform, between)
    assert [each.state for each in await shop.deliver()] == [DeliveryState.HELD]


async def test_the_same_words_in_one_thread_are_nobody_elses(shop: Street, platform: str) -> None:
    """Of two unclear replies of the same words one had arrived: Facebook shows both beside one another, and the reply
    that was lost counted as posted.
    """
    first = shop.write(platform)
    second = goes_on(shop, platform, first, "Petr Dvořák", "Mně taky.")
    await shop.poll()
    lost = shop.reply(platform, second, "Omlouváme se.")
    post = "POST /v25.0" if platform == "facebook" else "POST /api/comment"
    shop.fail(platform, FaultKind.DROPPED, post)
    await shop.deliver()
    arrived = shop.reply(platform, first, "Omlouváme se.")
    shop.fail(platform, FaultKind.LOST, post)
    await shop.deliver()
    assert shop.texts(platform) == ["Omlouváme se."]
    for _ in range(3):
        shop.clock.forward(minutes=3)
        await shop.deliver()
        await shop.poll()
    if platform == "facebook":
        # Whose words they are nobody can tell but a person.
        assert shop.state(lost) is DeliveryState.UNKNOWN
        agent = Respond(shop.store, "jana", shop.config)
        for reply, posted in ((lost, False), (arrived, True)):
            if shop.state(reply) is DeliveryState.UNKNOWN:
                agent.settle(shop.store.outbox.get(reply.id), posted)
        await shop.deliver()
    standing = sorted(each.to for each in shop.emulator(platform).shop_replies())
    assert standing == sorted({first, second})
    assert {shop.state(lost), shop.state(arrived)} <= {DeliveryState.POSTED, DeliveryState.VISIBLE}
