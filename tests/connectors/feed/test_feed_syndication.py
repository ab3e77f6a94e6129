"""RSS of every age, Atom and JSON Feed, as they are and as they should not be."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reviewdesk.connector import BadAnswer, Kind

REAL = Path(__file__).parents[4] / "shared" / "real" / "feeds"

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:g="http://base.google.com/ns/1.0"><channel><title>Recenze</title><language>cs</language>
<item><guid isPermaLink="false">7</guid><title>Nikdy v&#237;c</title><link>https://portal.example/r/7</link>
<description>short</description><content:encoded><![CDATA[<p>Bal&iacute;k p&#345;i&scaron;el pozd&#283;.</p><p>Nikdo
 neodpov&#237;d&aacute;.</p><script>alert(1)</script>]]></content:encoded><dc:creator>Jana</dc:creator>
<pubDate>Mon, 23 Nov 2026 10:00:00 CET</pubDate><g:rating>1</g:rating><category>delivery</category>
<enclosure url="https://portal.example/p.jpg" type="image/jpeg" length="1"/></item></channel></rss>"""


async def test_rss_2_gives_every_field(from_bytes):
    [mention] = (await from_bytes({}, RSS.encode(), {"content-type": "application/rss+xml"})).mentions
    assert mention.id == "7"
    assert mention.kind is Kind.POST
    assert mention.title == "Nikdy víc"
    assert mention.text == "Balík přišel pozdě.\n\nNikdo neodpovídá."
    assert mention.author is not None
    assert mention.author.name == "Jana"
    assert mention.created_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert mention.url == "https://portal.example/r/7"
    assert mention.language == "cs"
    assert mention.fields["tags"] == "delivery"
    assert [(each.type, each.url) for each in mention.attachments] == [("image", "https://portal.example/p.jpg")]
    assert mention.raw["g_rating"] == "1"


async def test_a_field_of_an_extension_can_be_added_without_describing_the_rest(from_bytes):
    fields = {"rating": "entry.g_rating", "language": {"const": "sk"}}
    [mention] = (await from_bytes({"fields": fields, "kind": "review"}, RSS.encode())).mentions
    assert (mention.rating, mention.language, mention.title, mention.kind) == (1.0, "sk", "Nikdy víc", Kind.REVIEW)


async def test_rss_1_is_known_by_its_about(from_bytes):
    body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://x.example/"><title>t</title></channel>
    <item rdf:about="https://x.example/1"><title>One</title><link>https://x.example/1</link><description>text</description>
    <dc:date>2026-11-23T10:00:00+01:00</dc:date></item></rdf:RDF>"""
    [mention] = (await from_bytes({}, body)).mentions
    assert (mention.id, mention.text) == ("https://x.example/1", "text")
    assert mention.created_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


async def test_rss_091_with_its_doctype_is_read(from_bytes):
    body = b"""<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
    "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>t</title>
    <item><title>One</title><link>https://x.example/1</link></item></channel></rss>"""
    [mention] = (await from_bytes({}, body)).mentions
    assert (mention.id, mention.title) == ("https://x.example/1", "One")


async def test_atom_tells_change_from_publication_and_text_from_html(from_bytes):
    body = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="pl"><title>t</title><id>urn:f</id>
    <entry><id>urn:1</id><title type="text">a &lt;b&gt; c</title><link rel="alternate" href="https://x.example/1"/>
    <author><name>Zoë</name><uri>https://x.example/zoe</uri></author><content type="text">1 &lt; 2</content>
    <published>2026-11-22T10:00:00Z</published><updated>2026-11-23T10:00:00Z</updated></entry></feed>""".encode()
    [mention] = (await from_bytes({}, body)).mentions
    assert (mention.title, mention.text, mention.language) == ("a <b> c", "1 < 2", "pl")
    assert mention.author is not None
    assert (mention.author.name, mention.author.url) == ("Zoë", "https://x.example/zoe")
    assert mention.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert mention.edited_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


async def test_json_feed_1_and_11(from_bytes):
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "language": "uk",
        "items": [
            {"id": 88123, "content_text": "Посилка запізнилась.", "authors": [{"name": "Олена"}], "tags": ["x", 1],
             "date_published": "2026-11-23T09:15:00+01:00", "_portal": {"stars": 1}},
            {"id": "b", "content_html": "<p>Bad<br>service</p>", "author": {"name": "Jan"}},
            "not an item",
        ],
    }  # fmt: skip
    told = await from_bytes({"fields": {"rating": "entry._portal.stars"}}, json.dumps(feed).encode())
    first, second = told.mentions
    assert (first.id, first.text, first.language, first.rating) == ("88123", "Посилка запізнилась.", "uk", 1.0)
    assert first.created_at == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
    assert (second.text, second.author and second.author.name) == ("Bad\nservice", "Jan")
    assert [each.reason for each in told.set_aside] == ["an item is no object"]


async def test_items_without_id_are_known_by_link_then_by_what_they_say(from_bytes):
    def rss(*items: str) -> bytes:
        return f'<rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'.encode()

    linked = "<item><title>a</title><link>https://x.example/a</link></item>"
    bare = "<item><title>b</title><description>text</description></item>"
    one = await from_bytes({}, rss(linked, bare))
    other = await from_bytes({}, rss("<item><title>new</title></item>", bare, linked))
    assert one.ids[0] == "https://x.example/a"
    assert one.ids[1].startswith("sha256:")
    assert set(one.ids) < set(other.ids)


async def test_a_date_without_zone_is_in_the_feeds_zone(from_bytes):
    body = RSS.replace("Mon, 23 Nov 2026 10:00:00 CET", "2026-11-23 10:00:00").encode()
    [mention] = (await from_bytes({"timezone": "Europe/Prague"}, body)).mentions
    assert mention.created_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


async def test_a_date_that_nobody_can_read_keeps_the_item_and_its_words(from_bytes):
    [mention] = (await from_bytes({}, RSS.replace("Mon, 23 Nov 2026 10:00:00 CET", "yesterday").encode())).mentions
    assert mention.created_at is None
    assert mention.fields["created_at"] == "yesterday"


async def test_broken_xml_gives_what_can_be_read_and_says_so(from_bytes, caplog):
    body = RSS.replace("</channel></rss>", "<item><title>cut").encode()
    told = await from_bytes({}, body, {"etag": '"1"'})
    assert "7" in told.ids
    assert "not well-formed" in caplog.text
    assert "etag" not in told.cursor


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><title>Log in</title></html>",
        b"\n <html lang='cs'><body>Udrzba</body></html>",
        b"",
        b"/etc/passwd",
        b'{"error": "no access"}',
        b"[]",
        b"<reviews><review/></reviews>",
    ],
)
async def test_what_is_no_feed_is_an_error_and_not_silence(from_bytes, body):
    with pytest.raises(BadAnswer):
        await from_bytes({}, body)


async def test_a_feed_with_entities_of_its_own_is_refused(from_bytes):
    body = b"""<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
    <rss version="2.0"><channel><title>t</title><item><title>&b;</title></item></channel></rss>"""
    with pytest.raises(BadAnswer, match="entities"):
        await from_bytes({}, body)


async def test_windows_1250_is_read_whoever_tells_it(from_bytes):
    text = RSS.replace('encoding="utf-8"', 'encoding="windows-1250"').replace("Nikdy v&#237;c", "Příšerný kůň")
    body = text.encode("cp1250")
    for headers in ({"content-type": "text/xml"}, {"content-type": "text/xml; charset=ISO-8859-1"},
                    {"content-type": "text/xml; charset=utf-8"}):  # fmt: skip
        [mention] = (await from_bytes({}, body, headers)).mentions
        assert mention.title == "Příšerný kůň"
    undeclared = text.replace(' encoding="windows-1250"', "").encode("cp1250")
    [mention] = (await from_bytes({"encoding": "windows-1250"}, undeclared)).mentions
    assert mention.title == "Příšerný kůň"


@pytest.mark.parametrize("name", ["idna", "punycode", "undefined", "unicode-escape", "hex"])
async def test_a_codec_that_is_none_for_texts_is_passed_over(from_bytes, name):
    body = RSS.replace('encoding="utf-8"', f'encoding="{name}"').replace("Nikdy v&#237;c", "Příšerný kůň")
    [mention] = (await from_bytes({}, body.encode("cp1250"))).mentions
    assert mention.title == "Příšerný kůň"


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded feeds are not beside the repository")
async def test_recorded_feeds(from_bytes):
    told = await from_bytes({}, (REAL / "example.json").read_bytes())
    assert [(each.id, each.text, each.author and each.author.name) for each in told.mentions] == [
        ("2", "This is a second item.", "me"),
        ("1", "Hello, world!", "you"),
    ]
    [mention] = (await from_bytes({}, (REAL / "item_content_encoded.xml").read_bytes())).mentions
    assert mention.text == "Example content"
    told = await from_bytes({}, (REAL / "rss_incomplete_cdata.xml").read_bytes())
    assert told.cursor is not None
