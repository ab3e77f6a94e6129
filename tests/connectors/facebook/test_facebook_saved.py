from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from reviewdesk.connector import BadAnswer, Kind, Mention

REAL = Path(__file__).parents[4] / "shared" / "real" / "facebook"
needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded answers are not beside the project")


def _never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a file was read and {request.url.host} was called")


async def _read(scripted: Any, path: Path, **settings: Any) -> list[Mention]:
    connector = scripted(_never, **settings)
    batches = [batch async for batch in connector.import_file(path)]
    assert [each for batch in batches for each in batch.set_aside] == []
    return [mention for batch in batches for mention in batch.mentions]


async def _saved(scripted: Any, tmp_path: Path, value: Any, **settings: Any) -> list[Mention]:
    path = tmp_path / "answer.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return await _read(scripted, path, **settings)


@needs_real_files
async def test_recorded_comments_without_ids_get_them_from_their_links(scripted: Any) -> None:
    first = await _read(scripted, REAL / "comments_p1.json", page_id="19292868552")
    second = await _read(scripted, REAL / "comments_p2.json", page_id="19292868552")
    rows = [
        row
        for name in ("comments_p1", "comments_p2")
        for row in json.loads((REAL / f"{name}.json").read_text())["data"]
    ]
    mentions = [*first, *second]
    assert [mention.text for mention in mentions] == [row["message"] for row in rows]
    assert len({mention.id for mention in mentions}) == len(rows) == 15
    by_id = {mention.id: mention for mention in mentions}
    answer = by_id["10158409983033553"]
    assert (answer.parent_id, answer.thread_id) == ("10158407903973553", "10158407903973553")
    assert by_id["10158407903973553"].parent_id == "19292868552_10158407654328553"
    assert all(mention.kind is Kind.COMMENT and mention.author is None for mention in mentions)
    assert "access_token" not in str(mentions)
    # The same person said the same twice; both are kept.
    assert sum(mention.text.startswith("Facebook for Developers Good afternoon") for mention in mentions) == 2


@needs_real_files
async def test_recorded_posts_are_posts(scripted: Any) -> None:
    mentions = await _read(scripted, REAL / "feed_fields_p1.json", page_id="4")
    assert len(mentions) == 5
    assert {mention.kind for mention in mentions} == {Kind.POST}
    assert mentions[0].text == "Happy July 4th! 🇺🇸"
    assert "access_token" not in str(mentions)


@needs_real_files
async def test_a_recorded_answer_to_a_write_is_one_comment(scripted: Any) -> None:
    [mention] = await _read(scripted, REAL / "create_resp.json")
    assert (mention.kind, mention.id, mention.text) == (Kind.COMMENT, "229887283291835", "Message from api and updated")


@needs_real_files
async def test_a_recorded_error_is_told_in_its_own_words(scripted: Any) -> None:
    with pytest.raises(BadAnswer, match="Public Content Access"):
        await _read(scripted, REAL / "error.json")


@needs_real_files
async def test_recorded_pages_through_the_poll_follow_the_cursor_and_nothing_else(scripted: Any) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        edge = request.url.path.rpartition("/")[2]
        if edge == "feed":
            post = {"id": "19292868552_10158407654328553", "created_time": "2026-11-19T10:00:00+0000"}
            return httpx.Response(200, json={"data": [post]})
        if edge == "comments":
            name = "comments_p2.json" if request.url.params.get("after") == "after" else "comments_p1.json"
            return httpx.Response(200, content=(REAL / name).read_bytes())
        return httpx.Response(200, json={"data": []})

    connector = scripted(answer, page_id="19292868552")
    batches = [batch async for batch in connector.poll(None)]
    comments = [mention for batch in batches for mention in batch.mentions if mention.kind is Kind.COMMENT]
    assert len({mention.id for mention in comments}) == len(comments) == 15
    assert all("access_token" not in str(request.url) for request in asked)
    assert all("access_token" not in json.dumps(batch.cursor) for batch in batches)


@needs_real_files
async def test_a_recorded_person_token_is_a_fault(scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/debug_token"):
            return httpx.Response(200, content=(REAL / "token_info.json").read_bytes())
        return httpx.Response(200, json={"data": [], "id": "1015550001"})

    sentences = [finding.sentence for finding in await scripted(answer).check()]
    assert any("USER, not PAGE" in sentence for sentence in sentences)
    assert any("lapsed" in sentence for sentence in sentences)


async def test_saved_recommendations_with_our_answers(scripted: Any, tmp_path: Path) -> None:
    rating = {
        "created_time": "2024-05-01T12:34:56+0000",
        "recommendation_type": "negative",
        "review_text": "Oba balíky poškozené.",
        "reviewer": {"name": "Oksana K.", "id": "5550033"},
        "open_graph_story": {
            "id": "10150030001",
            "comments": {"data": [{"id": "10150030001_301", "from": {"id": "1015550001"}, "message": "Omlouváme se"}]},
        },
    }
    review, answer = await _saved(scripted, tmp_path, {"data": [rating]})
    assert (review.kind, review.id, review.recommends) == (Kind.REVIEW, "10150030001", False)
    assert (answer.ours, answer.thread_id, answer.parent_id) == (True, review.id, review.id)


async def test_saved_posts_with_nested_comments(scripted: Any, tmp_path: Path) -> None:
    answer = {"id": "222_2", "message": "odpověď", "from": {"id": "1015550001"}}
    comment = {"id": "222_1", "message": "dotaz", "from": {"id": "7", "name": "Eva"}, "comments": {"data": [answer]}}
    post = {
        "id": "1015550001_222",
        "message": "příspěvek",
        "from": {"id": "1015550001"},
        "comments": {"data": [comment]},
    }
    mentions = {mention.text: mention for mention in await _saved(scripted, tmp_path, [{"data": [post]}])}
    assert set(mentions) == {"příspěvek", "dotaz", "odpověď"}
    assert (mentions["dotaz"].parent_id, mentions["dotaz"].thread_id) == ("1015550001_222", "1")
    assert (mentions["odpověď"].parent_id, mentions["odpověď"].thread_id, mentions["odpověď"].ours) == ("1", "1", True)


async def test_recorded_webhooks_in_any_order_with_repeats(scripted: Any, tmp_path: Path) -> None:
    def comment(verb: str, message: str, time: int, **more: Any) -> dict[str, Any]:
        value = {"item": "comment", "verb": verb, "comment_id": "222_1", "post_id": "1015550001_222",
                 "parent_id": "1015550001_222", "from": {"id": 5550001, "name": "Petr"}, "message": message,
                 "created_time": 1714566996, **more}  # fmt: skip
        return {"id": "1015550001", "time": time, "changes": [{"field": "feed", "value": value}]}

    rating = {"item": "rating", "verb": "add", "open_graph_story_id": "10150030001", "reviewer_id": "5550033",
              "reviewer_name": "Oksana K.", "recommendation_type": "NEGATIVE", "review_text": "…",
              "created_time": 1714566996}  # fmt: skip
    removed = {"item": "comment", "verb": "remove", "comment_id": "222_9"}
    entries = [
        comment("edited", "upraveno", 3),
        comment("add", "původní", 1),
        comment("add", "původní", 1),
        comment("add", "odpověď", 4, comment_id="222_2", parent_id="222_1"),
        {"id": "1", "time": 5, "changes": [{"field": "ratings", "value": rating}, {"field": "feed", "value": {}}]},
        {"id": "1", "time": 6, "changes": [{"field": "feed", "value": removed}]},
    ]  # fmt: skip
    path = tmp_path / "hooks.json"
    path.write_text("\ufeff" + json.dumps({"object": "page", "entry": entries}), encoding="utf-8")
    [batch] = [batch async for batch in scripted(_never).import_file(path)]
    found = {mention.id: mention for mention in batch.mentions}
    assert found["1"].text == "upraveno"
    assert found["1"].author.id == "5550001"
    assert found["1"].created_at.year == 2024
    assert (found["2"].parent_id, found["2"].thread_id) == ("1", "1")
    assert found["10150030001"].recommends is False
    assert list(batch.gone) == ["9"]


async def test_a_broken_row_of_a_file_is_set_aside(scripted: Any, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"data": [{"id": "222_1", "can_comment": True}, {"id": {}}, 5], "summary": {}}))
    [batch] = [batch async for batch in scripted(_never).import_file(path)]
    assert len(batch.mentions) == 1
    assert len(batch.set_aside) == 2


@pytest.mark.parametrize(
    ("row", "kind", "id"),
    [
        ({"id": "1_2_3", "message": "a", "can_comment": True}, Kind.COMMENT, "3"),
        ({"id": "1_2", "message": "a"}, Kind.POST, "1_2"),
        ({"recommendation_type": "negative", "open_graph_story": {"id": "9"}}, Kind.REVIEW, "9"),
    ],
)
async def test_an_item_set_aside_is_read_again_as_what_its_fields_say(
    scripted: Any, row: Any, kind: Kind, id: str
) -> None:
    connector = scripted(_never)
    (mention,) = connector.read_item(connector.problem(row, ValueError("odd")).raw)
    assert (mention.kind, mention.id) == (kind, id)


@pytest.mark.parametrize("raw", ["", "{", "5", "[]", '{"id": {}}', "[" * 9999])
async def test_an_item_that_still_cannot_be_read_says_why(scripted: Any, raw: str) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        scripted(_never).read_item(raw)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"{}", b'{"data"', b"5", b'"text"', b'{"rows":[]}', b"\xff\xfe\x00"]
)
async def test_a_file_of_something_else_says_so(scripted: Any, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(BadAnswer, match=r"other\.json"):
        await _read(scripted, path)


async def test_a_missing_file_says_so(scripted: Any, tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="cannot be read"):
        await _read(scripted, tmp_path / "none.json")
