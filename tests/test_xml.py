from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import BadAnswer, read_xml


def text_of(body: bytes) -> str:
    return str(read_xml(body, "r").findtext("t"))


@given(st.text(st.characters(exclude_characters="<>&\r", exclude_categories=["Cs"])))
def test_any_text_leaves_the_document_readable(text: str) -> None:
    root = read_xml(f"<r><t>{text}</t><t>after</t></r>".encode(), "r")
    assert [each.text or "" for each in root][1] == "after"
    assert len(root[0].text or "") == len(text)


def test_what_xml_forbids_becomes_a_replacement_character() -> None:
    assert text_of(b"<r><t>a\x00b\x1bc</t></r>") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<?xml version="1.0" encoding="windows-1250"?><r><t>žluť</t></r>'.encode("cp1250"), "žluť"),
        ('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<r><t>žluť</t></r>'.encode(), "žluť"),
        ("<r><t>žluť</t></r>".encode(), "žluť"),
        (b'<?xml version="1.0" encoding="nonsense"?><r><t>a</t></r>', "a"),
        (b'<?xml version="1.0" encoding="hex"?><r><t>a</t></r>', "a"),
        (b'<?xml version="1.0" encoding="idna"?><r><t>a\xff</t></r>', "a\ufffd"),
        (b'<?xml version="1.0" encoding="undefined"?><r><t>a</t></r>', "a"),
        (b"<r><t>a\xffb</t></r>", "a\ufffdb"),
        (b"<r><t><![CDATA[a < b]]></t></r>   \n", "a < b"),
    ],
)
def test_encodings(body: bytes, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no XML"),
        (b"<r><t>cut", "no XML"),
        (b"<!doctype html><html><body><p>Log in</html>", "no XML|DTD"),
        (b"<html></html>", "<html> where <r> should be"),
        (b'<!DOCTYPE r [<!ENTITY x "y">]><r><t>&x;</t></r>', "DTD"),
        (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>', "DTD"),
        (b"<r>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</r>", "no XML"),
        (b"<r>" + b"<a>" * 1_000_000, "no XML"),
        (b"<r a='" + b"x" * 11_000_000 + b"'/>", "no XML"),
        (b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><t>&f;</t></r>', "DTD"),
    ],
)
def test_what_is_no_document_of_ours_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(BadAnswer, match=sentence):
        read_xml(body, "r")
