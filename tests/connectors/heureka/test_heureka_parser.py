"""The exports as a stream: whatever the cuts, the encoding and the public's text, and nothing read from outside."""

from __future__ import annotations

from itertools import pairwise, repeat
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import BadAnswer
from reviewdesk_connectors.heureka.mentions import mentions_of, points, stars
from reviewdesk_connectors.heureka.payloads import Export, ExportParser, Review, Unreadable

SHOP = """<?xml version="1.0" encoding="UTF-8"?>
<reviews>
  <review><rating_id>1</rating_id><unix_timestamp>1794219304</unix_timestamp><name><![CDATA[Žofie]]></name>
    <summary><![CDATA[a & b <b>tučně</b>]]]]><![CDATA[> konec]]></summary><order_id>0007</order_id></review>
  <review><rating_id>2</rating_id><unix_timestamp>1794215000</unix_timestamp><order_id>A-2</order_id></review>
</reviews>
"""


def parse(*pieces: bytes, expected: Export | None = None) -> list[Review | Unreadable]:
    parser = ExportParser("The answer", expected)
    found = [item for piece in pieces for item in parser.feed(piece)]
    return [*found, *parser.close()]


def facts(*pieces: bytes) -> list[dict[str, str]]:
    return [dict(item.facts) for item in parse(*pieces) if isinstance(item, Review)]


@given(st.lists(st.integers(0, len(SHOP.encode())), max_size=6))
def test_where_the_stream_is_cut_into_pieces_does_not_matter(cuts: list[int]) -> None:
    body = SHOP.encode()
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert facts(*pieces) == facts(body)


def test_cdata_arrives_as_text() -> None:
    first, second = parse(SHOP.encode())
    assert isinstance(first, Review)
    assert first.facts["summary"] == "a & b <b>tučně</b>]]> konec"
    assert first.order_id == "0007"
    assert isinstance(second, Review)
    [mention] = mentions_of(second, "shop:2", language="cs")
    assert (mention.text, mention.rating, mention.sub_ratings) == ("", None, {})


@pytest.mark.parametrize("encoding", ["windows-1250", "iso-8859-2", "utf-16", "utf-8-sig"])
def test_the_declared_encoding_is_believed(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    body = SHOP.replace("UTF-8", declared).encode(encoding)
    assert facts(body)[0]["name"] == "Žofie"


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_any_text_of_the_public_is_read_and_the_review_behind_it_too(text: str) -> None:
    whole = text.replace("]]>", "]]]]><![CDATA[>")
    body = SHOP.replace("a & b", whole).encode("utf-8", "surrogatepass")
    found = facts(body)
    assert [each["rating_id"] for each in found] == ["1", "2"]
    kept = found[0]["summary"]
    for char in set(text):
        if char.isalnum():
            assert char in kept


def test_controls_and_broken_bytes_become_replacement_characters() -> None:
    body = SHOP.encode().replace(b"a & b", b"a\x00\x1b[31m\xff\xfe b\x08")
    summary = facts(body)[0]["summary"]
    assert summary.startswith("a\ufffd\ufffd[31m\ufffd")
    assert len(facts(body)) == 2


@pytest.mark.parametrize("root", ["reviews", "products"])
def test_an_empty_export_is_no_error(root: str) -> None:
    assert parse(f"<{root}></{root}>".encode()) == []
    assert parse(f'\n\n<?xml version="1.0"?><{root}/>'.encode()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n",
        b"Wrong key",
        b"{}",
        b"<!doctype html><html><head><title>Log in</title><form>Please log in",
        b"<!DOCTYPE html><html><head><title>x</title></head><body><reviews></reviews></body></html>",
        b"<html><reviews><review><rating_id>1</rating_id></review></reviews></html>",
        b"<error>key</error>",
        b'<?xml version="1.0" encoding="rot13"?><reviews></reviews>',
        b'<?xml version="1.0" encoding="zlib"?><reviews></reviews>',
        b"\x00" * 3000,
        b"<x>" * 40000,
    ],
)
def test_what_is_no_export_says_so(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="The answer is not"):
        parse(body)


def test_the_other_export_is_not_taken_for_the_one_asked_for() -> None:
    with pytest.raises(BadAnswer, match="is not the export of product reviews"):
        parse(SHOP.encode(), expected=Export.PRODUCTS)


def test_a_cut_export_gives_what_came_and_then_says_where_it_broke_off() -> None:
    body = SHOP.encode()
    parser = ExportParser("The answer")
    found = list(parser.feed(body[: body.index(b"A-2")] + b" " * 600))
    with pytest.raises(BadAnswer, match="breaks off or is damaged"):
        list(parser.close())
    assert len(found) == 1


def test_well_formed_items_before_damage_in_the_same_piece_are_given() -> None:
    parser = ExportParser("The answer")
    damaged = parser.feed(SHOP.encode().replace(b"</reviews>", b"</wrong>") + b" " * 600)
    found = [next(damaged), next(damaged)]
    with pytest.raises(BadAnswer, match="breaks off or is damaged"):
        next(damaged)
    assert len(found) == 2


def test_nothing_outside_is_read_and_no_entity_grows(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    item = "<reviews><review><rating_id>1</rating_id><summary>&a;</summary></review></reviews>"
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    for subset in (
        f'[<!ENTITY a SYSTEM "{secret.as_uri()}">]',
        f'[<!ENTITY l0 "ha">{laughs}<!ENTITY a "&l9;">]',
        f'SYSTEM "{secret.as_uri()}"',
        "[]",
    ):
        with pytest.raises(BadAnswer) as caught:
            parse(f"<!DOCTYPE reviews {subset}>{item}".encode())
        assert "top secret" not in str(caught.value)


def test_an_item_without_its_number_is_set_aside_and_the_rest_goes_in() -> None:
    found = parse(SHOP.replace("<rating_id>1</rating_id>", "").encode())
    assert isinstance(found[0], Unreadable)
    assert "Žofie" in found[0].raw
    assert "rating_id" in found[0].reason
    assert isinstance(found[1], Review)


def test_an_item_without_end_does_not_fill_the_memory() -> None:
    parser = ExportParser("The answer")
    list(parser.feed(b"<reviews><review>" + b" " * 600))
    endless = (item for piece in repeat(b"<x>" + b"y" * 65000 + b"</x>", 400) for item in parser.feed(piece))
    with pytest.raises(BadAnswer, match="a single review of more than 20 MB"):
        list(endless)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0), ("4.5", 4.5), ("4,5", 4.5), ("0.5", 1.0), ("97", 4.85), ("97 %", 4.85), ("5%", 1.0), ("100", 5.0),
        ("0", None), ("", None), ("101", None), ("-1", None), ("nan", None), ("1e3", None), ("four", None), ("٤", 4.0),
    ],
)  # fmt: skip
def test_stars(text: str, value: float | None) -> None:
    assert stars(text) == (pytest.approx(value) if value is not None else None)


@given(st.text(max_size=20))
def test_stars_are_never_out_of_their_scale(text: str) -> None:
    value = stars(text)
    assert value is None or 1 <= value <= 5


def test_points_lose_their_bullets_and_empty_lines() -> None:
    assert points("- rychlé dodání\n\n–  ceny\n-\n* 3-dílná sada") == ("rychlé dodání", "ceny", "3-dílná sada")


def test_a_rating_that_is_none_is_kept_to_be_shown() -> None:
    body = SHOP.replace("<name>", "<total_rating>super</total_rating><delivery_time>?</delivery_time><name>")
    item = parse(body.encode())[0]
    assert isinstance(item, Review)
    [mention] = mentions_of(item, "shop:1", language="cs")
    assert (mention.rating, mention.rating_raw) == (None, "super")
    assert mention.fields["delivery_time"] == "?"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30))
def test_elements_that_nobody_foresaw_are_kept(text: str) -> None:
    item = parse(SHOP.replace("<name>", f"<novelty>x{escape(text)}</novelty><name>").encode())[0]
    assert isinstance(item, Review)
    [mention] = mentions_of(item, "shop:1", language="cs")
    assert mention.fields["novelty"].startswith("x")


@pytest.mark.parametrize("timestamp", ["", "soon", "99999999999999999999", "-5", "1794219304.5"])
def test_an_unreadable_time_costs_only_the_time(timestamp: str) -> None:
    item = parse(SHOP.replace("1794219304", timestamp).encode())[0]
    assert isinstance(item, Review)
    [mention] = mentions_of(item, "shop:1", language="cs")
    assert mention.created_at is None
    assert mention.text
