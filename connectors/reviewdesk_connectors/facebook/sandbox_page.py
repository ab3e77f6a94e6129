"""The emulated Page itself: its posts, comments and recommendations, who writes them, and how the API shows them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

PAGE_ID = "1015550001"
PAGE_NAME = "Shop Demo"
_ANNOUNCEMENTS = (
    "Od pondělí doručujeme i do výdejních boxů.",
    "Nová kolekce bot je na e-shopu. Která barva se vám líbí?",
    "New delivery terms from Monday",
)


class Person(msgspec.Struct, frozen=True):
    """Somebody who writes."""

    id: str
    name: str


class Comment(msgspec.Struct):
    """A comment; `parent` is the top-level comment it answers, `target` what the shop's call was sent to."""

    id: str
    post: str
    message: str
    created: datetime
    author: Person
    parent: str = ""
    target: str = ""
    hidden: bool = False
    liked: bool = False
    written_to: bool = False
    attachment: dict[str, Any] | None = None
    told_time: str | None = None


class Post(msgspec.Struct):
    """A post; `edge` is the list it is in."""

    id: str
    message: str
    created: datetime
    updated: datetime
    author: Person
    edge: str = "feed"
    hidden: bool = False


class Rating(msgspec.Struct):
    """A recommendation and its story's id."""

    story: str
    text: str
    positive: bool
    created: datetime
    author: Person


class Message(msgspec.Struct):
    """A private message that the shop sent in answer to a comment or post."""

    to: str
    text: str


class Refusal(Exception):
    """An answer in the Graph API's error shape."""

    def __init__(self, code: int, message: str, subcode: int = 0, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.code, self.subcode, self.status = code, subcode, status
        kind = "GraphMethodException" if (code, subcode) == (100, 33) else "OAuthException"
        body = {"message": message, "type": kind, "code": code, **({"error_subcode": subcode} if subcode else {})}
        self.body = {"error": {**body, **more, "fbtrace_id": "AbCdEfGh123"}}


class SandboxPage:
    """A Page's state; it starts with three posts of the shop's.

    Attributes:
        posts, comments: by whole id.
        authors_hidden: leave out who wrote comments.
        version: counts what was added and removed.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.owner = Person(PAGE_ID, PAGE_NAME)
        self.posts: dict[str, Post] = {}
        self.comments: dict[str, Comment] = {}
        self.ratings: list[Rating] = []
        self.messages: list[Message] = []
        self.authors_hidden = False
        self.version = 0
        self._answers: Counter[str] = Counter()
        self._number = 0
        now = clock()
        for age, text in zip((9, 4, 1), _ANNOUNCEMENTS, strict=True):
            self.add_post(text, self.owner, created=now - timedelta(days=age))

    def comment(
        self,
        post: str,
        text: str,
        author: str,
        *,
        under: str = "",
        attachment: dict[str, Any] | None = None,
    ) -> Comment:
        """Somebody comments on a post, or answers the comment `under`."""
        return self.add_comment(post, text, self.person(author), under=under, attachment=attachment)

    def visit(self, text: str, author: str) -> Post:
        """A visitor writes on the Page."""
        return self.add_post(text, self.person(author))

    def tag(self, text: str, author: str) -> Post:
        """Somebody tags the Page in a post of their own."""
        return self.add_post(text, self.person(author), edge="tagged")

    def advertise(self, text: str) -> Post:
        """The shop runs an ad; it is in no list but the ads'."""
        return self.add_post(text, self.owner, edge="ads_posts")

    def recommend(self, text: str, author: str, *, positive: bool) -> Rating:
        """A customer recommends the Page, or does not."""
        self._number += 1
        rating = Rating(f"10150{self._number:06d}", text, positive, self.clock(), self.person(author))
        self.ratings.append(rating)
        return rating

    def post_row(self, post: Post, *, tagged: bool = False) -> dict[str, Any]:
        """Gives a post as a list has it; the list of tagged posts tells less."""
        under = [each for each in self.comments.values() if each.post == post.id]
        row: dict[str, Any] = {
            "id": post.id,
            "message": post.message,
            "created_time": _time(post.created),
            "updated_time": _time(post.updated),
            "from": {"name": post.author.name, "id": post.author.id},
            "permalink_url": f"https://www.facebook.com/{PAGE_ID}/posts/{bare(post.id)}",
            "status_type": "mobile_status_update" if post.author == self.owner else "wall_post",
            "is_hidden": post.hidden,
            "comments": {
                "data": [],
                "summary": {"order": "chronological", "total_count": len(under), "can_comment": True},
            },
        }
        if tagged:
            del row["from"], row["comments"]
            row["tagged_time"] = row["created_time"]
        return row

    def rating_row(self, rating: Rating) -> dict[str, Any]:
        """Gives a recommendation with the comments on its story."""
        comments = [self.comment_row(each) for each in self.comments.values() if each.post == rating.story]
        story: dict[str, Any] = {"id": rating.story, "start_time": _time(rating.created)}
        if comments:
            kept = ("id", "from", "message", "created_time")
            story["comments"] = {"data": [{key: row[key] for key in kept if key in row} for row in comments]}
        return {
            "created_time": _time(rating.created),
            "has_rating": False,
            "has_review": bool(rating.text),
            "recommendation_type": "positive" if rating.positive else "negative",
            "review_text": rating.text,
            "reviewer": {"name": rating.author.name, "id": rating.author.id},
            "open_graph_story": story,
        }

    def comment_row(self, comment: Comment) -> dict[str, Any]:
        """Gives a comment as a list has it."""
        shop = comment.author == self.owner
        query = {"comment_id": bare(comment.parent or comment.id)}
        if comment.parent:
            query["reply_comment_id"] = bare(comment.id)
        row: dict[str, Any] = {
            "id": comment.id,
            "message": comment.message,
            "created_time": _time(comment.created) if comment.told_time is None else comment.told_time,
            "from": {"name": comment.author.name, "id": comment.author.id},
            "permalink_url": f"https://www.facebook.com/{PAGE_ID}/posts/{bare(comment.post)}?{urlencode(query)}",
            "is_hidden": comment.hidden,
            "is_private": False,
            "can_comment": True,
            "can_hide": not shop,
            "can_remove": True,
            "can_reply_privately": not shop and not comment.written_to,
            "comment_count": self._answers[comment.id],
            "like_count": int(comment.liked),
        }
        if comment.parent:
            row["parent"] = {"id": comment.parent}
        if comment.attachment is not None:
            row["attachment"] = comment.attachment
        if not comment.author.name or (self.authors_hidden and not shop):
            del row["from"]
        return row

    def remove(self, id: str) -> None:
        """A comment with its answers, or a post with its comments, goes."""
        self.posts.pop(id, None)
        for key in [key for key, each in self.comments.items() if id in (key, each.parent, each.post)]:
            self._answers[self.comments.pop(key).parent] -= 1
        self.version += 1

    def found(self, id: str) -> Comment:
        """Finds a comment by its whole or bare id."""
        found = self.comments.get(id) or next((each for each in self.comments.values() if bare(each.id) == id), None)
        if found is None:
            raise Refusal(
                100,
                f"Unsupported request. Object with ID '{id}' does not exist or cannot be loaded",
                33,
            )
        return found

    def add_post(self, text: str, author: Person, *, edge: str = "feed", created: datetime | None = None) -> Post:
        """Adds a post to a list."""
        self._number += 1
        owner = author.id if edge == "tagged" else PAGE_ID
        made = created or self.clock()
        post = Post(f"{owner}_222{self._number:06d}", text, made, made, author, edge)
        self.posts[post.id] = post
        return post

    def add_comment(
        self,
        post: str,
        text: str,
        author: Person,
        *,
        under: str = "",
        target: str = "",
        attachment: dict[str, Any] | None = None,
    ) -> Comment:
        """Adds a comment; `target` is what the call was sent to, where the shop wrote it by API."""
        self._number += 1
        above = self.comments.get(under)
        comment = Comment(
            id=f"{bare(post)}_900{self._number:06d}",
            post=post,
            message=text,
            created=self.clock(),
            author=author,
            # Facebook shows two levels: an answer to an answer hangs on the top-level comment.
            parent=(above.parent or above.id) if above else "",
            target=target,
            attachment=attachment,
        )
        self.comments[comment.id] = comment
        self._answers[comment.parent] += 1
        self.version += 1
        if post in self.posts:
            self.posts[post].updated = comment.created
        return comment

    def is_announcement(self, post: Post) -> bool:
        """Tells whether a post is the shop's own on its Page."""
        return post.author == self.owner and post.edge == "feed"

    def person(self, name: str) -> Person:
        """Gives the person of a name, with the same id each time."""
        number = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=5).digest(), "big")
        return Person(f"555{number}", name)


def bare(id: str) -> str:
    """Gives the last part of an id, by which the connector knows a comment."""
    return id.rpartition("_")[2]


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
