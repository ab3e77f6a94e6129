import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.assess import Assessor
from reviewdesk.assess.jsonl import answer, assessable_from
from reviewdesk.errors import NotAllowed


@pytest.mark.parametrize(
    ("rating", "stars"),
    [
        (4, 4),
        (4.5, 4.5),
        ("4", 4),
        ("4,5", 4.5),
        ("4/5", 4),
        ("8/10", 4),
        ("80 %", 4),
        ("0 %", 1),
        (None, None),
        ("", None),
    ],
)
def test_ratings_of_all_shapes(rating: object, stars: float | None) -> None:
    assert assessable_from({"text": "", "rating": rating}).rating == stars


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ([1], "list"),
        ("text", "string"),
        (None, "null"),
        ({}, "text"),
        ({"text": 5}, "text"),
        ({"text": "a", "rating": 0}, "rating"),
        ({"text": "a", "rating": 80}, "rating"),
        ({"text": "a", "rating": float("nan")}, "rating"),
        ({"text": "a", "rating": "great"}, "rating"),
        ({"text": "a", "rating": "1/0"}, "rating"),
        ({"text": "a", "rating": True}, "rating"),
        ({"text": "a", "cons": [1]}, "cons"),
        ({"text": "a", "lang": 1}, "lang"),
        ({"text": "a", "title": ["T"]}, "title"),
        ({"text": "a", "recommends": "yes"}, "recommends"),
        ({"text": "a", "recommends": 1}, "recommends"),
        ({"text": "a", "sub_ratings": [4]}, "sub_ratings"),
        ({"text": "a", "sub_ratings": {"price": 9}}, "sub_ratings.price"),
        ({"text": "a", "sub_ratings": {"price": "great"}}, "sub_ratings.price"),
    ],
)
def test_a_bad_line_is_told_what_is_wrong_with_it(line: object, named: str) -> None:
    with pytest.raises(NotAllowed, match=named) as caught:
        assessable_from(line)
    assert caught.value.hint


def test_pros_and_cons_are_a_string_or_a_list() -> None:
    assert assessable_from({"text": "", "cons": "one\ntwo\n"}).cons == ("one", "two")
    assert assessable_from({"text": "", "pros": ["one", "two"]}).pros == ("one", "two")


def test_title_recommendation_and_sub_ratings_are_read() -> None:
    line = {"text": "", "title": "Strašné", "recommends": False, "sub_ratings": {"delivery": "2/10", "price": None}}
    item = assessable_from(line)
    assert (item.title, item.recommends, item.sub_ratings) == ("Strašné", False, {"delivery": 1.0})
    out = answer(line, next(iter(Assessor().assess([item]))))
    assert {reason["field"] for reason in out["reasons"]} >= {"title", "recommends", "sub_ratings"}
    assert out["label"] == "neg"
    nothing = assessable_from({"text": "", "title": None, "recommends": None, "sub_ratings": None})
    assert (nothing.title, nothing.recommends, nothing.sub_ratings) == ("", None, {})


def test_a_line_comes_back_with_its_id_and_all_keys() -> None:
    line = {"id": 7, "text": "Balík nedorazil", "rating": 1, "lang": "cs", "cons": ["nic"]}
    out = answer(line, next(iter(Assessor().assess([assessable_from(line)]))))
    assert (out["id"], out["lang"], out["label"], out["complaint"]) == (7, "cs", "neg", True)
    assert {"compound", "severity", "topics", "reasons"} <= out.keys()
    spans = [line["text"][one["start"] : one["end"]] for one in out["reasons"] if "start" in one]  # type: ignore[index]
    assert any("nedorazil" in span for span in spans)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "title", "rating", "sub_ratings", "recommends", "lang", "pros", "cons", "id"]),
            inner,
        )
    ),
)


@given(JSON)
def test_every_line_is_answered_or_refused(line: object) -> None:
    with suppress(NotAllowed):
        item = assessable_from(line)
        json.dumps(answer(line, next(iter(Assessor().assess([item])))))
