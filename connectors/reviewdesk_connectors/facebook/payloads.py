"""The Graph API's types as far as they are used (reference: comment, page-post, recommendation, debug_token).

Lenient on purpose: the API leaves out what is null, empty or forbidden, so every field may be missing; ids are strings
in answers and sometimes integers in webhooks, and are strings here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from reviewdesk.connector import Answer, BadAnswer, redact, safe_url

Id = int | str
_HALF = re.compile("[\ud800-\udfff]")
_A_LINK = re.compile(r"https?://\S+")
T = TypeVar("T")


class Payload(msgspec.Struct, kw_only=True):
    """The base of the API's types; unknown fields are left alone."""


class Person(Payload):
    """Who wrote something: a person, or a Page."""

    id: Id = ""
    name: str = ""


class Reference(Payload):
    """A comment named by another one; `parent` where its own parent was asked for too."""

    id: Id = ""
    parent: Reference | None = None


class Image(Payload):
    """A picture's address; those on Facebook's delivery network expire."""

    src: str = ""


class Media(Payload):
    """What an attachment shows."""

    image: Image | None = None


class AttachmentPayload(Payload):
    """One attachment of a comment (`type`) or a post (`media_type`)."""

    type: str = ""
    media_type: str = ""
    title: str = ""
    description: str = ""
    url: str = ""
    media: Media | None = None


class Attachments(Payload):
    """A post's attachments."""

    data: list[AttachmentPayload] = []


class Summary(Payload):
    """What a list says of itself; `total_count` also counts comments that are not handed out."""

    order: str = ""
    total_count: int | None = None
    can_comment: bool | None = None


class Comments(Payload):
    """A nested list of comments; its rows are read one by one."""

    data: list[Any] = []
    summary: Summary | None = None


class Post(Payload):
    """An item of /feed, /ads_posts and /tagged."""

    id: Id = ""
    message: str = ""
    story: str = ""
    created_time: str = ""
    updated_time: str = ""
    tagged_time: str = ""
    from_: Person | None = msgspec.field(default=None, name="from")
    admin_creator: Person | None = None
    permalink_url: str = ""
    status_type: str = ""
    is_hidden: bool = False
    attachments: Attachments | None = None
    comments: Comments | None = None


class Comment(Payload):
    """A comment, or a reply to one. There is no update time and no mark of an edit."""

    id: Id = ""
    message: str = ""
    created_time: str = ""
    from_: Person | None = msgspec.field(default=None, name="from")
    admin_creator: Person | None = None
    parent: Reference | None = None
    permalink_url: str = ""
    is_hidden: bool = False
    is_private: bool = False
    can_comment: bool | None = None
    can_hide: bool | None = None
    can_remove: bool | None = None
    can_reply_privately: bool | None = None
    comment_count: int = 0
    like_count: int = 0
    attachment: AttachmentPayload | None = None
    comments: Comments | None = None


class Story(Payload):
    """The story behind a recommendation: what carries its id and its comments."""

    id: Id = ""
    start_time: str = ""
    comments: Comments | None = None


class Rating(Payload):
    """A recommendation, or a star rating from before August 2018. It has no id of its own."""

    created_time: str = ""
    has_rating: bool = False
    has_review: bool = False
    rating: float | None = None
    recommendation_type: str = ""
    review_text: str = ""
    reviewer: Person | None = None
    open_graph_story: Story | None = None


class TokenError(Payload):
    """Why a token is not valid; here the key is `subcode`, unlike in errors."""

    code: int = 0
    subcode: int = 0
    message: str = ""


class Granular(Payload):
    """A permission and the Pages it was given for; no list means all."""

    scope: str = ""
    target_ids: list[Id] | None = None


class Token(Payload):
    """What debug_token tells; times in Unix seconds, 0 = never."""

    app_id: Id = ""
    type: str = ""
    profile_id: Id = ""
    is_valid: bool = False
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: list[str] = []
    granular_scopes: list[Granular] = []
    error: TokenError | None = None


class Page(Payload):
    """The Page itself."""

    id: Id = ""
    name: str = ""
    is_published: bool | None = None
    overall_star_rating: float | None = None
    rating_count: int | None = None


class Cursors(Payload):
    """The two ends of a page of a list."""

    before: str = ""
    after: str = ""


class Paging(Payload):
    """Where a list goes on. `next` holds the token in clear and is never followed, stored or shown."""

    cursors: Cursors = msgspec.field(default_factory=Cursors)
    next: str = ""

    def position(self) -> dict[str, str]:
        """Gives the parameters that ask for the next page; empty at the list's end."""
        if not self.next:
            return {}
        if self.cursors.after:
            return {"after": self.cursors.after}
        try:
            query = parse_qs(urlsplit(self.next).query)
        except ValueError:
            return {}
        return {name: query[name][0] for name in ("after", "until", "since", "__paging_token") if name in query}


class Listing(Payload):
    """One page of a list; its rows are read one by one, so that a broken one does not stop the others."""

    data: list[Any] = []
    paging: Paging = msgspec.field(default_factory=Paging)
    summary: Summary | None = None


class ErrorBody(Payload):
    """An error as the API tells it."""

    message: str = ""
    type: str = ""
    code: int = 0
    error_subcode: int = 0
    is_transient: bool = False
    error_user_title: str = ""
    error_user_msg: str = ""
    fbtrace_id: str = ""


def decode(answer: Answer) -> Any:
    """Gives an answer's JSON.

    Raises:
        BadAnswer: it is none.
    """
    try:
        return answer.json()
    except BadAnswer:
        # An emoji cut in halves (`"\ud83d"`) is JSON to Python's own reader alone; `clean` mends it.
        value = lenient_json(answer.text)
        if value is None:
            raise
        return value


def lenient_json(text: str) -> Any:
    """Gives the value of a JSON text in which halves of emoji stand alone; None where it is not JSON."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def clean(value: Any) -> Any:
    """Gives a payload fit to be kept: no paging links, no tokens, no nulls, no halves of characters.

    Raises:
        RecursionError: it is nested too deep.
    """
    if isinstance(value, dict):
        return {str(key): clean(each) for key, each in value.items() if each is not None and key != "paging"}
    if isinstance(value, list):
        return [clean(each) for each in value if each is not None]
    if isinstance(value, str):
        text = value if value.isascii() else _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
        return redact(safe_url(text) if "access_token=" in text and _A_LINK.fullmatch(text) else text)
    return value


def read(row: Any, type: type[T]) -> T:
    """Gives a cleaned payload as one of the API's types.

    Raises:
        msgspec.ValidationError: it has not that shape.
    """
    return msgspec.convert(row, type, strict=False)


def moment(value: str | int) -> datetime | None:
    """Gives a time of the API (`2024-05-01T12:34:56+0000`, or Unix seconds) in UTC; None for what is none."""
    try:
        if isinstance(value, int) or value.isdigit():
            return datetime.fromtimestamp(int(value), UTC)
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def last_part(id: Id) -> str:
    """Gives the part of an id that stays the same however the comment was reached (`222_900001` -> `900001`)."""
    return str(id).rpartition("_")[2]


class Place(msgspec.Struct, frozen=True):
    """Where a permalink leads: a post, a comment under it, a reply to that; "" for what it does not name."""

    page: str = ""
    post: str = ""
    comment: str = ""
    reply: str = ""

    @property
    def id(self) -> str:
        """The full id of the comment or reply, "" where the link names none."""
        own = self.reply or self.comment
        return f"{self.post}_{own}" if self.post and own else own


def place(permalink: str) -> Place:
    """Reads a permalink such as `https://www.facebook.com/PAGE/posts/POST?comment_id=1&reply_comment_id=2`."""
    try:
        parts = urlsplit(permalink)
        query = parse_qs(parts.query)
    except ValueError:
        return Place()
    path = [part for part in parts.path.split("/") if part]
    numbers = [part for part in path if part.isdigit()]
    post = query.get("story_fbid", [""])[0] or (path[-1] if path and path[-1].isdigit() and len(path) > 1 else "")
    return Place(
        page=query.get("id", [""])[0] or (numbers[0] if len(numbers) > 1 else ""),
        post=post if post.isdigit() else "",
        comment=_number(query, "comment_id"),
        reply=_number(query, "reply_comment_id"),
    )


def _number(query: dict[str, list[str]], name: str) -> str:
    value = last_part(query.get(name, [""])[0])
    return value if value.isdigit() else ""


def rows_of(comments: Comments | None) -> Iterator[Any]:
    """Gives the rows of a nested list that may be missing."""
    yield from comments.data if comments else ()
