from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewdesk.connector import Mention
from reviewdesk_connectors.facebook.mentions import Reader, full_id, top_level
from reviewdesk_connectors.facebook.payloads import Comment, Paging, Post, Rating, clean, last_part, moment, place

READER = Reader("1015550001")
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = {*Post.__struct_encode_fields__, *Comment.__struct_encode_fields__, *Rating.__struct_encode_fields__}
names = st.sampled_from(sorted(fields))
rows = st.dictionaries(names, json_values | st.just({"id": 5}) | st.just({"data": [{}]}), max_size=8)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rows)
def test_any_row_is_read_or_refused(row: dict[str, Any]) -> None:
    for read in (READER.post, READER.comment, lambda each: list(READER.rating(each))):
        try:
            found = read(row)
        except (msgspec.MsgspecError, ValueError):
            continue
        for mention in [found] if isinstance(found, Mention) else found:
            assert isinstance(mention.id, str)
            assert mention.id
            assert mention.thread_id
            json.dumps(mention.raw)


@given(st.text())
def test_no_permalink_and_no_time_breaks_the_reading(text: str) -> None:
    assert all(part == "" or part.isdigit() for part in (place(text).post, place(text).comment, place(text).reply))
    found = moment(text)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("id", ["222000333_900001", "10158_900001", "900001", 900001])
def test_a_comment_keeps_its_id_however_it_was_reached(id: Any) -> None:
    mention = READER.comment({"id": id, "message": "x", "created_time": "2024-05-01T12:34:56+0000"})
    assert mention.id == "900001"
    assert last_part(full_id(mention)) == "900001"
    assert mention.created_at == datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)


def test_ids_as_numbers_and_names_without_ids() -> None:
    ours = READER.comment({"id": "1_2", "from": {"id": 1015550001, "name": "Shop Demo"}})
    assert ours.ours
    named = READER.comment({"id": "1_3", "from": {"name": "Petr"}})
    assert named.author is not None
    assert (named.author.id, named.author.name, named.ours) == (None, "Petr", False)
    by_admin = READER.comment({"id": "1_4", "admin_creator": {"id": "7", "name": "Eva from the shop"}})
    assert by_admin.ours


def test_a_deep_answer_belongs_to_the_top_level_comment() -> None:
    row = {"id": "222_3", "parent": {"id": "222_2", "parent": {"id": "222_1"}}}
    mention = READER.comment(row, post="1015550001_222")
    assert (mention.parent_id, mention.thread_id) == ("2", "1")
    assert top_level(mention) == "222_1"


LINKS = [
    "",
    "https://www.facebook.com/permalink.php?story_fbid=pfbid02AbC&id=1015550001&comment_id=3",
    "https://www.facebook.com/1015550001/posts/222/?comment_id=1&reply_comment_id=3",
    "https://www.facebook.com/photo/?fbid=9&comment_id=Y29tbWVudDox",
]


@pytest.mark.parametrize("link", LINKS)
def test_the_full_id_and_the_thread_outlive_the_payload(link: str) -> None:
    row = {"id": "222_3", "parent": {"id": "222_1"}, "permalink_url": link}
    stored = msgspec.structs.replace(READER.comment(row, post="1015550001_222"), raw=None)
    assert (full_id(stored), top_level(stored)) == ("222_3", "222_1")
    under_a_visitors = READER.comment(row, post="1015550001_222", ours_post=False)
    assert (under_a_visitors.thread_id, top_level(under_a_visitors)) == ("1015550001_222", "222_1")


@pytest.mark.parametrize("link", LINKS[:2])
def test_a_top_level_comment_is_its_own_thread_wherever_it_stands(link: str) -> None:
    row = {"id": "222_3", "permalink_url": link}
    for mention in (READER.comment(row, post="1015550001_222"), READER.comment(row, thread="222")):
        assert (full_id(mention), top_level(mention)) == ("222_3", "222_3")


def test_a_rating_has_a_key_whatever_is_missing() -> None:
    when = "2017-03-02T09:00:00+0000"
    full = {"created_time": when, "review_text": "slow", "reviewer": {"id": "9"}, "open_graph_story": {"id": 77}}
    keys = []
    for missing in ((), ("open_graph_story",), ("open_graph_story", "reviewer")):
        row = {key: value for key, value in full.items() if key not in missing}
        [mention] = READER.rating(row)
        [again] = READER.rating(dict(reversed(row.items())))
        assert mention.id == again.id
        keys.append(mention.id)
    assert keys[:2] == ["77", f"9-{when}"]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("row", "rating", "recommends", "raw"),
    [
        ({"recommendation_type": "POSITIVE"}, None, True, "positive"),
        ({"recommendation_type": "negative", "rating": 0}, None, False, "negative"),
        ({"has_rating": True, "rating": 2}, 2.0, None, "2"),
        ({"rating": "5"}, 5.0, None, "5"),
        ({"rating": 97}, None, None, ""),
    ],
)
def test_recommendations_and_old_stars(row: dict[str, Any], rating: Any, recommends: Any, raw: str) -> None:
    [mention] = READER.rating({"created_time": "2024-05-01T12:34:56+0000", **row})
    assert (mention.rating, mention.recommends, mention.rating_raw) == (rating, recommends, raw)


def test_a_cleaned_payload_has_no_links_with_tokens() -> None:
    link = "https://graph.facebook.com/v25.0/1/comments?access_token=EAAB&limit=25"
    told = "my access_token= is on https://example.com/?access_token=1 , stolen"
    kept = clean({"comments": {"data": [], "paging": {"next": link}}, "link": link, "message": told, "gone": None})
    assert kept == {
        "comments": {"data": []},
        "link": "https://graph.facebook.com/v25.0/1/comments?limit=25",
        "message": told,
    }


def test_time_paging_gives_only_paging_parameters() -> None:
    link = "https://evil.example/?access_token=a&limit=9&until=5&since&__paging_token=p&fields=id"
    assert Paging(next=link).position() == {"until": "5", "__paging_token": "p"}
    assert Paging(next="").position() == {}
    assert Paging(next="http://[").position() == {}
