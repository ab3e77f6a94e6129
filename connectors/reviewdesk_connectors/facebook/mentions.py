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
            url=self._address(comment, key, top, post or thread),
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

    def permalink(self, id: str, top: str = "") -> str:
        """Gives a public address of a comment from its full id and the comment it answers; "" for a bare id."""
        post, _, comment = id.rpartition("_")
        query = f"comment_id={top}&reply_comment_id={comment}" if top else f"comment_id={comment}"
        return f"{SITE}/{self.page_id}/posts/{last_part(post)}?{query}" if post else ""

    def _address(self, comment: Comment, key: str, top: str, post: str) -> str:
        """Gives a comment's address; one that does not name the post and the comment by number is replaced, since
        the full id is read back from it when the comment is answered.
        """
        if "_" in place(comment.permalink_url).id:
            return comment.permalink_url
        whole = str(comment.id) if "_" in str(comment.id) else f"{last_part(post)}_{key}" if post else ""
        return self.permalink(whole, top) or comment.permalink_url

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
    """Gives the id that the API wants: of a comment the whole one, which its link holds, else the bare one."""
    if mention.kind is not Kind.COMMENT:
        return mention.id
    linked = place(mention.url).id
    return linked if last_part(linked) == mention.id else mention.id


def top_level(mention: Mention) -> str:
    """Gives the id whose comments hold the answers to a mention.

    Facebook shows two levels, so for an answer to a comment that is the comment at the top of its thread.
    """
    own = full_id(mention)
    post = own.rpartition("_")[0]
    above = mention.parent_id or ""
    if mention.kind is not Kind.COMMENT or not above or last_part(above) == post or "_" in above:
        return own
    thread = mention.thread_id or ""
    top = above if not thread or "_" in thread or thread == post else thread
    return f"{post}_{top}" if post else top


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
