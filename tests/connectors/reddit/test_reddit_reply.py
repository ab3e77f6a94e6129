"""Replies: never posted twice, and an unclear end is told as one."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from reviewdesk.connector import (
    AuthFailed,
    Mention,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    PostedReply,
    RateLimited,
    Refused,
    Unreachable,
)
from reviewdesk.sandbox import CustomerText, Fault, FaultKind
from reviewdesk_connectors.reddit import client as client_module


@pytest.fixture
async def complaint(make, emulator, store):
    """A connector, and a customer's comment that it has read."""
    name = emulator.write(CustomerText(author="jana_k", text="Kde je můj balík?", language="cs"))
    connector = make()
    await store.poll(connector)
    emulator.requests.clear()
    return connector, store.mentions[name]


def posts(emulator) -> int:
    return sum(seen.method == "POST" and seen.path == "/api/comment/" for seen in emulator.requests)


async def test_a_reply_is_posted_and_seen_at_the_next_poll(complaint, emulator, store):
    connector, mention = complaint
    text = "Dobrý den, *omlouváme se* & díky <3\n\nVáš obchod 🙂"
    reply = await connector.reply(mention, text, "key-1")
    [standing] = emulator.shop_replies()
    assert (standing.id, standing.to, standing.text) == (reply.id, mention.id, text)
    assert reply.text == text
    assert reply.visible
    assert reply.url.startswith("https://www.reddit.com/r/eshopy/")
    assert reply.posted_at == emulator.clock()
    await store.poll(connector)
    assert store.mentions[reply.id].ours
    assert store.mentions[reply.id].parent_id == mention.id


async def test_a_post_is_answered_too(make, emulator, store):
    name = emulator.write(CustomerText(author="jana_k", text="Kde je?", title="Balík", language="cs"))
    connector = make()
    await store.poll(connector)
    await connector.reply(store.mentions[name], "Dobrý den", "k")
    assert emulator.shop_replies()[0].to == name


async def test_a_customers_answer_comes_back(complaint, emulator, store):
    connector, mention = complaint
    await connector.reply(mention, "Omlouváme se.", "k")
    [standing] = emulator.shop_replies()
    angrier = emulator.answer(standing, CustomerText(author="jana_k", text="To nestačí!", language="cs"))
    await store.poll(connector)
    assert store.mentions[angrier].parent_id == standing.id


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.LOST, match="/api/comment/"),
        Fault(kind=FaultKind.CUT, match="/api/comment/"),
        Fault(kind=FaultKind.LOGIN_PAGE, match="/api/comment/"),
        *(Fault(kind=FaultKind.SERVER_ERROR, match="/api/comment/", status=status) for status in (408, 500, 503, 520)),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_an_unclear_end_is_sent_once_and_told_as_unknown(complaint, emulator, fault):
    connector, mention = complaint
    emulator.faults.append(fault)
    with pytest.raises(OutcomeUnknown):
        await connector.reply(mention, "Omlouváme se.", "k")
    assert posts(emulator) == 1


async def test_a_slow_server_ends_by_our_timeout_after_one_post(complaint, emulator, monkeypatch):
    monkeypatch.setenv("PRAWCORE_TIMEOUT", "600")
    monkeypatch.setattr(client_module, "TIMEOUT", (5.0, 0.3))
    connector, mention = complaint
    emulator.faults.append(Fault(kind=FaultKind.SLOW, match="/api/comment/", seconds=5))
    with pytest.raises(OutcomeUnknown, match="broke off"):
        await connector.reply(mention, "Omlouváme se.", "k")
    assert posts(emulator) == 1


async def test_the_timeouts_are_short_enough_for_a_thread_that_the_interpreter_waits_for():
    assert client_module.TIMEOUT == (5.0, 20.0)


async def test_a_refused_connection_is_certain_to_have_posted_nothing(make, running, emulator):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    connector = make(oauth_url=nobody)
    mention = await one_mention(make(), emulator)
    with pytest.raises(Unreachable, match="No connection"):
        await connector.reply(mention, "Omlouváme se.", "k")


async def one_mention(connector, emulator) -> Mention:
    name = emulator.write(CustomerText(author="jana_k", text="Kde je?", language="cs"))
    return {each.id: each async for batch in connector.poll(None) for each in batch.mentions}[name]


async def test_a_token_that_cannot_be_had_is_certain_to_have_posted_nothing(make, emulator):
    mention = await one_mention(make(), emulator)
    fresh = make(
        username="desk_shop",
        password=None,
        refresh_token=emulator.REFRESH_TOKEN,
        oauth_url=make().config.oauth_url + "/",
    )
    emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, match="/access_token", status=503))
    with pytest.raises(Unreachable):
        await fresh.reply(mention, "Omlouváme se.", "k")
    assert posts(emulator) == 0


async def test_a_lost_reply_is_found_and_one_that_never_was_is_not(complaint, emulator, clock):
    connector, mention = complaint
    since = clock.now
    emulator.faults.append(Fault(kind=FaultKind.LOST, match="/api/comment/"))
    with pytest.raises(OutcomeUnknown):
        await connector.reply(mention, "Omlouváme  se.\r\nObchod", "k")
    clock.go_on(minutes=1)
    found = await connector.find_reply(mention, "Omlouváme se.\nObchod", since)
    assert found is not None
    assert found.id == emulator.shop_replies()[0].id
    assert await connector.find_reply(mention, "Něco jiného", since) is None
    assert await connector.find_reply(mention, "Omlouváme se.\nObchod", since + timedelta(hours=1)) is None


async def test_find_reply_reads_as_many_pages_as_the_time_wants(complaint, emulator, clock):
    connector, mention = complaint
    since = clock.now
    emulator.comment("desk_shop", "Omlouváme se.", mention.id)
    other = emulator.write(CustomerText(author="petr", text="jiné", language="cs"))
    for number in range(150):
        emulator.comment("desk_shop", f"Odpověď {number}", other)
    assert await connector.find_reply(mention, "Omlouváme se.", since) is not None


async def test_the_same_words_under_another_mention_are_not_the_reply(complaint, emulator, clock):
    connector, mention = complaint
    other = emulator.write(CustomerText(author="petr", text="jiné", language="cs"))
    emulator.comment("desk_shop", "Omlouváme se.", other)
    emulator.comment("nekdo_jiny", "Omlouváme se.", mention.id)
    assert await connector.find_reply(mention, "Omlouváme se.", clock.now) is None


async def test_a_reply_that_reddit_does_not_show_is_unknown_and_then_found(complaint, emulator, clock):
    connector, mention = complaint
    emulator.hide_next_reply()
    with pytest.raises(OutcomeUnknown, match="did not show it"):
        await connector.reply(mention, "Omlouváme se.", "k")
    assert posts(emulator) == 1
    assert await connector.find_reply(mention, "Omlouváme se.", clock.now) is not None


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        ("THREAD_LOCKED", "Comments are locked.", Refused),
        ("TOO_OLD", "that's a piece of history now", Refused),
        ("BANNED_FROM_SUBREDDIT", "you aren't allowed to post there.", Refused),
        ("DELETED_COMMENT", "that comment has been deleted", NotThere),
        ("DELETED_LINK", "the link you are commenting on has been deleted", NotThere),
        ("USER_REQUIRED", "Please log in to do that.", AuthFailed),
        ("SOMETHING_NEW", "a code of tomorrow", Refused),
    ],
)
async def test_an_error_inside_a_200_is_told_by_its_code_with_reddits_words(complaint, emulator, code, words, error):
    connector, mention = complaint
    emulator.refuse(code, words)
    with pytest.raises(error, match=code) as caught:
        await connector.reply(mention, "Omlouváme se.", "k")
    assert words in str(caught.value)
    assert posts(emulator) == 1
    assert not emulator.shop_replies()


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Looks like you've been doing that a lot. Take a break for 3 minutes before trying again.", 180),
        ("you are doing that too much. try again in 1 second.", 1),
        ("you are doing that too much. try again in 2 hours.", 7200),
        ("Take a break for 850 milliseconds before trying again.", 0.85),
        ("you are doing that too much.", None),
    ],
)
async def test_doing_that_too_much_is_one_post_and_a_time(complaint, emulator, clock, words, seconds):
    connector, mention = complaint
    emulator.refuse("RATELIMIT", words, "ratelimit")
    with pytest.raises(RateLimited) as caught:
        await connector.reply(mention, "Omlouváme se.", "k")
    assert caught.value.until == (None if seconds is None else clock.now + timedelta(seconds=seconds))
    assert posts(emulator) == 1
    assert not emulator.shop_replies()


async def test_too_long_and_deleted_are_refused_by_the_platform_itself(complaint, emulator):
    connector, mention = complaint
    with pytest.raises(Refused, match="TOO_LONG"):
        await connector.reply(mention, "x" * 10_001, "k")
    emulator.delete(mention.id)
    with pytest.raises(NotThere, match="DELETED_COMMENT"):
        await connector.reply(mention, "x", "k")


async def test_a_reply_is_edited_and_deleted(complaint, emulator, store):
    connector, mention = complaint
    reply = await connector.reply(mention, "Omlouvame se.", "k")
    better = await connector.edit_reply(reply, "Omlouváme se.")
    assert (better.id, better.text) == (reply.id, "Omlouváme se.")
    assert emulator.shop_replies()[0].text == "Omlouváme se."
    await connector.delete_reply(reply)
    await connector.delete_reply(reply)
    assert not emulator.shop_replies()


async def test_a_reply_without_an_id_cannot_be_changed(complaint):
    connector, _ = complaint
    with pytest.raises(NotThere, match="not known"):
        await connector.edit_reply(PostedReply(id=""), "x")


async def test_without_an_account_nothing_is_sent(make, emulator):
    mention = await one_mention(make(), emulator)
    emulator.requests.clear()
    connector = make(username=None, password=None)
    for call in (connector.reply(mention, "x", "k"), connector.find_reply(mention, "x", mention.created_at)):
        with pytest.raises(PermissionMissing, match="Nobody is signed in"):
            await call
    assert not emulator.requests


async def test_an_expired_token_is_renewed_at_once_and_the_reply_posted_once(complaint, emulator):
    connector, mention = complaint
    emulator.faults.append(Fault(kind=FaultKind.EXPIRED_TOKEN, match="/api/comment/"))
    await connector.reply(mention, "Omlouváme se.", "k")
    assert len(emulator.shop_replies()) == 1


async def test_a_token_refused_again_is_told(complaint, emulator):
    connector, mention = complaint
    emulator.faults.append(Fault(kind=FaultKind.EXPIRED_TOKEN, match="/api/comment/", times=-1))
    with pytest.raises(AuthFailed):
        await connector.reply(mention, "Omlouváme se.", "k")
    assert posts(emulator) == 2
    assert not emulator.shop_replies()
