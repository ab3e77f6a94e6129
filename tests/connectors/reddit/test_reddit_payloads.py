from __future__ import annotations

import contextlib
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import BadAnswer, Mention
from reviewdesk_connectors.reddit import payloads
from reviewdesk_connectors.reddit.payloads import Item
from reviewdesk_connectors.reddit.position import Mark, Position, Watched

COMMENT = {
    "id": "mz1k2ab", "name": "t1_mz1k2ab", "parent_id": "t3_1p0xyz1", "link_id": "t3_1p0xyz1", "author": "unhappy",
    "author_fullname": "t2_9abcdef", "body": "Nobody answers.", "created_utc": 1763892345.0, "edited": False,
    "subreddit": "czech", "permalink": "/r/czech/comments/1p0xyz1/slug/mz1k2ab/", "link_title": "Experience?",
    "score": 4, "score_hidden": False, "locked": False, "archived": False,
}  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def of(**changes) -> Mention:
    return payloads.mention(Item(kind="t1", data=COMMENT | changes), "desk_shop")


@given(st.sampled_from(sorted(COMMENT)), anything, st.sampled_from(["t1", "t3"]))
def test_any_value_in_any_field_is_read_or_set_aside(field, value, kind):
    item = Item(kind=kind, data=COMMENT | {field: value})
    try:
        mention = payloads.mention(item, "desk_shop")
    except payloads.UNREADABLE:
        return
    finally:
        payloads.is_gone(item)
        payloads.fingerprint(item)
    assert mention.id
    assert math.isfinite(item.time)


@given(anything)
def test_any_json_is_a_page_or_a_bad_answer(value):
    with contextlib.suppress(BadAnswer):
        payloads.page(value)
    for item in payloads.walk(value):
        assert isinstance(item.data, dict)


@given(st.text())
def test_a_text_is_kept_as_it_came(text):
    assert of(body=text).text == text


@pytest.mark.parametrize(("edited", "year"), [(False, None), (True, None), (1763892345.0, 2025), (1763892345, 2025)])
def test_edits(edited, year):
    assert getattr(of(edited=edited).edited_at, "year", None) == year


def test_a_deleted_author_is_none_and_the_text_stays():
    mention = of(author="[deleted]", author_fullname=None)
    assert mention.author is None
    assert mention.text == "Nobody answers."
    assert not mention.ours


@pytest.mark.parametrize(
    ("locked", "archived", "can"), [(True, False, False), (False, True, False), (False, False, None)]
)
def test_locked_and_archived_cannot_be_answered(locked, archived, can):
    assert of(locked=locked, archived=archived).can_reply is can


def test_a_hidden_score_is_not_shown():
    assert "score" not in of(score_hidden=True).fields
    assert of().fields == {"subreddit": "r/czech", "score": "4"}


def test_the_inbox_shape_gives_the_same_mention():
    inbox = {key: value for key, value in COMMENT.items() if key not in ("permalink", "link_id", "edited")} | {
        "context": "/r/czech/comments/1p0xyz1/slug/mz1k2ab/?context=3",
        "was_comment": True,
    }
    told, whole = payloads.mention(Item(kind="t1", data=inbox), ""), of()
    assert (told.url, told.thread_id, told.title) == (whole.url, whole.thread_id, whole.title)
    assert payloads.fingerprint(Item(kind="t1", data=inbox)) == payloads.fingerprint(Item(kind="t1", data=COMMENT))


@pytest.mark.parametrize(
    ("kind", "data", "gone"),
    [
        ("t1", {"body": "[deleted]"}, True),
        ("t1", {"body": "[removed]"}, True),
        ("t1", {"body": "[deleted] by whom?"}, False),
        ("t3", {"selftext": "", "removed_by_category": "deleted"}, True),
        ("t3", {"selftext": "[removed]", "removed_by_category": None}, True),
        ("t3", {"selftext": "", "removed_by_category": None}, False),
    ],
)
def test_stubs(kind, data, gone):
    assert payloads.is_gone(Item(kind=kind, data=data)) is gone


def test_a_permalink_to_another_host_stays_what_it_says():
    assert of(permalink="/r/czech/comments/1/").url == "https://www.reddit.com/r/czech/comments/1/"


def test_a_thread_saved_with_its_answers_is_walked_in_order():
    inner = {"kind": "t1", "data": COMMENT | {"name": "t1_b", "replies": ""}}
    outer = {
        "kind": "t1",
        "data": COMMENT | {"name": "t1_a", "replies": {"kind": "Listing", "data": {"children": [inner]}}},
    }
    more = {"kind": "more", "data": {"children": ["x"]}}
    saved = [
        {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": {"name": "t3_p"}}]}},
        {"kind": "Listing", "data": {"children": [outer, more]}},
    ]
    assert [item.fullname for item in payloads.walk(saved)] == ["t3_p", "t1_a", "t1_b"]


@given(
    st.dictionaries(st.text(), st.builds(Mark, st.floats(0, 1e10), st.tuples(st.text()))),
    st.dictionaries(st.text(), st.builds(Watched, st.floats(0, 1e10), st.text())),
    st.floats(0, 1e10),
)
def test_a_position_survives_its_cursor(marks, watched, checked):
    position = Position(marks=marks, watched=watched, checked_at=checked)
    through = msgspec.json.decode(msgspec.json.encode(position.cursor()))
    assert Position.read(through) == position


@given(anything)
def test_any_cursor_is_read(value):
    assert isinstance(Position.read(value if isinstance(value, dict) else {"marks": value}), Position)


def test_an_item_set_aside_is_read_again_as_what_its_name_says():
    import msgspec as json_library

    from reviewdesk.connector import Context, Secret
    from reviewdesk_connectors.reddit.connector import Reddit, RedditSettings

    settings = RedditSettings(
        client_id="x", client_secret=Secret("y"), user_agent="a:b:1 (by /u/c)", subreddits=["czech"]
    )
    reddit = Reddit(Context("reddit", settings))
    raw = json_library.json.encode({"name": "t1_a", "id": "a", "created_utc": 1.0, "body": "Ahoj"}).decode()
    (mention,) = reddit.read_item(raw)
    assert (mention.id, mention.text) == ("t1_a", "Ahoj")
    # Where not even the kind could be read, the whole child was kept.
    (mention,) = reddit.read_item(f'{{"unreadable": {{"kind": "t1", "data": {raw}}}}}')
    assert (mention.id, mention.text) == ("t1_a", "Ahoj")
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        reddit.read_item('{"unreadable": {"kind": ["t1"], "data": {}}}')
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        reddit.read_item('{"name": "t5_a"}')
