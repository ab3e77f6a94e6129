"""The shapes of Reddit's answers, and what they become.

Reddit hands over things (`t1` a comment, `t3` a post) in listings. A comment has three shapes: with the post's title in
a community's listing, without it in `/api/info`, and without `permalink` and `link_id` in the inbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2s
from typing import Any
from urllib.parse import urljoin

import msgspec

from reviewdesk.connector import Attachment, Author, BadAnswer, Kind, Mention, PostedReply, one_line

SITE = "https://www.reddit.com"
DELETED_AUTHOR = "[deleted]"
UNREADABLE = (ValueError, OverflowError, OSError)
"""What `mention` raises for an item that is not as Reddit describes."""
_GONE_TEXTS = ("[deleted]", "[removed]")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One child of a listing as it came: its kind and its fields."""

    kind: str
    data: dict[str, Any]

    @property
    def fullname(self) -> str:
        """The kind and id as Reddit writes them ("t1_mz1k2ab"), "" where there is none."""
        return str(self.data.get("name") or (f"{self.kind}_{self.data['id']}" if self.data.get("id") else ""))

    @property
    def time(self) -> float:
        """When it was written, in Unix seconds; 0 where that cannot be read."""
        return _seconds(self.data.get("created_utc"))

    @property
    def parent(self) -> str:
        """The fullname of what it answers, "" where it answers nothing."""
        return str(self.data.get("parent_id") or "")


def _seconds(told: Any) -> float:
    """Gives a time in Unix seconds; 0 for what is none."""
    return float(told) if isinstance(told, int | float) and 0 <= told < 1e11 else 0.0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a listing, newest first, and the fullname after which the next one begins."""

    children: tuple[Item, ...]
    after: str | None


class _Thing(msgspec.Struct, frozen=True, kw_only=True):
    created_utc: Any = None
    author: str | None = None
    author_fullname: str | None = None
    edited: bool | float = False
    subreddit: str | None = None
    permalink: str | None = None
    locked: bool = False
    archived: bool = False
    score: int | None = None
    score_hidden: bool = False

    @property
    def writer(self) -> Author | None:
        if not self.author or self.author == DELETED_AUTHOR:
            return None
        return Author(id=self.author_fullname, name=self.author, url=f"{SITE}/user/{self.author}")

    @property
    def created_at(self) -> datetime | None:
        seconds = _seconds(self.created_utc)
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    @property
    def edited_at(self) -> datetime | None:
        # Edits of Reddit's first years are told as a bare true.
        return None if isinstance(self.edited, bool) else datetime.fromtimestamp(self.edited, UTC)

    @property
    def facts(self) -> dict[str, str]:
        facts = {"subreddit": f"r/{self.subreddit}"} if self.subreddit else {}
        if self.score is not None and not self.score_hidden:
            facts["score"] = str(self.score)
        return facts

    @property
    def can_reply(self) -> bool | None:
        return False if self.locked or self.archived else None


class Comment(_Thing, frozen=True, kw_only=True):
    """A `t1`, in any of its three shapes."""

    body: str | None = None
    link_id: str | None = None
    link_title: str | None = None
    parent_id: str | None = None
    context: str | None = None
    removed: bool = False
    spam: bool = False

    @property
    def thread(self) -> str | None:
        """The post's fullname; the inbox tells it only by the path `/r/name/comments/<post>/…`."""
        parts = (self.context or "").split("/")
        if self.link_id or len(parts) < 5 or parts[3] != "comments":
            return self.link_id
        return f"t3_{parts[4]}"

    @property
    def page(self) -> str:
        """The public page of the comment."""
        path = self.permalink or (self.context or "").partition("?")[0]
        return urljoin(SITE, path) if path else ""


class Post(_Thing, frozen=True, kw_only=True):
    """A `t3`."""

    title: str | None = None
    selftext: str | None = None
    url: str | None = None
    is_self: bool = True
    removed_by_category: str | None = None


class _ListingData(msgspec.Struct, frozen=True):
    children: list[Any]
    after: str | None = None


class _Listing(msgspec.Struct, frozen=True):
    data: _ListingData


def page(answer: Any) -> Page:
    """Gives a listing's page.

    Raises:
        BadAnswer: it is no listing.
    """
    try:
        listing = msgspec.convert(answer, _Listing)
    except (msgspec.ValidationError, RecursionError):
        raise BadAnswer(
            "Reddit answered something that is no listing.",
            hint="If it stays so, its API has changed or a login page stands in between.",
        ) from None
    return Page(children=tuple(map(_item, listing.data.children)), after=listing.data.after or None)


def _item(child: Any) -> Item:
    """Gives a child of a listing; one of another shape as an item of no kind, which is set aside later."""
    try:
        return msgspec.convert(child, Item)
    except (msgspec.ValidationError, RecursionError):
        return Item(kind="", data={"unreadable": child})


def kept(data: dict[str, Any]) -> Item:
    """Gives an item from the fields that were kept of one set aside; its name tells what kind it is."""
    if "unreadable" in data:
        return _item(data["unreadable"])
    return Item(kind=str(data.get("name"))[:2], data=data)


def walk(value: Any) -> Iterator[Item]:
    """Gives every comment and post in a saved answer: a listing, a thread's `.json`, or the answer to a reply."""
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            kind, data = current.get("kind"), current.get("data")
            if isinstance(kind, str) and isinstance(data, dict):
                if kind == "Listing":
                    stack.append(data.get("children"))
                elif kind != "more":
                    yield Item(kind=kind, data=data)
                    stack.append(data.get("replies"))
            elif isinstance(current.get("json"), dict) and isinstance(current["json"].get("data"), dict):
                stack.append(current["json"]["data"].get("things"))


def is_gone(item: Item) -> bool:
    """Tells whether only a stub is left: deleted by its author, or removed by a moderator or by Reddit."""
    if item.kind == "t3":
        return bool(item.data.get("removed_by_category")) or item.data.get("selftext") in _GONE_TEXTS
    return item.data.get("body") in _GONE_TEXTS


def is_of_inbox(item: Item) -> bool:
    """Tells whether an item has the inbox's shape, which knows nothing of edits."""
    return bool(item.data.get("was_comment"))


def fingerprint(item: Item) -> str:
    """Gives what changes when the words or their author change; the same from every shape of an item."""
    facts = [item.data.get(name) or "" for name in ("author", "title", "selftext", "body")]
    return blake2s("\0".join(map(str, facts)).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def mention(item: Item, me: str) -> Mention:
    """Gives the mention that an item is.

    Args:
        me: our own account's name, "" where nobody is signed in.

    Raises:
        ValueError: a field is missing or not what Reddit describes (`msgspec.ValidationError` is one).
        OverflowError, OSError: a time that no calendar has.
    """
    if not item.fullname:
        raise ValueError("It has no id.")
    if item.kind == "t1":
        return _from_comment(item, msgspec.convert(item.data, Comment), me)
    if item.kind == "t3":
        return _from_post(item, msgspec.convert(item.data, Post), me)
    raise ValueError(f"A thing of the kind {one_line(item.kind)[:20]!r} is neither comment nor post.")


def _from_comment(item: Item, told: Comment, me: str) -> Mention:
    return Mention(
        id=item.fullname,
        kind=Kind.COMMENT,
        text=told.body or "",
        title=told.link_title or "",
        created_at=told.created_at,
        edited_at=told.edited_at,
        author=told.writer,
        ours=is_me(told.author, me),
        thread_id=told.thread,
        parent_id=told.parent_id,
        url=told.page,
        can_reply=told.can_reply,
        fields=told.facts,
        raw=item.data,
    )


def _from_post(item: Item, told: Post, me: str) -> Mention:
    link = (Attachment(type="link", url=told.url),) if told.url and not told.is_self else ()
    return Mention(
        id=item.fullname,
        kind=Kind.POST,
        text=told.selftext or "",
        title=told.title or "",
        created_at=told.created_at,
        edited_at=told.edited_at,
        author=told.writer,
        ours=is_me(told.author, me),
        thread_id=item.fullname,
        url=urljoin(SITE, told.permalink) if told.permalink else "",
        can_reply=told.can_reply,
        attachments=link,
        fields=told.facts,
        raw=item.data,
    )


def is_me(author: str | None, me: str) -> bool:
    """Tells whether a name is our account's; Reddit's names know no case."""
    return bool(me) and author is not None and author.casefold() == me.casefold()


def posted(data: dict[str, Any]) -> PostedReply:
    """Gives our own comment as a posted reply; with its id alone where the rest cannot be read."""
    name = Item(kind="t1", data=data).fullname
    try:
        told = msgspec.convert(data, Comment)
        return PostedReply(
            id=name,
            posted_at=told.created_at,
            visible=not (told.removed or told.spam),
            text=told.body,
            url=told.page,
        )
    except UNREADABLE:
        return PostedReply(id=name)
