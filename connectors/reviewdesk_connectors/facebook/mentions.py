"""The API's posts, comments and recommendations as mentions.

Ids: a post keeps its whole id (`PAGE_POST`); a comment is known by the last part of its id, which stays the same
however it was reached (object comment: the part before may differ). Threads: under the shop's own posts each top-level
comment starts one; a visitor's post and a recommendation are threads with all their comments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from reviewdesk.connector import Attachment, Author, Kind, Mention
from reviewdesk_connectors.facebook.payloads import (
    AttachmentPayload,
    Comment,
    Id,
    Person,
    Post,
    Rating,
    clean,
    last_part,
    moment,
    place,
    read,
    rows_of,
)

SITE = "https://www.facebook.com"


class Reader:
    """Reads the payloads of one Page.

    Args:
        page_id: tells the shop's own texts from the customers'.
        language: given to every mention; None where customers write in several.
        replies_to_ratings: whether recommendations may be answered by API.
    """

    def __init__(self, page_id: str, *, language: str | None = None, replies_to_ratings: bool = False) -> None:
        self.page_id = page_id
        self.language = language
        self.replies_to_ratings = replies_to_ratings

    def post(self, row: Any, *, ours: bool | None = None) -> Mention:
        """Gives a post; `ours` where the list itself tells whose it is.

        Raises:
            ValueError: it has another shape than the API's, or no id.
        """
        raw = clean(row)
        post = read(raw, Post)
        if not post.id:
            raise ValueError("A post without an id.")
        attachments = tuple(self._attachment(each) for each in (post.attachments.data if post.attachments else ()))
        return Mention(
            id=str(post.id),
            kind=Kind.POST,
            text=post.message or post.story,
            created_at=moment(post.created_time or post.tagged_time),
            author=_author(post.from_),
            thread_id=str(post.id),
            ours=self._is_ours(post.from_, post.admin_creator) if ours is None else ours,
            url=post.permalink_url or f"{SITE}/{post.id}",
            hidden=post.is_hidden,
            can_hide=False,
            attachments=attachments,
            language=self.language,
            raw=_without_rows(raw),
        )

    def comment(self, row: Any, *, post: str = "", ours_post: bool = True, thread: str = "") -> Mention:
        """Gives a comment.

        Args:
            post: the id of the post that it stands under; found in its permalink where not given.
            ours_post: whether that post is the shop's, so that each top-level comment is a thread.
            thread: the thread where it is known otherwise (a recommendation's).

        Raises:
            ValueError: it has another shape than the API's, or nothing that tells it from others.
        """
        raw = clean(row)
        comment = read(raw, Comment)
        where = place(comment.permalink_url)
        key = last_part(comment.id) or where.reply or where.comment
        if not key:
            if not comment.created_time or not comment.message:
                raise ValueError("A comment without an id, a link, or a time and words.")
            key = digest(comment.created_time, comment.message)
        parent = last_part(comment.parent.id) if comment.parent else (where.comment if where.reply else "")
        top = last_part(comment.parent.parent.id) if comment.parent and comment.parent.parent else parent
        post = post or self._post_of(str(comment.id), where.page, where.post)
        own = thread or (post if not ours_post else "")
        attachment = comment.attachment
        return Mention(
            id=key,
            kind=Kind.COMMENT,
            text=comment.message,
            created_at=moment(comment.created_time),
            author=_author(comment.from_),
            thread_id=own or top or key,
            parent_id=parent or thread or post or None,
            ours=self._is_ours(comment.from_, comment.admin_creator),
            url=comment.permalink_url or self.permalink(str(comment.id)),
            hidden=comment.is_hidden,
            can_reply=comment.can_comment,
            can_hide=comment.can_hide,
            can_private_reply=comment.can_reply_privately,
            attachments=(self._attachment(attachment),) if attachment else (),
            fields=_facts(comment),
            language=self.language,
            raw=_without_rows(raw),
        )

    def rating(self, row: Any) -> Iterator[Mention]:
        """Gives a recommendation and the comments on it.

        Raises:
            ValueError: it has another shape than the API's.
        """
        raw = clean(row)
        rating = read(raw, Rating)
        story = rating.open_graph_story
        kind = rating.recommendation_type.casefold()
        stars = rating.rating if rating.rating is not None and 1 <= rating.rating <= 5 else None
        key = self._rating_key(rating)
        yield Mention(
            id=key,
            kind=Kind.REVIEW,
            text=rating.review_text,
            created_at=moment(rating.created_time or (story.start_time if story else "")),
            author=_author(rating.reviewer),
            thread_id=key,
            rating=stars,
            rating_raw=kind or (f"{stars:g}" if stars is not None else ""),
            recommends={"positive": True, "negative": False}.get(kind),
            url=f"{SITE}/{self.page_id}/reviews",
            can_reply=self.replies_to_ratings and story is not None and bool(story.id),
            can_hide=False,
            can_private_reply=False,
            language=self.language,
            raw=raw,
        )
        for each in rows_of(story.comments if story else None):
            yield self.comment(each, thread=key)

    def permalink(self, id: str) -> str:
        """Gives a public address of a comment from its full id; "" for a bare one."""
        post, _, comment = id.rpartition("_")
        return f"{SITE}/{self.page_id}/posts/{last_part(post)}?comment_id={comment}" if post else ""

    def _post_of(self, comment: str, page: str, post: str) -> str:
        post = post or last_part(comment.rpartition("_")[0])
        return f"{page or self.page_id}_{post}" if post else ""

    def _rating_key(self, rating: Rating) -> str:
        if rating.open_graph_story and rating.open_graph_story.id:
            return str(rating.open_graph_story.id)
        if rating.reviewer and rating.reviewer.id:
            return f"{rating.reviewer.id}-{rating.created_time}"
        return digest(rating.created_time, rating.review_text)

    def _is_ours(self, author: Person | None, admin: Person | None) -> bool:
        if author is not None and author.id:
            return str(author.id) == self.page_id
        return admin is not None

    @staticmethod
    def _attachment(payload: AttachmentPayload) -> Attachment:
        image = payload.media.image.src if payload.media and payload.media.image else ""
        return Attachment(
            type=payload.type or payload.media_type or "attachment",
            url=payload.url or image,
            title=payload.title or payload.description,
        )


def digest(*parts: str) -> str:
    """Gives a short, stable name for something that has no id."""
    text = "\0".join(parts).encode("utf-8", "replace")
    return "x" + hashlib.blake2b(text, digest_size=10).hexdigest()


def fingerprint(mention: Mention) -> str:
    """Gives eight characters that change when a mention does: its words, and what may be done with it."""
    told = (mention.author.id or mention.author.name) if mention.author else ""
    marks = (mention.hidden, mention.can_reply, mention.can_hide, mention.can_private_reply, mention.recommends)
    return digest(mention.text, told, repr(marks), repr(mention.rating), str(len(mention.attachments)))[1:9]


def full_id(mention: Mention) -> str:
    """Gives the id that the API wants: the whole one, which the payload or the link holds, else the mention's own."""
    raw = mention.raw if isinstance(mention.raw, dict) else {}
    whole: Id = raw.get("id") or raw.get("comment_id") or ""
    if last_part(whole) == last_part(mention.id) and whole:
        return str(whole)
    linked = place(mention.url).id if mention.kind is Kind.COMMENT else ""
    return linked if linked and last_part(linked) == mention.id else mention.id


def top_level(mention: Mention) -> str:
    """Gives the id whose comments hold the answers to a mention: Facebook shows two levels, so for an answer to a
    comment that is the comment it answers.
    """
    raw = mention.raw if isinstance(mention.raw, dict) else {}
    parent = raw.get("parent")
    while isinstance(parent, dict) and parent.get("id"):
        above = parent.get("parent")
        if not isinstance(above, dict) or not above.get("id"):
            return str(parent["id"])
        parent = above
    own = full_id(mention)
    if mention.kind is not Kind.COMMENT or not mention.parent_id or "_" in mention.parent_id:
        return own
    # The payload is not at hand: a parent that is no post is the comment above, under the same post.
    return f"{own.rpartition('_')[0]}_{mention.parent_id}".lstrip("_")


def _author(person: Person | None) -> Author | None:
    if person is None or not (person.id or person.name):
        return None
    return Author(id=str(person.id) or None, name=person.name)


def _facts(comment: Comment) -> dict[str, str]:
    facts = {"likes": str(comment.like_count)} if comment.like_count else {}
    if comment.is_private:
        facts["private"] = "yes"
    if comment.admin_creator and comment.admin_creator.name:
        facts["written by"] = comment.admin_creator.name
    return facts


def _without_rows(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key != "comments"}
