"""Polling: politeness, paging, cursors that lose nothing, what is gone and what only seems so, secrets."""

import json
import logging
import tempfile
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from reviewdesk.config import check_settings, load
from reviewdesk.connector import BadAnswer, ConnectorError, Level, NotThere, RateLimited, Unreachable
from reviewdesk_connectors.feed.settings import FeedSettings

URL = "https://portal.example/export"
TABLE = {"url": URL, "format": "json", "fields": {"id": "id", "text": "text", "reply": "reply"}}


def items(*ids, **more) -> list[dict]:
    return [{"id": each, "text": f"text of {each}", **more} for each in ids]


def answer(found, status=200, **headers) -> httpx.Response:
    return httpx.Response(
        status, json=found, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


class Portal:
    """Gives the answers it is told, in order (the last one again and again), and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, Exception):
            raise told
        return told


# Politeness


async def test_validators_go_back_as_they_came_and_304_says_nothing_new(feed, poll):
    portal = Portal(answer(items(1), etag='W/"a"', last_modified="Mon, 23 Nov 2026 09:00:00 GMT"), httpx.Response(304))
    source = feed(TABLE, portal)
    first = await poll(source)
    second = await poll(source, first.cursor)
    third = await poll(source, second.cursor)
    assert (first.ids, second.ids, third.ids) == (["1"], [], [])
    for request in portal.seen[1:]:
        assert request.headers["if-none-match"] == 'W/"a"'
        assert request.headers["if-modified-since"] == "Mon, 23 Nov 2026 09:00:00 GMT"


async def test_validators_are_kept_only_after_the_items(feed):
    portal = Portal(answer(items(*range(1200)), etag='"a"'))
    batches = [batch async for batch in feed(TABLE, portal).poll(None)]
    assert [batch.cursor is None for batch in batches] == [True, True, False]


async def test_other_settings_read_the_feed_anew(feed, poll):
    portal = Portal(answer(items(1), etag='"a"'))
    cursor = (await poll(feed(TABLE, portal))).cursor
    await poll(feed({**TABLE, "fields": {"id": "id", "title": "text"}}, portal), cursor)
    assert "if-none-match" not in portal.seen[1].headers


async def test_a_cursor_of_another_version_is_a_fresh_start(feed, poll):
    assert (await poll(feed(TABLE, Portal(answer(items(1)))), {"settings": 7, "page": []})).ids == ["1"]


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [({"cache_control": "public, max-age=600"}, 10), ({"cache_control": "max-age=99999999"}, 60),
     ({"retry_after": "120"}, 2), ({"cache_control": "no-cache, max-age=600"}, 0)],
)  # fmt: skip
async def test_a_feed_that_wants_quiet_gets_it_in_measure(feed, poll, clock, headers, minutes):
    portal = Portal(answer(items(1), **headers))
    source = feed(TABLE, portal)
    cursor = (await poll(source)).cursor
    clock.pass_by(minutes=minutes, seconds=-1)
    assert (await poll(source, cursor)).batches == [] or not minutes
    clock.pass_by(seconds=1)
    assert (await poll(source, cursor)).ids == ["1"]


async def test_rss_ttl_is_minutes(feed, poll, clock):
    body = b'<rss version="2.0"><channel><title>t</title><ttl>30</ttl><item><guid>1</guid></item></channel></rss>'
    source = feed({"url": URL}, Portal(httpx.Response(200, content=body)))
    cursor = (await poll(source)).cursor
    clock.pass_by(minutes=29)
    assert (await poll(source, cursor)).batches == []
    clock.pass_by(minutes=-120)  # the clock was wrong, and has been set back
    assert len((await poll(source, cursor)).batches) == 1


@pytest.mark.parametrize(
    ("told", "error"),
    [(httpx.Response(410), NotThere), (httpx.Response(404), NotThere), (httpx.Response(500), Unreachable),
     (httpx.ConnectError("x"), Unreachable), (httpx.Response(429, headers={"retry-after": "9"}), RateLimited)],
)  # fmt: skip
async def test_what_goes_wrong_is_told_apart(feed, poll, told, error):
    with pytest.raises(error) as caught:
        await poll(feed(TABLE, Portal(told)))
    if isinstance(told, httpx.Response) and told.status_code == 410:
        assert "for good" in caught.value.sentence


async def test_a_full_disk_is_told_as_that_and_is_no_fault_of_the_connector(feed, poll, monkeypatch):
    class Full(tempfile.SpooledTemporaryFile):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Full)
    with pytest.raises(ConnectorError, match="No space left on device") as caught:
        await poll(feed(TABLE, Portal(answer(items(1)))))
    assert "Make room" in caught.value.hint


async def test_a_feed_that_moved_for_good_is_asked_there_from_then_on(feed, poll):
    def portal(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        if request.url.path == "/export":
            return httpx.Response(301, headers={"location": "https://portal.example/new?v=2&key=hidden-key-1"})
        return answer(items(1))

    seen: list[str] = []
    source = feed(TABLE, portal)
    cursor = (await poll(source)).cursor
    assert "hidden-key-1" not in json.dumps(cursor)
    await poll(source, cursor)
    assert seen[-1] == "https://portal.example/new?v=2"


@pytest.mark.parametrize(
    "dead",
    [
        httpx.Response(404),
        httpx.Response(410),
        httpx.Response(401),
        httpx.Response(200, text="<html>For sale</html>"),
        httpx.ConnectError("no such host"),
    ],
    ids=["404", "410", "401", "another page", "unreachable"],
)
async def test_a_new_address_that_dies_is_forgotten(feed, poll, dead):
    def portal(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        if request.url.path == "/export":
            return httpx.Response(301, headers={"location": "/new"}) if moved else answer(items(1, 2), etag='"b"')
        assert request.headers.get("if-none-match") in (None, '"a"')
        if moved:
            return answer(items(1), etag='"a"')
        if isinstance(dead, Exception):
            raise dead
        return dead

    seen: list[str] = []
    moved = True
    source = feed(TABLE, portal)
    cursor = (await poll(source)).cursor
    moved = False
    again = await poll(source, cursor)
    assert "2" in again.ids
    assert seen[-1] == "/export"
    seen.clear()
    await poll(source, again.cursor)
    assert seen == ["/export"]


async def test_http_may_become_https_but_another_host_is_not_followed(feed, poll):
    def portal(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "http":
            return httpx.Response(302, headers={"location": target})
        return answer(items(1))

    table = {**TABLE, "url": "http://portal.example/x"}
    target = "https://portal.example/x"
    assert (await poll(feed(table, portal))).ids == ["1"]
    target = "https://evil.example/x"
    with pytest.raises(BadAnswer, match=r"evil\.example"):
        await poll(feed(table, portal))
    assert (await poll(feed({**table, "hosts": ["evil.example"]}, portal))).ids == ["1"]


async def test_the_time_of_the_last_poll_stands_in_the_address_with_overlap(feed, poll, clock):
    portal = Portal(answer(items(1)))
    source = feed(
        {**TABLE, "url": URL + "?from={since_epoch}&d={since_date}&t={since_iso}", "overlap_hours": 2}, portal
    )
    cursor = (await poll(source)).cursor
    assert portal.seen[0].url.params["from"] == "0"
    clock.pass_by(minutes=5)
    await poll(source, cursor)
    since = str(int(datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()))
    assert dict(portal.seen[1].url.params) == {"from": since, "d": "2026-11-23", "t": "2026-11-23T10:00:00Z"}


# Paging


def paged(style: str, per: int = 2, total: int = 5):
    """A portal with pages of every style over the ids 0 to `total` - 1."""

    def portal(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        start = int(asked.get("start", 0)) if style in ("offset",) else int(asked.get("c", 0))
        if style == "page":
            start = (int(asked["page"]) - 1) * per
        shown = list(range(total))[start : start + per]
        more = start + per < total
        link = f"?c={start + per}&key=portal-secret" if more else ""
        found = {"list": items(*shown), "next": link or None, "cursor": str(start + per) if more else ""}
        return httpx.Response(200, json=found, headers={"link": f'<{link}>; rel="next"; title="x"'} if more else {})

    return portal


PAGED = {
    "page": {"style": "page"},
    "offset": {"style": "offset", "parameter": "start"},
    "cursor": {"style": "cursor", "parameter": "c", "next": "cursor"},
    "link": {"style": "link"},
    "next": {"style": "next", "next": "next"},
}


@pytest.mark.parametrize("style", PAGED)
async def test_every_style_of_paging_reads_everything_once(feed, poll, style):
    table = {**TABLE, "items": "list", "paging": PAGED[style]}
    told = await poll(feed(table, paged(style)))
    assert told.ids == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("style", PAGED)
async def test_a_poll_that_was_killed_goes_on_from_any_of_its_cursors(feed, poll, style, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "portal-secret")
    table = {**TABLE, "items": "list", "paging": PAGED[style], "secret": "env:PORTAL_KEY", "secret_in": "query:key"}
    whole = await poll(feed(table, paged(style)))
    cursors = [batch.cursor for batch in whole.batches]
    assert None not in cursors
    for number, cursor in enumerate(cursors[:-1]):
        assert "portal-secret" not in json.dumps(cursor)
        assert (await poll(feed(table, paged(style)), cursor)).ids == whole.ids[2 * (number + 1) :]


async def test_a_page_that_has_expired_begins_anew(feed, poll):
    def portal(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("c") == "old":
            return httpx.Response(400)
        return answer({"list": items(1), "cursor": None})

    source = feed({**TABLE, "items": "list", "paging": PAGED["cursor"]}, portal)
    cursor = (await poll(source)).cursor
    assert (await poll(source, {**cursor, "place": {"cursor": "old"}, "pages": 1})).ids == ["1"]


@pytest.mark.parametrize("paging", [PAGED["page"], PAGED["cursor"], PAGED["next"]])
async def test_pages_that_repeat_themselves_come_to_an_end(feed, poll, paging, caplog):
    portal = Portal(answer({"list": items(1, 2), "cursor": "again", "next": "/export?c=again"}))
    told = await poll(feed({**TABLE, "items": "list", "paging": paging}, portal))
    assert len(portal.seen) <= 3
    assert set(told.ids) == {"1", "2"}
    assert "repeat" in caplog.text


async def test_pages_without_end_stop_at_the_limit(feed, poll, caplog):
    def portal(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return answer(items(number))

    told = await poll(feed({**TABLE, "paging": {"style": "page", "max_pages": 4, "first": 0}}, portal))
    assert told.ids == ["0", "1", "2", "3"]
    assert "4 pages" in caplog.text


async def test_a_paging_link_never_leads_the_key_away(feed, poll, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "portal-secret")
    portal = Portal(answer({"list": items(1), "next": "https://evil.example/?c=2"}))
    table = {
        **TABLE,
        "items": "list",
        "paging": PAGED["next"],
        "secret": "env:PORTAL_KEY",
        "secret_in": "header:X-Api-Key",
    }
    with pytest.raises(BadAnswer, match=r"evil\.example"):
        await poll(feed(table, portal))
    assert [request.url.host for request in portal.seen] == ["portal.example"]


async def test_json_feed_is_followed_into_the_past_at_the_first_poll_only(feed, poll):
    def portal(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        found = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": str(page), "content_text": "x"}]}
        return answer(found | ({"next_url": f"{URL}?page={page + 1}"} if page < 3 else {}))

    source = feed({"url": URL}, portal)
    first = await poll(source)
    assert first.ids == ["1", "2", "3"]
    assert (await poll(source, first.cursor)).ids == ["1"]


async def test_reading_ends_at_what_was_there_at_the_last_poll(feed, poll):
    state = list(range(10))

    def portal(request: httpx.Request) -> httpx.Response:
        start = (int(request.url.params["page"]) - 1) * 3
        return answer(items(*state[::-1][start : start + 3]))

    source = feed({**TABLE, "paging": PAGED["page"], "stop_when_known": True}, portal)
    first = await poll(source)
    assert len(first.ids) == 10
    state += [10, 11, 12, 13]
    second = await poll(source, first.cursor)
    assert second.ids == ["13", "12", "11", "10", "9"]
    assert (await poll(source, second.cursor)).ids == ["13"]


# What is gone


async def test_what_falls_out_of_a_window_is_not_gone(feed, poll):
    source = feed(TABLE, Portal(answer(items(1, 2)), answer(items(2, 3)), answer([])))
    cursor = (await poll(source)).cursor
    for _ in range(2):
        told = await poll(source, cursor)
        assert told.gone == []


async def test_what_vanishes_from_a_complete_feed_is_gone(feed, poll):
    source = feed({**TABLE, "complete": True}, Portal(answer(items(1, 2, 3)), answer(items(2, 3)), answer(items(3, 4))))
    first = await poll(source)
    second = await poll(source, first.cursor)
    third = await poll(source, second.cursor)
    assert (first.gone, second.gone, third.gone) == ([], ["1"], ["2"])


@pytest.mark.parametrize("left", [[], [0]])
async def test_a_complete_feed_that_lost_nearly_everything_is_not_believed(feed, left):
    source = feed({**TABLE, "complete": True}, Portal(answer(items(*range(20))), answer(items(*left), etag='"x"')))
    cursor = [batch async for batch in source.poll(None)][-1].cursor
    seen = []

    async def read() -> None:
        async for batch in source.poll(cursor):
            seen.append(batch)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(BadAnswer, match="vanished"):
        await read()
    assert [mention.id for batch in seen for mention in batch.mentions] == [str(each) for each in left]
    assert not any(batch.gone or batch.cursor for batch in seen)


async def test_nothing_is_gone_while_something_could_not_be_read(feed, poll):
    broken = [{"text": "an id that is missing today"}, *items(2, 3)]
    source = feed({**TABLE, "complete": True}, Portal(answer(items(1, 2, 3)), answer(broken), answer(items(2, 3))))
    cursor = (await poll(source)).cursor
    second = await poll(source, cursor)
    assert second.gone == []
    assert (await poll(source, second.cursor)).gone == ["1"]


# Files


async def test_a_file_is_read_when_it_has_changed(feed, poll, tmp_path):
    path = tmp_path / "reviews.json"
    table = {**TABLE, "file": str(path)}
    del table["url"]
    source = feed(table)
    with pytest.raises(NotThere, match="no file"):
        await poll(source)
    path.write_text(json.dumps(items(1)))
    first = await poll(source)
    assert (await poll(source, first.cursor)).batches == []
    path.write_text(json.dumps(items(1, 2)))
    assert (await poll(source, first.cursor)).ids == ["1", "2"]


def test_a_file_lies_beside_the_configuration(tmp_path):
    (tmp_path / "reviewdesk.toml").write_text('[[source]]\nid = "a"\nconnector = "feed"\nfile = "exports/a.xml"\n')
    (source,) = load(tmp_path / "reviewdesk.toml", environ={}).sources
    assert check_settings(source, FeedSettings).file == tmp_path / "exports/a.xml"


async def test_files_are_imported_by_what_they_are_or_by_the_mapping(feed, tmp_path):
    path = tmp_path / "saved"
    path.write_text(
        '<rss version="2.0"><channel><title>t</title><item><guid>1</guid><title>a</title></item></channel></rss>'
    )
    assert [each.id async for batch in feed({}).import_file(path) for each in batch.mentions] == ["1"]
    path.write_text(json.dumps(items(1, 2)))
    assert [each.id async for batch in feed(TABLE).import_file(path) for each in batch.mentions] == ["1", "2"]
    with pytest.raises(BadAnswer) as caught:
        [batch async for batch in feed({}).import_file(path)]
    assert 'format = "json"' in caught.value.hint


async def test_a_source_without_a_place_says_so(feed, poll):
    with pytest.raises(NotThere, match="neither `url` nor `file`"):
        await poll(feed({}))
    [finding] = await feed({}).check()
    assert finding.level is Level.FAULT


# Secrets


@pytest.mark.parametrize(
    ("where", "sent"),
    [("bearer", ("authorization", "Bearer s3cret-of-mine")), ("header:X-Api-Key", ("x-api-key", "s3cret-of-mine")),
     ("basic:shop", ("authorization", "Basic c2hvcDpzM2NyZXQtb2YtbWluZQ==")), ("query:apikey", None)],
)  # fmt: skip
async def test_the_secret_is_sent_and_never_kept(feed, poll, monkeypatch, caplog, where, sent):
    monkeypatch.setenv("PORTAL_KEY", "s3cret-of-mine")
    caplog.set_level(logging.DEBUG)
    echo = items(1, link="https://portal.example/r/1?apikey=s3cret-of-mine")
    portal = Portal(answer([*echo, {"text": "no id s3cret-of-mine"}]), httpx.Response(401))
    fields = {"id": "id", "text": "text", "url": "link"}
    table = {**TABLE, "url": f"{URL}?shop=7", "fields": fields, "secret": "env:PORTAL_KEY", "secret_in": where}
    source = feed(table, portal)
    told = await poll(source)
    request = portal.seen[0]
    assert request.headers[sent[0]] == sent[1] if sent else request.url.params["apikey"] == "s3cret-of-mine"
    assert request.url.params["shop"] == "7"
    kept = msgspec.json.encode(told.batches).decode()
    assert "s3cret" not in kept
    assert "s3cret" not in caplog.text
    findings = await source.check()
    assert findings[-1].level is Level.FAULT
    assert "s3cret" not in repr(findings)


async def test_a_missing_secret_names_the_variable(feed):
    [finding] = await feed({**TABLE, "secret": "env:NOT_SET_ANYWHERE", "secret_in": "bearer"}).check()
    assert "NOT_SET_ANYWHERE" in finding.hint


async def test_a_key_in_the_address_is_warned_about_and_kept_nowhere(feed, poll, caplog):
    caplog.set_level(logging.DEBUG)
    portal = Portal(answer(items(1, reply="see https://portal.example/export?key=plain-key-42")))
    source = feed({**TABLE, "url": URL + "?key=plain-key-42"}, portal)
    told = await poll(source)
    assert portal.seen[0].url.params["key"] == "plain-key-42"
    assert (
        "plain-key-42" not in json.dumps(told.cursor) + msgspec.json.encode(told.mentions[0].raw).decode() + caplog.text
    )
    assert "key in `url`" in (await source.check())[0].sentence


# Looking at it


async def test_check_tells_what_came_out(feed):
    fields = {"id": "id", "text": "text", "rating": "stars", "author": "wrong.name", "created_at": "at"}
    found = [*items(1, 2, stars=87, at="soon"), {"text": "x"}, *items(2)]
    findings = await feed({**TABLE, "fields": fields}, Portal(answer(found))).check()
    told = "\n".join(each.sentence for each in findings)
    assert "3 of 4 items" in told
    assert "1 items were set aside: no id" in told
    assert "`rating` could not be read in 2 items" in told
    assert "outside of 1 to 5" in told
    assert "`created_at` could not be read" in told
    assert "1 items have an id that another one has" in told
    assert "Empty in all items: rating, author, created_at." in told


async def test_an_answer_of_ours_is_found_by_its_words(feed):
    source = feed(TABLE, Portal(answer([*items(1, reply="Dear Jana,\n sorry"), *items(2)])))
    first, _, second = [each async for batch in source.poll(None) for each in batch.mentions]
    since = datetime(2026, 11, 23, tzinfo=UTC)
    found = await source.find_reply(first, "Dear Jana, sorry", since)
    assert found is not None
    assert found.id == "1:reply"
    assert await source.find_reply(first, "other words", since) is None
    assert await source.find_reply(second, "Dear Jana, sorry", since) is None
    with pytest.raises(NotThere):
        await source.find_reply(msgspec.structs.replace(second, id="9"), "x", since)
