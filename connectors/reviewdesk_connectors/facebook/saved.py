"""Saved answers of the Graph API as mentions: lists of posts, comments or recommendations, single comments, and
recorded webhook deliveries (`{"object": "page", "entry": […]}`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from reviewdesk.connector import BadAnswer, Batch, Mention, SetAside
from reviewdesk_connectors.facebook.mentions import Reader
from reviewdesk_connectors.facebook.payloads import last_part, lenient_json, place

AT_ONCE = 500
"""Rows in one batch."""
_OF_RATINGS = frozenset(("recommendation_type", "review_text", "has_review", "open_graph_story"))
_OF_COMMENTS = frozenset(
    ("parent", "comment_count", "can_comment", "can_remove", "can_reply_privately", "is_private", "attachment")
)
Problem = Callable[[Any, Exception], SetAside]


class Change(msgspec.Struct):
    """One change of a webhook delivery."""

    field: str = ""
    value: dict[str, Any] = {}


class Entry(msgspec.Struct):
    """The changes of one Page in a delivery."""

    time: int = 0
    changes: list[Change] = []


def batches(content: bytes, name: str, reader: Reader, problem: Problem) -> Iterator[Batch]:
    """Gives the mentions in a file's content.

    Args:
        name: the file's, for the error.

    Raises:
        BadAnswer: it is not an answer of the Graph API.
    """
    value = lenient_json(content.decode("utf-8-sig", "replace"))
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        raise BadAnswer(f"{name} holds an error of the Graph API instead of data: {value['error'].get('message')}")
    parts = value if isinstance(value, list) else [value]
    read_any = False
    for part in parts:
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("entry"), list):
            read_any = True
            yield _webhook(part["entry"], reader, problem)
        elif isinstance(part.get("data"), list):
            read_any = True
            yield from _rows(part["data"], _kind_of_list(part, reader.page_id), reader, problem)
        elif "id" in part or _OF_RATINGS & part.keys() or "permalink_url" in part:
            read_any = True
            yield from _rows([part], _kind_of_rows([part], reader.page_id), reader, problem)
    if not read_any and value != []:
        raise BadAnswer(
            f"{name} holds no answer of the Graph API.",
            hint='Such a file is JSON with a list under "data", or a recorded webhook with "entry".',
        )


def item(raw: str, reader: Reader) -> list[Mention]:
    """Gives what stands in the payload of one item that was set aside.

    Raises:
        ValueError: it still cannot be read.
    """
    row = lenient_json(raw)
    if not isinstance(row, dict):
        raise ValueError("What was kept of it is no JSON object.")
    return list(_read(row, _kind_of_rows([row], reader.page_id), reader))


def _rows(rows: list[Any], kind: str, reader: Reader, problem: Problem) -> Iterator[Batch]:
    for start in range(0, len(rows), AT_ONCE):
        mentions: list[Mention] = []
        set_aside: list[SetAside] = []
        for row in rows[start : start + AT_ONCE]:
            try:
                mentions += _read(row, kind, reader)
            except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
                set_aside.append(problem(row, error))
        yield Batch(mentions=mentions, set_aside=set_aside, total=len(rows))


def _read(row: Any, kind: str, reader: Reader, post: Mention | None = None) -> Iterator[Mention]:
    if kind == "ratings":
        yield from reader.rating(row)
        return
    if kind == "posts":
        mention = reader.post(row)
        under: Mention | None = mention
    else:
        mention = reader.comment(row, post=post.id if post else "", ours_post=post.ours if post else True)
        under = post
    yield mention
    nested = row.get("comments")
    for each in nested.get("data", ()) if isinstance(nested, dict) else ():
        if kind == "comments" and isinstance(each, dict):
            each = {"parent": {"id": row.get("id") or mention.id}, **each}
        yield from _read(each, "comments", reader, under)


def _kind_of_list(part: dict[str, Any], page_id: str) -> str:
    paging = part.get("paging")
    links = [paging.get(name) for name in ("next", "previous")] if isinstance(paging, dict) else []
    for link in links:
        edge = urlsplit(link).path.rpartition("/")[2] if isinstance(link, str) else ""
        if edge in ("comments", "ratings"):
            return edge
        if edge in ("feed", "posts", "published_posts", "visitor_posts", "tagged", "ads_posts"):
            return "posts"
    return _kind_of_rows(part["data"], page_id)


def _kind_of_rows(rows: list[Any], page_id: str) -> str:
    keys = {key for row in rows if isinstance(row, dict) for key in row}
    if _OF_RATINGS & keys:
        return "ratings"
    links = (str(row.get("permalink_url", "")) for row in rows if isinstance(row, dict))
    if _OF_COMMENTS & keys or any(place(link).comment for link in links):
        return "comments"
    return "posts"


def _webhook(entries: Iterable[Any], reader: Reader, problem: Problem) -> Batch:
    """Reads deliveries: unordered, repeated, so they are put in order and the last word on an item counts."""
    mentions: dict[str, Mention] = {}
    gone: list[str] = []
    set_aside: list[SetAside] = []
    timed: list[tuple[int, Change]] = []
    for raw in entries:
        try:
            entry = msgspec.convert(raw, Entry, strict=False)
            timed += [(entry.time, change) for change in entry.changes]
        except (msgspec.MsgspecError, RecursionError) as error:
            set_aside.append(problem(raw, error))
    for _, change in sorted(timed, key=lambda each: each[0]):
        value = change.value
        try:
            if value.get("verb") == "remove":
                key = (
                    last_part(value["comment_id"]) if value.get("item") == "comment" else str(value.get("post_id", ""))
                )
                gone += [key] if key else []
            elif value.get("verb") in ("add", "edit", "edited"):
                mentions.update((mention.id, mention) for mention in _changed(change.field, value, reader))
        except (msgspec.MsgspecError, ValueError, KeyError, OverflowError, RecursionError) as error:
            set_aside.append(problem(value, error))
    return Batch(mentions=tuple(mentions.values()), set_aside=tuple(set_aside), gone=tuple(gone))


def _changed(field: str, value: dict[str, Any], reader: Reader) -> Iterator[Mention]:
    """Gives what one change tells of, by way of the same shapes that the lists have."""
    person = value.get("from") or {"id": value.get("sender_id", ""), "name": value.get("sender_name", "")}
    common = {"message": value.get("message", ""), "created_time": _time(value.get("created_time")), "from": person}
    item, post = value.get("item"), str(value.get("post_id", ""))
    if field == "ratings" and item == "rating":
        story, reviewer = value.get("open_graph_story_id"), {"id": value.get("reviewer_id", "")}
        yield from reader.rating(
            {
                "created_time": common["created_time"],
                "recommendation_type": value.get("recommendation_type", ""),
                "review_text": value.get("review_text", ""),
                "reviewer": {**reviewer, "name": value.get("reviewer_name", "")},
                "open_graph_story": {"id": story} if story else None,
            }
        )
    elif item == "comment" and value.get("comment_id"):
        parent = value.get("parent_id")
        answers = {"parent": {"id": parent}} if parent and parent != value.get("post_id") else {}
        yield reader.comment({"id": value["comment_id"], **common, **answers}, post=post)
    elif post and item in ("status", "post", "photo", "video", "share"):
        yield reader.post({"id": post, **common})


def _time(value: Any) -> str:
    try:
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    except (TypeError, ValueError, OverflowError, OSError):
        return str(value or "")
