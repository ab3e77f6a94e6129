from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from reviewdesk.connector import (
    AuthFailed,
    BadAnswer,
    ConnectorError,
    Kind,
    Mention,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unsupported,
)
from reviewdesk.sandbox import CustomerText, Fault, FaultKind

TEXT = "Dobrý den, omlouváme se.\nOzveme se."


async def _mention(world: Any, text: str = "Kde je balík?") -> Mention:
    written = world.write(text)
    await world.poll()
    found: Mention = world.mentions[written]
    return found


async def test_a_reply_stands_under_the_comment_and_the_customer_can_go_on(world: Any) -> None:
    mention = await _mention(world)
    posted = await world.connector().reply(mention, TEXT, "k")
    [reply] = world.emulator.shop_replies()
    assert (reply.id, reply.to, reply.text) == (posted.id, mention.id, TEXT)
    again = world.emulator.answer(reply, CustomerText(author="Jana Nováková", text="Děkuji", language="cs"))
    await world.poll()
    assert world.mentions[again].thread_id == mention.id
    assert all(not request.path.endswith(f"_{mention.id}") for request in world.emulator.requests), "the edit trap"


async def test_a_reply_to_a_nested_comment_goes_under_it_and_is_found_at_the_top_level(world: Any) -> None:
    top = await _mention(world)
    nested = world.emulator.shop.comment(top.parent_id, "I mně", "Eva", under=world.full_id(top.id))
    await world.poll()
    answer_to = world.mentions[nested.id.rpartition("_")[2]]
    posted = await world.connector().reply(answer_to, TEXT, "k")
    assert world.emulator.requests[-1].path.endswith(f"{nested.id}/comments")
    found = await world.connector().find_reply(answer_to, TEXT, world.clock.now)
    assert found is not None
    assert found.id == posted.id


async def test_a_visitors_post_is_answered_under_the_post(world: Any) -> None:
    post = world.emulator.shop.visit("Hrozné", "Petr")
    await world.poll()
    posted = await world.connector().reply(world.mentions[post.id], TEXT, "k")
    await world.poll()
    assert world.mentions[posted.id].thread_id == post.id
    assert (await world.connector().find_reply(world.mentions[post.id], TEXT, world.clock.now)) is not None


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.CUT])
async def test_a_lost_answer_is_unknown_and_the_reply_is_found_once(world: Any, kind: FaultKind) -> None:
    mention = await _mention(world)
    world.emulator.faults.append(Fault(kind=kind, match="POST"))
    with pytest.raises(OutcomeUnknown):
        await world.connector().reply(mention, TEXT, "k")
    found = await world.connector().find_reply(mention, TEXT.replace("\n", "\r\n") + " ", world.clock.now)
    assert found is not None
    assert [reply.id for reply in world.emulator.shop_replies()] == [found.id]
    sent = [request for request in world.emulator.requests if request.method == "POST"]
    assert len(sent) == 1


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.SERVER_ERROR, FaultKind.LOGIN_PAGE])
async def test_what_is_not_certain_is_unknown_and_not_found_where_it_was_not_posted(world: Any, kind: Any) -> None:
    mention = await _mention(world)
    world.emulator.faults.append(Fault(kind=kind, match="POST", status=503))
    with pytest.raises(OutcomeUnknown):
        await world.connector().reply(mention, TEXT, "k")
    assert await world.connector().find_reply(mention, TEXT, world.clock.now) is None


async def test_find_reply_heeds_time_author_and_words(world: Any) -> None:
    mention = await _mention(world)
    connector = world.connector()
    await connector.reply(mention, TEXT, "k")
    assert await connector.find_reply(mention, "Jiná slova", world.clock.now) is None
    assert await connector.find_reply(mention, TEXT, world.clock.now + timedelta(seconds=121)) is None
    assert await connector.find_reply(mention, TEXT, world.clock.now + timedelta(seconds=119)) is not None
    world.emulator.shop.comment(mention.parent_id, "Totéž", "Eva", under=world.full_id(mention.id))
    assert await connector.find_reply(mention, "Totéž", world.clock.now) is None


async def test_find_reply_looks_beyond_the_first_page(world: Any) -> None:
    mention = await _mention(world)
    started = world.clock.now
    posted = await world.connector().reply(mention, TEXT, "k")
    for number in range(60):
        world.clock.pass_by(seconds=1)
        world.emulator.shop.comment(mention.parent_id, f"křik {number}", "Eva", under=world.full_id(mention.id))
    found = await world.connector().find_reply(mention, TEXT, started)
    assert found is not None
    assert found.id == posted.id


@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "summary": {"total_count": 3}},
        {"data": [{"id": "1_9", "message": TEXT, "created_time": "2026-11-20T12:00:00+0000"}]},
    ],
    ids=["counted and not handed out", "our words by nobody"],
)
async def test_find_reply_never_guesses(scripted: Any, body: dict[str, Any]) -> None:
    connector = scripted(lambda request: httpx.Response(200, json=body))
    with pytest.raises(BadAnswer):
        await connector.find_reply(_comment(), TEXT, connector.context.clock())


@pytest.mark.parametrize(
    "answer", [{"success": True}, {}, {"id": ""}, {"id": "222_5"}, {"id": "999_5"}, [], True, None]
)
async def test_a_yes_without_a_new_id_is_not_a_reply(scripted: Any, answer: Any) -> None:
    connector = scripted(lambda request: httpx.Response(200, json=answer))
    with pytest.raises(OutcomeUnknown):
        await connector.reply(_comment(), TEXT, "k")


@pytest.mark.parametrize(
    ("code", "subcode", "status", "more", "expected"),
    [
        (1, 0, 500, {}, OutcomeUnknown),
        (1, 99, 400, {}, OutcomeUnknown),
        (1, 1446036, 400, {"is_transient": False, "error_user_title": "Spam"}, Refused),
        (1, 77, 400, {"is_transient": True}, OutcomeUnknown),
        (2, 0, 400, {"is_transient": True}, OutcomeUnknown),
        (4, 0, 400, {}, RateLimited),
        (10, 0, 403, {}, PermissionMissing),
        (100, 0, 400, {}, Refused),
        (100, 33, 400, {}, NotThere),
        (190, 463, 400, {}, AuthFailed),
        (200, 0, 403, {}, PermissionMissing),
        (283, 0, 400, {}, PermissionMissing),
        (368, 1390008, 400, {}, Refused),
        (506, 0, 400, {}, OutcomeUnknown),
        (1705, 0, 400, {}, AuthFailed),
        (80001, 0, 400, {}, RateLimited),
        (424242, 0, 400, {}, OutcomeUnknown),
        (424242, 0, 400, {"is_transient": True}, OutcomeUnknown),
    ],
)
async def test_a_refused_reply_is_told_apart_by_code(
    scripted: Any, code: int, subcode: int, status: int, more: dict[str, Any], expected: type[ConnectorError]
) -> None:
    sent = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        error = {"message": "words of Facebook", "type": "OAuthException", "code": code, **more}
        return httpx.Response(status, json={"error": {**error, "error_subcode": subcode} if subcode else error})

    with pytest.raises(expected) as refused:
        await scripted(answer).reply(_comment(), TEXT, "k")
    assert type(refused.value) is expected
    assert sent == 1


async def test_the_users_own_words_from_facebook_are_shown_and_never_the_token(scripted: Any) -> None:
    error = {"message": "bad EAABsecretOfTheTests", "code": 368, "error_user_title": "Zpomalte", "error_user_msg": "…"}
    with pytest.raises(Refused) as refused:
        await scripted(lambda request: httpx.Response(400, json={"error": error})).reply(_comment(), TEXT, "k")
    assert "Zpomalte" in str(refused.value)
    assert "24 hours" in str(refused.value)
    assert refused.value.until == datetime(2026, 11, 21, 12, 0, tzinfo=UTC), "nothing else is posted for a day"


async def test_an_error_inside_a_200_is_an_error(scripted: Any) -> None:
    connector = scripted(lambda request: httpx.Response(200, json={"error": {"code": 200, "message": "no"}}))
    with pytest.raises(PermissionMissing):
        await connector.reply(_comment(), TEXT, "k")


async def test_hide_unhide_like_unlike_edit_delete_twice(world: Any) -> None:
    mention = await _mention(world)
    connector = world.connector()
    comment = world.emulator.shop.comments[world.full_id(mention.id)]
    for _ in range(2):
        await connector.hide(mention, True)
        assert comment.hidden
    await connector.hide(mention, False)
    assert not comment.hidden
    for liked in (True, True, False, False):
        await connector.like(mention, liked)
        assert comment.liked is liked
    posted = await connector.reply(mention, TEXT, "k")
    edited = await connector.edit_reply(posted, "Opraveno")
    assert (edited.id, edited.text) == (posted.id, "Opraveno")
    assert [reply.text for reply in world.emulator.shop_replies()] == ["Opraveno"]
    assert comment.message == "Kde je balík?"
    await connector.delete_reply(edited)
    await connector.delete_reply(edited)
    assert list(world.emulator.shop_replies()) == []


async def test_a_hidden_comment_comes_back_marked(world: Any) -> None:
    mention = await _mention(world)
    await world.connector().hide(mention, True)
    world.clock.pass_by(hours=25)
    await world.poll()
    assert world.mentions[mention.id].hidden


async def test_a_yes_that_did_nothing_is_noticed(scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"success": True} if request.method == "POST" else {"is_hidden": False})

    with pytest.raises(Refused, match="did nothing"):
        await scripted(answer).hide(_comment(), True)


async def test_hiding_what_facebook_took_for_spam_already_counts_as_done(scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"is_hidden": True})
        return httpx.Response(400, json={"error": {"code": 1, "error_subcode": 1446036, "message": "duplicate"}})

    await scripted(answer).hide(_comment(), True)


async def test_a_private_reply_is_sent_once_however_often_it_is_asked_for(world: Any) -> None:
    mention = await _mention(world)
    world.emulator.faults.append(Fault(kind=FaultKind.LOST, match="/messages"))
    with pytest.raises(OutcomeUnknown):
        await world.connector().private_reply(mention, "Napište nám číslo", "k")
    with pytest.raises(Refused, match="already") as refused:
        await world.connector().private_reply(mention, "Napište nám číslo", "k")
    assert "inbox" in refused.value.hint, "nothing tells whether the first one was ours"
    assert [message.text for message in world.emulator.shop.messages] == ["Napište nám číslo"]


async def test_a_private_reply_after_seven_days_is_refused(world: Any) -> None:
    mention = await _mention(world)
    world.clock.pass_by(days=8)
    with pytest.raises(Refused, match="over"):
        await world.connector().private_reply(mention, "x", "k")


async def test_recommendations_are_answered_by_hand_unless_it_is_switched_on(world: Any) -> None:
    review = world.emulator.shop.recommend("Hrůza", "Oksana", positive=False)
    await world.poll()
    mention = world.mentions[review.story]
    assert mention.can_reply is False
    with pytest.raises(Unsupported, match="reply_to_ratings"):
        await world.connector().reply(mention, TEXT, "k")
    assert world.connector().reply_page(mention).endswith("/reviews")
    on = world.connector(reply_to_ratings=True)
    posted = await on.reply(mention, TEXT, "k")
    found = await on.find_reply(mention, TEXT, world.clock.now)
    assert found is not None
    assert found.id == posted.id
    world.clock.pass_by(minutes=61)
    await world.poll()
    assert (world.mentions[posted.id].thread_id, world.mentions[posted.id].ours) == (review.story, True)


async def test_a_recommendations_ids_are_tried_only_while_nothing_was_posted(scripted: Any) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.split("/")[2])
        code = 12 if len(asked) == 1 else 2
        return httpx.Response(400, json={"error": {"code": code, "message": "no"}})

    connector = scripted(answer, reply_to_ratings=True)
    review = Mention(id="10150", kind=Kind.REVIEW, raw={"open_graph_story": {"id": "10150"}, "reviewer": {"id": "9"}})
    with pytest.raises(OutcomeUnknown):
        await connector.reply(review, TEXT, "k")
    assert asked == ["10150", "1015550001_10150"]


@pytest.mark.parametrize("hostile", ["../me", "1/../../v25.0/me", "1?is_hidden=true&x=", "1#", "a b"])
async def test_an_id_cannot_lead_the_call_elsewhere(scripted: Any, hostile: str) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(400, json={"error": {"code": 100, "error_subcode": 33, "message": "gone"}})

    with pytest.raises(ConnectorError):
        await scripted(answer).reply(Mention(id=hostile, kind=Kind.COMMENT), TEXT, "k")
    for url in asked:
        assert url.raw_path.startswith(b"/v25.0/")
        assert url.raw_path.endswith(b"/comments")
        assert url.raw_path.count(b"/") == 3


def _comment() -> Mention:
    url = "https://www.facebook.com/1015550001/posts/222?comment_id=5"
    return Mention(id="5", kind=Kind.COMMENT, parent_id="1015550001_222", url=url)
