from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from reviewdesk.connector import AuthFailed, BadAnswer, Kind, PermissionMissing, RateLimited, Unreachable
from reviewdesk.sandbox import CustomerText, Fault, FaultKind
from reviewdesk_connectors.facebook.polling import LOOKUPS
from reviewdesk_connectors.facebook.state import MARKS

PAGE = "1015550001"


async def test_everything_the_public_wrote_arrives_once_with_its_place(world: Any) -> None:
    comment = world.write("Kde je můj balík? 😡")
    visitor = world.emulator.shop.visit("Третій тиждень без посилки!", "Олена")
    under_visitor = world.emulator.shop.comment(visitor.id, "Mně taky", "Petr")
    nested = world.emulator.shop.comment(
        world.emulator.shop.comments[world.full_id(comment)].post, "I mně!", "Eva", under=world.full_id(comment)
    )
    tagged = world.emulator.shop.tag("Byla jsem v @Shop Demo", "Zuzana")
    ad = world.emulator.shop.advertise("Výprodej")
    under_ad = world.emulator.shop.comment(ad.id, "Podvod", "Adam")
    review = world.emulator.shop.recommend("Ordered twice, both damaged.", "Oksana K.", positive=False)

    handed_over = await world.poll()

    assert len(handed_over) == len(world.mentions)
    assert set(world.customers) == {
        comment, visitor.id, _bare(under_visitor.id), _bare(nested.id), tagged.id, _bare(under_ad.id), review.story,
    }  # fmt: skip
    found = world.mentions
    assert found[comment].text == "Kde je můj balík? 😡"
    assert found[comment].author.name == "Jana Nováková"
    assert found[comment].thread_id == comment
    assert found[comment].parent_id in world.emulator.shop.posts
    assert found[comment].url.startswith(f"https://www.facebook.com/{PAGE}/posts/")
    assert (found[_bare(nested.id)].parent_id, found[_bare(nested.id)].thread_id) == (comment, comment)
    assert found[visitor.id].kind is Kind.POST
    assert found[_bare(under_visitor.id)].thread_id == visitor.id
    assert found[review.story].recommends is False
    assert found[review.story].rating is None
    assert found[review.story].rating_raw == "negative"
    assert found[ad.id].ours
    assert all(mention.created_at.tzinfo is not None for mention in found.values())


async def test_a_quiet_round_costs_one_call(world: Any) -> None:
    world.write("Dobrý den")
    await world.poll()
    before = len(world.emulator.requests)
    world.clock.pass_by(minutes=5)
    assert await world.poll() == []
    assert len(world.emulator.requests) - before == 1


async def test_a_new_comment_and_its_nested_answer_come_with_the_next_round(world: Any) -> None:
    first = world.write("Nefunguje to")
    await world.poll()
    world.clock.pass_by(minutes=5)
    post = world.emulator.shop.comments[world.full_id(first)].post
    answer = world.emulator.shop.comment(post, "Mně také ne", "Karel", under=world.full_id(first))
    assert [mention.id for mention in await world.poll()] == [_bare(answer.id)]


@pytest.mark.parametrize("batches", [2, 3, 5])
async def test_a_round_cut_after_a_few_batches_still_gets_to_the_end(world: Any, batches: int) -> None:
    posts = [post.id for post in world.emulator.shop.posts.values()]
    for number in range(120):
        world.clock.pass_by(seconds=1)
        world.emulator.shop.comment(posts[number % 2], f"text {number}", f"Author {number % 7}")
    world.emulator.shop.recommend("ok", "Ivan", positive=True)
    rounds = 0
    while True:
        rounds += 1
        rest = world.connector().poll(world.cursor)
        committed = 0
        async for batch in rest:
            if committed == batches:
                break
            world.commit(batch)
            committed += 1
        else:
            break
        await rest.aclose()
        assert rounds < 50
    assert len(world.customers) == 121


async def test_comments_deeper_than_the_page_that_was_committed_are_not_taken_for_known(world: Any) -> None:
    post = next(iter(world.emulator.shop.posts))
    for number in range(130):
        world.clock.pass_by(seconds=1)
        world.emulator.shop.comment(post, f"text {number}", "Jana")
    stopped = world.connector()
    async for batch in stopped.poll(None):
        world.commit(batch)
        if world.customers:
            break
    assert 0 < len(world.customers) < 130
    world.emulator.shop.comment(post, "the newest", "Jana")
    await world.poll()
    await world.poll()
    assert len(world.customers) == 131


async def test_an_edit_is_seen_within_a_day_and_an_unchanged_text_is_not_handed_over_again(world: Any) -> None:
    kept, edited = world.write("Beze změny"), world.write("Nejsem spokojená")
    await world.poll()
    world.emulator.shop.comments[world.full_id(edited)].message = "Už jsem spokojená"
    world.clock.pass_by(hours=25)
    fresh = {mention.id: mention.text for mention in await world.poll()}
    assert fresh == {edited: "Už jsem spokojená"}
    assert kept in world.mentions


async def test_a_deleted_comment_is_reported_gone_and_only_that(world: Any) -> None:
    kept, deleted = world.write("Zůstávám"), world.write("Mizím")
    await world.poll()
    world.emulator.shop.remove(world.full_id(deleted))
    world.clock.pass_by(minutes=5)
    await world.poll()
    assert world.gone == [deleted]
    world.clock.pass_by(hours=25)
    await world.poll()
    assert world.gone == [deleted]
    assert kept in world.customers


async def test_what_the_list_only_filters_is_not_gone(world: Any) -> None:
    shown, filtered = world.write("vidět"), world.write("skrytá")
    await world.poll()
    # The list leaves it out; asked for by itself it is there.
    comment = world.emulator.shop.comments[world.full_id(filtered)]
    post, comment.post = comment.post, "elsewhere_1"
    world.clock.pass_by(hours=25)
    await world.poll()
    assert world.gone == []
    assert post in world.emulator.shop.posts
    assert shown in world.customers


async def test_many_that_the_list_filters_do_not_hide_one_that_is_gone(world: Any) -> None:
    filtered = [world.write(f"skrytá {number}") for number in range(LOOKUPS + 5)]
    deleted, shown = world.write("mizí"), world.write("vidět")
    await world.poll()
    for each in filtered:
        world.emulator.shop.comments[world.full_id(each)].post = "elsewhere_1"
    world.emulator.shop.remove(world.full_id(deleted))
    for _ in range(30):  # which of them are asked for is chance
        world.clock.pass_by(hours=25)
        await world.poll()
        if world.gone:
            break
    assert world.gone == [deleted]
    assert shown in world.customers


async def test_a_deleted_post_is_gone_with_its_comments(world: Any) -> None:
    visitor = world.emulator.shop.visit("Hrozné", "Petr")
    under = world.emulator.shop.comment(visitor.id, "Souhlas", "Eva")
    await world.poll()
    world.emulator.shop.remove(visitor.id)
    world.clock.pass_by(minutes=61)
    await world.poll()
    assert set(world.gone) == {visitor.id, _bare(under.id)}


async def test_what_facebook_does_not_let_one_look_at_is_not_gone_and_stops_nothing(
    world: Any, monkeypatch: Any
) -> None:
    visitor = world.emulator.shop.visit("Hrozné", "Petr")
    vanished = world.write("Mizím")
    await world.poll()
    connector = world.connector()
    ask = connector._graph.get

    async def get(path: str, *rest: Any, **more: Any) -> Any:
        if path == visitor.id or path.endswith(f"_{vanished}"):
            raise PermissionMissing("Not this one.")
        return await ask(path, *rest, **more)

    monkeypatch.setattr(connector._graph, "get", get)
    for id in (visitor.id, world.full_id(vanished)):
        world.emulator.shop.remove(id)
    world.clock.pass_by(hours=25)
    later = world.write("Jsem tu také")
    await world.poll(connector)
    assert world.gone == []
    assert later in world.customers
    assert not [post for post in world.cursor["posts"].values() if post.get("unfinished")]


async def test_a_token_of_the_wrong_kind_is_no_reason_to_call_anything_gone(world: Any, monkeypatch: Any) -> None:
    world.emulator.shop.visit("Hrozné", "Petr")
    world.write("Taky hrozné")
    await world.poll()
    monkeypatch.setenv(next(iter(world.emulator.secrets())), world.emulator.person_token)
    world.clock.pass_by(hours=25)
    await world.poll()
    assert world.gone == []


async def test_counted_comments_that_are_never_handed_out_are_told_aloud(scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/feed"):
            summary = {"data": [], "summary": {"total_count": 4}}
            when = "2026-11-19T10:00:00+0000"
            rows = [{"id": f"{PAGE}_{n}", "created_time": when, "comments": summary} for n in range(1, 5)]
            return httpx.Response(200, json={"data": rows})
        return httpx.Response(200, json={"data": []})

    with pytest.raises(BadAnswer, match="hands out none"):
        async for _ in scripted(answer).poll(None):
            pass


async def test_our_own_replies_come_back_as_ours_under_the_id_that_reply_gave(world: Any) -> None:
    comment = world.write("Kde je balík?")
    await world.poll()
    connector = world.connector()
    posted = await connector.reply(world.mentions[comment], "Omlouváme se.", "k1")
    await world.poll()
    assert world.mentions[posted.id].ours
    assert world.mentions[posted.id].thread_id == comment


async def test_comments_without_authors_and_words_are_kept(world: Any) -> None:
    world.emulator.shop.authors_hidden = True
    post = next(iter(world.emulator.shop.posts))
    photo = {"type": "photo", "url": "https://www.facebook.com/photo.php?fbid=1", "media": {"image": {"src": "x"}}}
    sticker = world.emulator.shop.comment(post, "", "Nobody", attachment=photo)
    await world.poll()
    mention = world.mentions[_bare(sticker.id)]
    assert (mention.author, mention.text, mention.ours) == (None, "", False)
    assert mention.attachments[0].type == "photo"


async def test_one_poisonous_row_is_set_aside_once_and_stops_nothing(scripted: Any) -> None:
    good = {"id": "1_2", "message": "čitelné", "created_time": "2026-11-19T10:00:00+0000"}
    rows = [good, {"id": "1_3", "message": {"no": "text"}}, "no object", {"message": "neither id nor time"}, None, 7]
    connector = scripted(_page_of(rows))
    batches = [batch async for batch in connector.poll(None)]
    texts = [mention.text for batch in batches for mention in batch.mentions if mention.kind is Kind.COMMENT]
    assert texts == ["čitelné"]
    aside = [each for batch in batches for each in batch.set_aside]
    assert len(aside) == 5
    again = scripted(_page_of([*rows, {**good, "id": "1_9"}], total=9))
    assert [each async for batch in again.poll(batches[-1].cursor) for each in batch.set_aside] == []


async def test_half_an_emoji_does_not_lose_the_page(scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/comments"):
            return _page_of([])(request)
        text = r'{"data":[{"id":"1_2","message":"cut \ud83d","created_time":"2026-11-19T10:00:00+0000"}]}'
        return httpx.Response(200, content=text.encode())

    found = [mention async for batch in scripted(answer).poll(None) for mention in batch.mentions]
    assert [mention.text for mention in found if mention.kind is Kind.COMMENT] == ["cut \N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize("next_link", ["https://evil.example/v25.0/x?after=A2", "http://graph.facebook.com/?after=A2"])
async def test_a_next_link_is_never_followed_only_its_cursor_is_used(scripted: Any, next_link: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if not request.url.path.endswith("/comments"):
            return _page_of([])(request)
        if request.url.params.get("after") == "A2":
            return httpx.Response(200, json={"data": [_row(2)], "paging": {"cursors": {"after": "A3"}}})
        paging = {"cursors": {"before": "A1", "after": "A2"}, "next": next_link}
        return httpx.Response(200, json={"data": [], "paging": paging})

    found = [mention.id async for batch in scripted(answer).poll(None) for mention in batch.mentions]
    assert "2" in found
    assert {(request.url.scheme, request.url.host) for request in asked} == {("https", "graph.facebook.com")}


async def test_a_repeated_cursor_ends_the_list(scripted: Any) -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        if not request.url.path.endswith("/comments"):
            return _page_of([])(request)
        asked += 1
        paging = {"cursors": {"before": "A", "after": "A"}, "next": "https://graph.facebook.com/x?after=A"}
        return httpx.Response(200, json={"data": [_row(asked)], "paging": paging})

    async for _ in scripted(answer).poll(None):
        pass
    assert asked == 2


async def test_a_page_that_is_too_much_is_asked_for_in_smaller_pieces(scripted: Any) -> None:
    limits: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/comments"):
            return _page_of([])(request)
        limits.append(int(request.url.params["limit"]))
        if limits[-1] > 20:
            error = {"message": "Please reduce the amount of data", "type": "OAuthException", "code": 1}
            return httpx.Response(400, json={"error": error})
        return httpx.Response(200, json={"data": [_row(1)]})

    found = [mention.id async for batch in scripted(answer).poll(None) for mention in batch.mentions]
    assert limits == [50, 25, 12]
    assert "1" in found


async def test_neither_token_nor_proof_nor_paging_link_is_in_what_is_kept_or_in_any_address(world: Any) -> None:
    for number in range(60):
        world.write(f"text {number}")
    await world.poll()
    kept = json.dumps(world.cursor) + "".join(str(mention) for mention in world.mentions.values())
    assert world.emulator.token not in kept
    assert "access_token" not in kept
    assert all(world.emulator.token not in request.query for request in world.emulator.requests)
    assert any("after=" in request.query for request in world.emulator.requests)


async def test_signed_calls_and_a_token_as_a_parameter(world: Any, monkeypatch: Any) -> None:
    from reviewdesk.connector import Secret

    monkeypatch.setenv("FB_APP_SECRET", "app-secret-of-the-tests")
    world.emulator.app_secret = "app-secret-of-the-tests"
    with pytest.raises(BadAnswer, match="app_secret"):
        await world.poll()
    comment = world.write("Dobrý den")
    signed = {"app_secret": Secret("env:FB_APP_SECRET"), "token_in": "parameter"}
    await world.poll(**signed)
    posted = await world.connector(**signed).reply(world.mentions[comment], "Hezký den", "k")
    assert posted.id
    last = world.emulator.requests[-1]
    assert "authorization" not in last.headers
    assert b"access_token=" in last.body
    assert "access_token" not in last.query


async def test_nearly_spent_calls_stop_the_round_after_what_was_read(world: Any) -> None:
    world.emulator.shop.visit("Přišlo to rozbité", "Petr")
    world.write("Kde je balík?")
    world.emulator.usage, world.emulator.minutes = 97, 19
    connector = world.connector()
    with pytest.raises(RateLimited) as stop:
        await world.poll(connector)
    assert (stop.value.until - world.clock.now).total_seconds() == 19 * 60
    assert "Přišlo to rozbité" in world.customers.values()
    assert len(world.emulator.requests) == 1
    assert connector.context.budget.used == pytest.approx(0.97)
    assert connector.context.budget.until == stop.value.until
    world.emulator.usage = 10
    world.clock.pass_by(minutes=20)
    await world.poll()
    assert "Kde je balík?" in world.customers.values()


async def test_a_busy_page_leaves_the_slow_lists_for_later(world: Any) -> None:
    world.emulator.usage = 80
    await world.poll()
    assert not any(request.path.endswith(("ratings", "tagged", "ads_posts")) for request in world.emulator.requests)


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 15), (300, 5), (61, 2)])
async def test_a_refusal_for_too_many_calls_names_its_end(world: Any, seconds: float, minutes: int) -> None:
    world.write("x")
    world.emulator.faults.append(Fault(kind=FaultKind.RATE_LIMIT, match="/comments", seconds=seconds))
    with pytest.raises(RateLimited) as refused:
        await world.poll()
    wait = refused.value.until - refused.value.until.replace(second=0)
    assert wait.total_seconds() == 0
    assert (refused.value.until - world.clock.now).total_seconds() == minutes * 60
    await world.poll()
    assert "x" in world.customers.values()


async def test_a_dead_token_parks_the_source_and_keeps_the_cursor(world: Any) -> None:
    world.write("x")
    await world.poll()
    cursor = world.cursor
    world.emulator.faults.append(Fault(kind=FaultKind.EXPIRED_TOKEN, times=-1))
    with pytest.raises(AuthFailed, match="expired"):
        await world.poll()
    assert world.cursor == cursor


async def test_one_post_that_fails_does_not_starve_the_others(world: Any) -> None:
    broken, sound = list(world.emulator.shop.posts)[:2]
    world.emulator.shop.comment(broken, "later", "Jana")
    world.emulator.shop.comment(sound, "now", "Jana")
    world.emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, match=f"{broken}/comments", times=3, status=502))
    with pytest.raises(Unreachable):
        await world.poll()
    assert set(world.customers.values()) == {"now"}
    await world.poll()
    assert set(world.customers.values()) == {"now", "later"}


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.LOGIN_PAGE, FaultKind.DROPPED])
async def test_a_broken_answer_keeps_the_cursor_and_the_next_round_mends_it(world: Any, kind: FaultKind) -> None:
    world.write("x")
    world.emulator.faults.append(Fault(kind=kind, match="/comments", times=3))
    with pytest.raises((Unreachable, BadAnswer)):
        await world.poll()
    world.emulator.faults.clear()
    await world.poll()
    assert "x" in world.customers.values()


async def test_recommendations_fall_back_to_the_last_version_that_gives_them(world: Any) -> None:
    world.emulator.shop.recommend("Super", "Ivan", positive=True)
    await world.poll()
    assert "Super" in world.customers.values()
    asked = [request.path for request in world.emulator.requests if request.path.endswith("/ratings")]
    assert [path.split("/")[1] for path in asked] == ["v25.0", "v21.0"]
    world.clock.pass_by(minutes=61)
    world.emulator.requests.clear()
    await world.poll()
    asked = [request.path for request in world.emulator.requests if request.path.endswith("/ratings")]
    assert [path.split("/")[1] for path in asked] == ["v21.0"]


async def test_dead_recommendations_are_switched_off_told_and_tried_monthly(world: Any) -> None:
    world.emulator.ratings_up_to = ""
    await world.poll()
    assert "browser" in world.cursor["notices"]["ratings"]
    world.emulator.requests.clear()
    world.clock.pass_by(days=29)
    await world.poll()
    assert not any(request.path.endswith("/ratings") for request in world.emulator.requests)
    world.emulator.ratings_up_to = "v25.0"
    world.emulator.shop.recommend("Zase tu", "Ivan", positive=True)
    world.clock.pass_by(days=2)
    await world.poll()
    assert "Zase tu" in world.customers.values()
    assert "notices" not in world.cursor


async def test_marks_stay_few_while_a_large_discussion_is_read_and_nothing_is_missed(world: Any) -> None:
    def write(what: str, count: int) -> list[str]:
        people = (CustomerText(author=f"{what} {each}", text=f"{what} {each}", language="cs") for each in range(count))
        return [world.emulator.write(words) for words in people]

    async def most_marks() -> int:
        most = 0
        async for batch in world.connector().poll(world.cursor):
            world.commit(batch)
            most = max(most, *(len(post.get("known", ())) for post in world.cursor["posts"].values()))
        return most

    early = write("Early", 1500)
    assert await most_marks() <= 2 * MARKS
    world.clock.pass_by(days=1)
    # More than are kept, so that the marks of the first reading would be the first to go.
    late = write("Late", 2 * MARKS + 150)
    world.emulator.delete(early[-1])
    assert await most_marks() <= 3 * MARKS
    assert world.customers.keys() == {*early, *late}
    assert world.gone == [early[-1]]
    world.clock.pass_by(minutes=5)
    assert await world.poll() == []


async def test_a_quiet_post_leaves_the_watch_and_the_cursor_stays_small(world: Any) -> None:
    for number in range(40):
        world.emulator.shop.visit(f"post {number}", "Eva")
    await world.poll()
    world.clock.pass_by(days=60)
    await world.poll()
    assert world.cursor.get("posts", {}) == {}


@pytest.mark.parametrize("cursor", [{"version": 99}, {"posts": 5}, {"version": 1, "posts": {"a": {"known": [1]}}}, {}])
async def test_a_cursor_that_cannot_be_read_starts_anew(world: Any, cursor: dict[str, Any]) -> None:
    world.write("x")
    world.cursor = cursor
    await world.poll()
    assert "x" in world.customers.values()


def _bare(id: str) -> str:
    return id.rpartition("_")[2]


def _row(number: int) -> dict[str, Any]:
    return {"id": f"1_{number}", "message": f"text {number}", "created_time": "2026-11-19T10:00:00+0000"}


def _page_of(rows: list[Any], total: int = 5) -> Any:
    """A Page with one post that has these comments, and nothing else."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/feed"):
            post = {
                "id": f"{PAGE}_1",
                "created_time": "2026-11-19T09:00:00+0000",
                "from": {"id": int(PAGE), "name": "Shop Demo"},
                "comments": {"data": [], "summary": {"total_count": total}},
            }
            return httpx.Response(200, json={"data": [post]})
        return httpx.Response(200, json={"data": rows if request.url.path.endswith("/comments") else []})

    return answer
