"""Items out of XML, JSON, JSON lines and CSV: mended where exports are sloppy, refused where they are dangerous."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import BadAnswer
from reviewdesk_connectors.feed.document import Document, clean_xml
from reviewdesk_connectors.feed.formats import Csv, Unreadable, Xml

XML = {"format": "xml", "items": "/reviews/review", "fields": {"id": "@id", "text": "text"}}
JSON = {"format": "json", "items": "reviews", "fields": {"id": "id", "text": "text", "rating": "stars"}}
JSONL = {"format": "jsonl", "fields": {"id": "id", "text": "text"}}
CSV = {"format": "csv", "fields": {"id": "ID", "text": "Text"}}


def document(body: bytes, **more) -> Document:
    return Document(body=io.BytesIO(body), place="portal.example", notes=[], **more)


def texts(told) -> dict[str, str]:
    return {mention.id: mention.text for mention in told.mentions}


# XML


async def test_xml_as_a_stream_and_as_a_whole_are_the_same(from_bytes):
    body = "<reviews>{}</reviews>".format("".join(f'<review id="{n}"><text>ř{n}</text></review>' for n in range(1203)))
    streamed = await from_bytes(XML, body.encode())
    whole = await from_bytes({**XML, "items": "/reviews/review[@id]"}, body.encode())
    relative = await from_bytes({**XML, "items": "review"}, body.encode())
    anywhere = await from_bytes({**XML, "items": "//review"}, body.encode())
    assert [len(batch.mentions) for batch in streamed.batches] == [500, 500, 203]
    assert texts(streamed) == texts(whole) == texts(relative) == texts(anywhere)
    assert streamed.mentions[7].raw == '<review id="7"><text>ř7</text></review>'


async def test_only_the_items_of_the_path_are_items(from_bytes):
    body = (
        b'<reviews><review id="1"><text>a</text><old><review id="x"/></old></review><y><review id="z"/></y></reviews>'
    )
    assert texts(await from_bytes(XML, body)) == {"1": "a"}


async def test_items_inside_items_and_what_stands_around_them_can_be_reached(from_bytes):
    body = b"""<shop lang="sk"><name>Portal</name>
    <c id="1"><text>outer</text><c id="2"><text>inner</text></c></c><c id="3"><text>last</text></c></shop>"""
    fields = {"id": "@id", "text": "text", "product": "/shop/name", "language": "/shop/@lang", "parent_id": "../@id"}
    told = await from_bytes({"format": "xml", "items": "//c", "fields": fields}, body)
    assert {each.id: (each.text, each.parent_id) for each in told.mentions} == {
        "1": ("outer", None), "2": ("inner", "1"), "3": ("last", None)}  # fmt: skip
    assert {(each.product, each.language) for each in told.mentions} == {("Portal", "sk")}


def test_items_that_were_read_are_let_go():
    body = io.BytesIO(b"<reviews>" + b'<review id="1"><text>words</text></review>\n' * 5000 + b"</reviews>")
    kept = [
        len(item.getparent()) for item in Xml("/reviews/review", {}).items(Document(body=body, place="x", notes=[]))
    ]
    # The parser is some items ahead by the size of a piece, and what it is past is gone.
    assert len(kept) == 5000
    assert kept[-1] < 5000 / 2
    assert max(kept) < 5000 * 0.9


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<![CDATA[<b>a</b> & b]]>", "<b>a</b> & b"),
        ("a&#8;b\x0bc", "abc"),
        ("a&nbsp;b &hellip;", "a\u00a0b …"),
        ("smile &#xD83D;&#xDE00;!", "smile 😀!"),
        ("lone &#55357;.", "lone \ufffd."),
        ("a &lt;i&gt; &amp; b", "a <i> & b"),
        ("<p>a</p><p>b</p>", "ab"),
        ("&unknown", None),
        ("a<!-- not this -->b", "ab"),
    ],
)
async def test_xml_text(from_bytes, inner, text):
    body = f'<reviews><review id="1"><text>{inner}</text></review></reviews>'.encode()
    if text is None:
        with pytest.raises(BadAnswer, match="not well-formed"):
            await from_bytes(XML, body)
    else:
        assert texts(await from_bytes(XML, body)) == {"1": text}


async def test_markup_inside_becomes_lines_when_cleaned(from_bytes):
    fields = {"id": "@id", "text": {"select": "text", "clean": "html"}, "title": {"select": "t", "clean": "html_twice"}}
    twice = b"<t>&amp;lt;b&amp;gt;x&amp;lt;/b&amp;gt;</t>"
    body = b"<reviews><review id='1'><text>a<br/>b <b>c</b></text>" + twice + b"</review></reviews>"
    [mention] = (await from_bytes({**XML, "fields": fields}, body)).mentions
    assert (mention.text, mention.title) == ("a\nb c", "x")


async def test_a_namespace_that_nobody_declared_is_told_with_its_name(from_bytes):
    body = b'<reviews xmlns="urn:shop:1"><review id="1"><text>a</text></review></reviews>'
    for items in ("/reviews/review", "//review"):
        with pytest.raises(BadAnswer, match=r"urn:shop:1"):
            await from_bytes({**XML, "items": items}, body)
    declared = {
        "items": "/f:reviews/f:review",
        "namespaces": {"f": "urn:shop:1"},
        "fields": {"id": "@id", "text": "f:text"},
    }
    assert texts(await from_bytes({**XML, **declared}, body)) == {"1": "a"}


async def test_a_wrong_path_is_told_but_an_empty_export_is_none(from_bytes):
    assert (await from_bytes(XML, b"<reviews/>")).mentions == []
    with pytest.raises(BadAnswer, match="<error>"):
        await from_bytes(XML, b"<error>no access</error>")


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY a "lol"><!ENTITY x "&a;&a;&a;">]>',
        '<!DOCTYPE r SYSTEM "https://evil.example/r.dtd">',
        "<!-- a comment first --><!DOCTYPE r>",
    ],
)
async def test_a_doctype_is_refused_and_nothing_outside_is_read(from_bytes, doctype):
    body = f"{doctype}<reviews><review id='1'><text>a &x;</text></review></reviews>".encode()
    for items in ("/reviews/review", "/reviews/review[1]"):
        with pytest.raises(BadAnswer):
            await from_bytes({**XML, "items": items}, body)
    if '"file:' in doctype:
        with pytest.raises(BadAnswer, match="not defined"):
            await from_bytes({**XML, "allow_doctype": True}, body)


async def test_entities_inside_the_document_are_read_where_a_doctype_is_allowed(from_bytes):
    body = b'<!DOCTYPE r [<!ENTITY x "word">]><reviews><review id="1"><text>a &x;</text></review></reviews>'
    assert texts(await from_bytes({**XML, "allow_doctype": True}, body)) == {"1": "a word"}


async def test_billions_of_laughs_do_not_come_through_even_where_a_doctype_is_allowed(from_bytes):
    entities = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 20 if n else "ha" * 50}">' for n in range(8))
    body = f"<!DOCTYPE r [{entities}]><reviews><review id='1'><text>&x7;</text></review></reviews>".encode()
    with pytest.raises(BadAnswer):
        await from_bytes({**XML, "allow_doctype": True}, body)


async def test_a_cut_export_fails_after_what_was_whole(feed):
    import httpx

    items = "".join(f'<review id="{n}"><text>a</text></review>' for n in range(1500))
    body = f"<reviews>{items}"[:-20].encode()
    source = feed({"url": "https://portal.example/x", **XML}, lambda _: httpx.Response(200, content=body))
    seen = []

    async def read() -> None:
        async for batch in source.poll(None):
            assert batch.cursor is None
            seen.extend(batch.mentions)

    with pytest.raises(BadAnswer, match="not well-formed"):
        await read()
    assert [mention.id for mention in seen] == [str(number) for number in range(1499)]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400), st.integers(0, 90))
def test_mended_xml_is_always_well_formed(text, padding):
    from xml.sax.saxutils import escape

    from lxml import etree

    body = f"<r>{'x' * padding}{escape(text)}</r>".encode()
    read = etree.fromstring(b"".join(clean_xml(document(body)))).text or ""
    kept = "".join(char for char in text if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff"))
    assert read == "x" * padding + kept.replace("\r\n", "\n").replace("\r", "\n")


def test_references_are_mended_across_the_border_of_two_pieces():
    from reviewdesk_connectors.feed import document as module

    for shift in range(14):
        body = ("<r>" + "x" * (module.CHUNK - 3 - shift) + "&#xD83D;&#xDE00;</r>").encode()
        assert b"".join(clean_xml(document(body))).decode().rstrip("</r>").endswith("😀")


# JSON


async def test_json_with_a_list_as_root_and_a_list_inside(from_bytes):
    items = [{"id": 1, "text": "a", "stars": 4.5}, {"id": "1b", "text": None, "stars": "2,5"}]
    inside = await from_bytes(JSON, json.dumps({"reviews": items}).encode())
    root = await from_bytes({**JSON, "items": ""}, b"\xef\xbb\xbf" + json.dumps(items).encode())
    assert [(each.id, each.text, each.rating) for each in inside.mentions] == [("1", "a", 4.5), ("1b", "", 2.5)]
    assert inside.mentions == root.mentions
    assert inside.mentions[0].raw == items[0]


async def test_an_error_with_status_200_is_an_error(from_bytes):
    for body in (
        b'{"error": "quota"}',
        b'{"reviews": null}',
        b"<!doctype html><p>hi",
        b'{"reviews": [',
        b"",
        b"[" * 90_000,
    ):
        with pytest.raises(BadAnswer):
            await from_bytes(JSON, body)


async def test_json_that_python_writes_and_no_one_else_reads(from_bytes):
    told = await from_bytes(JSON, b'{"reviews": [{"id": 1, "text": "a\\ud83d", "stars": NaN}]}')
    assert [(each.text, each.rating) for each in told.mentions] == [("a\ufffd", None)]
    json.dumps(told.mentions[0].raw, ensure_ascii=False).encode()


async def test_a_bad_line_of_json_lines_is_set_aside_alone(from_bytes):
    told = await from_bytes(
        JSONL, b'\xef\xbb\xbf{"id": 1, "text": "a"}\r\n\n{"id": 2, "te\n{"id": 3, "text": "c"}\n[]\n'
    )
    assert texts(told) == {"1": "a", "3": "c"}
    assert [each.raw for each in told.set_aside] == ['{"id": 2, "te']
    assert "line 3 is not JSON" in told.set_aside[0].reason


# CSV


async def test_csv_of_central_europe(from_bytes):
    body = 'ID;Text;Hodnocení\r\n1;"Řekl: ""ne"";\nnic víc";4,5\r\n2;b;\r\n'.encode("cp1250")
    table = {**CSV, "fields": {**CSV["fields"], "rating": "hodnocení"}}
    for headers, encoding in (({"content-type": "text/csv; charset=windows-1250"}, ""), ({}, "windows-1250"), ({}, "")):
        told = await from_bytes({**table, "encoding": encoding}, body, headers)
        assert [(each.text, each.rating) for each in told.mentions] == [('Řekl: "ne";\nnic víc', 4.5), ("b", None)]


async def test_csv_header_tricks(from_bytes):
    fields = {
        "id": "ID",
        "text": "Text",
        "fields.second": "text 2",
        "fields.nameless": "column 4",
        "fields.spare": "column 5",
    }
    body = b"\xef\xbb\xbfID,Text, text ,\r\n1,a,b,c,\r\n2,x\r\n,,,\r\n3,comma, without quotes,,d\r\n"
    with pytest.raises(BadAnswer, match="column 5"):
        await from_bytes({**CSV, "fields": fields}, body)
    del fields["fields.spare"]
    told = await from_bytes({**CSV, "fields": fields}, body)
    first, second = told.mentions
    assert dict(first.fields) == {"second": "b", "nameless": "c"}
    assert (second.text, dict(second.fields)) == ("x", {})
    assert [(each.raw, "5 columns" in each.reason) for each in told.set_aside] == [
        ("3,comma, without quotes,,d\r\n", True)
    ]


async def test_a_column_that_is_not_there_is_told_with_the_nearest(from_bytes):
    with pytest.raises(BadAnswer, match=r"no column 'Text'") as caught:
        await from_bytes(CSV, b"ID;Texts\n1;a\n")
    assert "'texts'" in caught.value.hint


async def test_csv_without_header_and_with_a_told_delimiter(from_bytes):
    assert texts(await from_bytes({**CSV, "columns": ["ID", "Text"], "delimiter": "tab"}, b"1\ta;b\n")) == {"1": "a;b"}
    assert texts(await from_bytes(CSV, b"sep=|\nID|Text\n1|a;b;c\n")) == {"1": "a;b;c"}


async def test_a_quote_that_is_never_closed_takes_one_row_with_it_and_not_the_rest(from_bytes):
    body = b'ID;Text\n1;"broken\n2;"fine; too"\n3;"two\nlines"\n4;last\n'
    told = await from_bytes(CSV, body)
    assert {"2": "fine; too", "3": "two\nlines", "4": "last"}.items() <= texts(told).items()
    body = b'ID;Text\n1;first\n2;"broken\n3;c\n4;d\n'
    told = await from_bytes(CSV, body)
    assert {"1": "first", "3": "c", "4": "d"}.items() <= texts(told).items()


async def test_half_quoted_cells_are_taken_as_they_are(from_bytes):
    assert texts(await from_bytes(CSV, b'ID;Text\n1;"He said "hi" there"\n2;b\n'))["2"] == "b"


async def test_an_empty_csv_has_no_items(from_bytes):
    assert (await from_bytes(CSV, b"")).mentions == []


CELL = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=12), st.sampled_from(",;\t|"))
def test_every_csv_that_python_writes_is_read_back(rows, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    items = list(Csv("").items(document(out.getvalue().encode())))
    assert not any(isinstance(item, Unreadable) for item in items)
    assert [tuple(item.values()) for item in items] == [row for row in rows if any(cell.strip() for cell in row)]
