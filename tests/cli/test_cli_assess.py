"""`assess`: a filter that answers each line, whatever stands in it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import Run


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_each_line_gets_its_answer_with_its_id(run: Run) -> None:
    told = run(
        "assess", stdin=lines({"id": "a", "text": "Zklamání, nikdy více!", "rating": 1}, {"id": 7, "text": "ok"})
    )
    assert told.code == 0
    assert told.err == ""
    first, second = told.json
    assert (first["id"], first["lang"], first["complaint"], first["label"]) == ("a", "cs", True, "neg")
    assert set(first) == {
        "id", "lang", "compound", "label", "complaint", "probability", "severity", "intent", "unsure",
        "topics", "reasons",
    }  # fmt: skip
    assert second["id"] == 7


def test_nothing_in_nothing_out(run: Run) -> None:
    assert run("assess") == (0, "", "")
    assert run("assess", stdin=b"\n \n\r\n") == (0, "", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"nonsense", "no JSON"),
        (b'{"text": "a"', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1]", "a list, not an object"),
        (b"null", "null, not an object"),
        (b"{}", 'no "text"'),
        (b'{"text": 5}', '"text" is a number'),
        (b'{"text": "a", "rating": 9}', "\"rating\" is '9'"),
        (b'{"text": "a", "rating": NaN}', '"rating" is'),
        (b'{"text": "a", "rating": true}', '"rating" is'),
        (b'{"text": "a", "pros": 1}', '"pros" is'),
        (b'{"text": "a", "lang": 1}', '"lang" is'),
        (b'{"text": "a", "title": 1}', '"title" is'),
        (b'{"text": "a", "recommends": "no"}', '"recommends" is'),
        (b'{"text": "a", "sub_ratings": {"price": 0}}', '"sub_ratings.price" is'),
        ('{"text": "č"}'.encode("cp1250"), "not in UTF-8"),
        ('{"text": "č"}'.encode("utf-16"), "not in UTF-8"),
        (b"1" * 10_000, ""),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_stops_no_other(line: bytes, expected: str, run: Run) -> None:
    told = run("assess", stdin=lines({"text": "ok"}) + line + b"\n\n" + lines({"text": "dobré"}))
    assert told.code == 2
    first, bad, last = told.json
    assert set(bad) == {"line", "error"}
    assert bad["line"] == 2
    assert expected in bad["error"]
    assert first["label"]
    assert last["lang"] == "cs"


def test_a_byte_order_mark_and_no_line_end_at_the_end(run: Run) -> None:
    told = run("assess", stdin=b'\xef\xbb\xbf{"text": "ok"}\r\n{"text": "dobr\\u00e9"}')
    assert (told.code, len(told.json)) == (0, 2)


def test_a_huge_line_is_read_in_part_and_soon(run: Run) -> None:
    began = time.process_time()
    told = run("assess", stdin=lines({"text": "nikdy více " * 300_000}))
    assert (told.code, len(told.json)) == (0, 1)
    assert time.process_time() - began < 10


def test_the_home_language_decides_for_short_texts(run: Run) -> None:
    assert run("assess", "--lang", "pl", stdin=lines({"text": "super"})).json[0]["lang"] == "pl"
    assert run("assess", "--lang", "cs", stdin=lines({"text": "super"})).json[0]["lang"] == "cs"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=200), max_size=5))
def test_whatever_the_public_writes_is_a_line(run: Run, texts: list[str]) -> None:
    told = run("assess", stdin=lines(*({"id": n, "text": text} for n, text in enumerate(texts))))
    assert told.code == 0
    assert [each["id"] for each in told.json] == list(range(len(texts)))
