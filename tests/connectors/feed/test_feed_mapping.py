"""The mapping: every target, every step, and every mistake told at once before anything is fetched."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from reviewdesk.connector import Kind, ReplyMode
from reviewdesk_connectors.feed.settings import FeedSettings

BASE = {"url": "https://portal.example/x", "format": "json", "items": "reviews"}


def json_of(*items: dict) -> bytes:
    return json.dumps({"reviews": items}).encode()


async def mapped(from_bytes, fields, item, **more):
    return await from_bytes({**BASE, "fields": fields, **more}, json_of(item))


async def test_every_target_arrives(from_bytes):
    fields = {
        "id": "nr", "text": {"select": ["text", "more"], "join": "\n"}, "title": "title", "author": "who.name",
        "author_id": "who.id", "author_url": "who.page", "rating": "stars", "pros": {"select": "pros", "split": ";"},
        "cons": "cons[].t", "created_at": {"select": "at", "as": "epoch_s"},
        "edited_at": {"select": "changed", "formats": ["%d. %B %Y"]},
        "url": {"template": "https://portal.example/r/{id}?o={order_id}"},
        "order_id": {"select": "text", "regex": r"order (\w+)"},
        "product": "product.name", "product_url": "product.link",
        "language": {"const": "cs-CZ"}, "recommends": "again", "reply": {"select": "answer.html", "clean": "html"},
        "replied_at": "answer.at", "sub_ratings.delivery": {"select": "delivery", "values": {"Špatné": 1, "dobré": 5}},
        "fields.shop": {"const": "Demo"}, "fields.country": {"select": "country", "default": "CZ"},
        "attachments": "pictures",
    }  # fmt: skip
    item = {
        "nr": 7, "text": "Bad, order A1/b", "more": "really", "title": " T ",
        "who": {"name": "Jana", "id": 5, "page": "/u/5"},
        "stars": "20 %", "pros": "fast; cheap ;", "cons": [{"t": "ugly"}, {"t": ""}], "at": 1795428000,
        "changed": "24. listopadu 2026", "product": {"name": "Kettle", "link": "javascript:alert(1)"}, "again": "NE",
        "answer": {"html": "<p>Sorry</p>", "at": "2026-11-25T00:00:00Z"}, "delivery": "spatne", "pictures": ["p/1.jpg"],
    }  # fmt: skip
    mention, reply = (await mapped(from_bytes, fields, item)).mentions
    assert (mention.id, mention.kind, mention.title, mention.rating, mention.rating_raw) == (
        "7",
        Kind.REVIEW,
        "T",
        1.8,
        "20 %",
    )
    assert mention.text == "Bad, order A1/b\nreally"
    assert (mention.pros, mention.cons, mention.recommends) == (("fast", "cheap"), ("ugly",), False)
    assert mention.author is not None
    assert (mention.author.name, mention.author.id, mention.author.url) == ("Jana", "5", "https://portal.example/u/5")
    assert (mention.created_at, mention.edited_at) == (
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        datetime(2026, 11, 24, tzinfo=UTC),
    )
    assert (mention.order_id, mention.url) == ("A1", "https://portal.example/r/7?o=A1")
    assert (mention.product, mention.product_url, mention.language) == ("Kettle", "", "cs")
    assert (mention.sub_ratings, mention.fields) == ({"delivery": 1.0}, {"shop": "Demo", "country": "CZ"})
    assert [each.url for each in mention.attachments] == ["https://portal.example/p/1.jpg"]
    assert mention.raw == item
    assert (reply.id, reply.parent_id, reply.thread_id, reply.ours, reply.text) == ("7:reply", "7", "7", True, "Sorry")
    assert reply.created_at == datetime(2026, 11, 25, tzinfo=UTC)


async def test_the_first_of_several_selectors_that_has_something_counts(from_bytes):
    fields = {"id": "id", "text": {"select": ["comment", "text"]}}
    told = await from_bytes(
        {**BASE, "fields": fields}, json_of({"id": 1, "text": "b"}, {"id": 2, "comment": "a", "text": "b"})
    )
    assert [each.text for each in told.mentions] == ["b", "a"]


async def test_an_item_is_rejected_and_the_others_go_in(from_bytes):
    fields = {"id": "id", "text": "text", "rating": "stars"}
    items = (
        {"text": "no id"},
        {"id": 1, "text": "good"},
        {"id": 2},
        {"id": 3, "stars": 2},
        {"id": 4, "stars": "great"},
    )
    told = await from_bytes({**BASE, "fields": fields}, json_of(*items))
    assert told.ids == ["1", "3", "4"]
    assert [(each.reason, json.loads(each.raw)) for each in told.set_aside] == [
        ("no id", {"text": "no id"}), ("no text and no rating", {"id": 2})]  # fmt: skip
    assert (told.mentions[2].rating, told.mentions[2].rating_raw, told.mentions[2].fields) == (
        None,
        "great",
        {"rating": "great"},
    )


async def test_a_function_that_an_item_does_not_fit_spoils_that_field_only(from_bytes):
    fields = {"id": "id", "text": "text", "fields.tags": "join(', ', tags)"}
    told = await from_bytes(
        {**BASE, "fields": fields}, json_of({"id": 1, "text": "a"}, {"id": 2, "text": "b", "tags": ["x", "y"]})
    )
    assert [(each.id, dict(each.fields)) for each in told.mentions] == [("1", {}), ("2", {"tags": "x, y"})]


async def test_the_publics_text_is_never_a_template_nor_a_piece_of_an_address(from_bytes):
    fields = {
        "id": "id",
        "text": "text",
        "title": {"template": "{text} / {author}"},
        "author": "who",
        "url": {"template": "https://x.example/{id}"},
    }
    item = {"id": "../../a?b#c {text}", "text": "{author} {{ 7*7 }} %s {0.__class__}", "who": "{id}"}
    [mention] = (await mapped(from_bytes, fields, item)).mentions
    assert mention.title == "{author} {{ 7*7 }} %s {0.__class__} / {id}"
    assert mention.url == "https://x.example/..%2F..%2Fa%3Fb%23c%20%7Btext%7D"


async def test_hostile_text_is_kept_as_it_came(from_bytes):
    text = "[bold]\x1b[31m\u202e\x00 [@click=app.quit]x[/] " + "a" * 100_000
    [mention] = (await mapped(from_bytes, {"id": "id", "text": "text"}, {"id": 1, "text": text})).mentions
    assert mention.text == text


@pytest.fixture
def mistakes(as_settings):
    def found(table: dict) -> str:
        with pytest.raises(msgspec.ValidationError) as caught:
            as_settings(table)
        return str(caught.value)

    return found


def test_all_mistakes_are_told_at_once(mistakes):
    sentence = mistakes({
        "url": "ftp://x", "format": "xml", "items": "/a[", "timezone": "Europe/Prag", "encoding": "utf-88",
        "fields": {
            "txt": "text", "rating": {"select": "@r", "as": "nubmer"},
            "created_at": {"select": "x(", "formats": ["%q"]},
            "author": "g:name", "order_id": {"select": "t", "regex": "(a+)+"}, "pros": {"select": "p", "clean": "htm"},
            "title": {"select": "a", "const": "b"}, "recommends": {}, "url": {"template": "https://x.example/{nr}"},
        },
        "secret": "env:KEY", "secret_in": "cookie:x", "reply_page": "https://x.example/{nr}",
        "complete": True, "stop_when_known": True,
    })  # fmt: skip
    for part in (
        "`url` must be", "`items`: the XPath '/a['", "Europe/Prag", "utf-88", "`fields` has no `id`",
        "did you mean `text`",
        "did you mean number", "`fields.created_at`: the XPath 'x('", "%q", "prefix 'g'", "repeats a group",
        'clean = "htm"', "`fields.title`: give one of", "`fields.recommends`: give one of", "{nr}",
        "`secret_in` is", "`complete`",
    ):  # fmt: skip
        assert part in sentence, part


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"format": "xml"}, "needs a table"),
        ({"format": "json", "fields": {"id": "id", "product": "p"}}, "neither `text` nor `rating`"),
        ({"format": "json", "fields": {"id": "id", "text": "a[?"}}, "`fields.text`: the JMESPath"),
        ({"format": "json", "fields": {"id": "id", "text": "no_such(a)"}}, "no_such"),
        ({"format": "xml", "fields": {"id": "@id", "text": "t"}}, "`items`: it is missing"),
        ({"format": "csv", "items": "x", "fields": {"id": "a", "text": "b"}}, "only rows"),
        ({"items": "x"}, "leave it out"),
        ({"url": "https://a.example", "file": "x"}, "not both"),
        ({"url": "https://a.example/{token}"}, "{token}"),
        ({"secret": "env:K"}, "`secret_in` must say"),
        ({"secret_in": "bearer"}, "`secret` is missing"),
        ({"paging": {"style": "cursor"}}, "`paging.next` must"),
        ({"paging": {"style": "page", "next": "x"}}, "`paging.next` is for"),
        ({"paging": {"style": "pages"}}, "pages"),
        ({"fields": {"rating": {"select": "x", "as": "date"}}}, "does not fit"),
        ({"fields": {"text": {"select": "x", "scale": [1, 2]}}}, "for ratings"),
        ({"fields": {"rating": {"select": "x", "scale": [3, 3]}}}, "the same"),
        ({"fields": {"rating": {"select": "x", "to": [0, 5]}}}, "from 1 to 5"),
        (
            {"fields": {"title": {"template": "{url}"}, "url": {"template": "https://x.example/{id}"}}},
            "template itself",
        ),
        ({"fields": {"replied_at": "x"}}, "`fields.reply`"),
        ({"delimiter": ";"}, 'for format = "csv"'),
        ({"colour": "red"}, "colour"),
    ],
)
def test_each_mistake_has_its_sentence(mistakes, table, part):
    assert part in mistakes(table)


def test_settings_without_anything_are_those_of_an_import():
    assert FeedSettings().format == "feed"


def test_capabilities_are_what_the_mapping_can_do(feed):
    fields = {"id": "id", "text": "t"}
    assert feed({**BASE, "fields": fields}).capabilities.reply is ReplyMode.NONE
    assert feed({**BASE, "fields": {**fields, "url": "u"}}).capabilities.reply is ReplyMode.HAND_OFF
    assert feed({**BASE, "fields": {**fields, "url": "u"}, "reply": "none"}).capabilities.reply is ReplyMode.NONE
    page = feed({**BASE, "fields": fields, "reply_page": "https://x.example/{id}"})
    assert page.capabilities.reply is ReplyMode.HAND_OFF
    assert not page.capabilities.find_reply
    assert feed({**BASE, "fields": {**fields, "reply": "r"}}).capabilities.find_reply
    assert feed({"url": "https://x.example/rss"}).capabilities.reply is ReplyMode.HAND_OFF


async def test_the_reply_page_is_filled_from_the_mention(from_bytes, feed):
    fields = {"id": "id", "text": "t", "fields.shop": "shop", "url": "u"}
    table = {**BASE, "fields": fields, "reply_page": "https://x.example/{fields.shop}/{id}"}
    with_shop, without = (
        await from_bytes(
            table, json_of({"id": "a/b", "t": "x", "shop": "s"}, {"id": 2, "t": "x", "u": "https://x.example/2"})
        )
    ).mentions
    source = feed(table)
    assert source.reply_page(with_shop) == "https://x.example/s/a%2Fb"
    assert source.reply_page(without) == "https://x.example/2"
