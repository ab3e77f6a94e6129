"""The connector for Facebook Pages (Graph API: comment, page-post, recommendation, private replies)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from reviewdesk.connector import (
    BadAnswer,
    Batch,
    Capabilities,
    Connector,
    ConnectorError,
    Context,
    Cursor,
    Finding,
    Kind,
    Mention,
    NotThere,
    OutcomeUnknown,
    PostedReply,
    Refused,
    ReplyMode,
    SetAside,
    Unsupported,
    same_text,
)
from reviewdesk_connectors.facebook import inspection, saved
from reviewdesk_connectors.facebook.errors import Trouble, trouble_of
from reviewdesk_connectors.facebook.graph import Graph
from reviewdesk_connectors.facebook.mentions import SITE, Reader, full_id, top_level
from reviewdesk_connectors.facebook.payloads import Comment, clean, last_part, moment, place, read
from reviewdesk_connectors.facebook.polling import COMMENT_FIELDS, COMMENTS, POST_FIELDS, Poll
from reviewdesk_connectors.facebook.settings import FacebookSettings

CLOCKS_APART = timedelta(seconds=120)
"""How far the platform's clock may be behind ours."""
LOOK_BACK = 8
"""Pages of 25 comments in which a reply of ours is looked for, newest first."""
_NOTHING_POSTED = frozenset((Trouble.NO_FUNCTION, Trouble.PARAMETER, Trouble.GONE))


class Facebook(Connector[FacebookSettings]):
    """A Facebook Page: posts, comments, visitors' and tagged posts, recommendations, and the replies to them."""

    platform: ClassVar[str] = "facebook"
    title: ClassVar[str] = "Facebook"
    settings: ClassVar[type[FacebookSettings]] = FacebookSettings
    tier: ClassVar[str] = "platinum"
    capabilities = Capabilities(
        reply=ReplyMode.API,
        find_reply=True,
        reread=True,
        edit_reply=True,
        delete_reply=True,
        hide=True,
        like=True,
        private_reply=True,
        import_file=True,
        flat=True,
        reply_length=8000,
        poll_seconds=300,
    )

    def __init__(self, context: Context[FacebookSettings]) -> None:
        super().__init__(context)
        self.capabilities = msgspec.structs.replace(type(self).capabilities, reply_length=self.config.comment_length)
        self._graph = Graph(context)
        self._reader = Reader(
            self.config.page_id, language=self.config.language, replies_to_ratings=self.config.reply_to_ratings
        )

    def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """Gives what is new; see `polling`."""
        return Poll(self.context, self._graph, self._reader, self._set_aside, cursor).batches()

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        """Posts a comment under a comment or a post.

        There is no idempotency key. The path always ends in `/comments`: without it the same call would edit the
        customer's comment.
        """
        if mention.kind is not Kind.REVIEW:
            return await self._post_comment(full_id(mention), text)
        failure: ConnectorError | None = None
        for story in self._stories(mention):
            try:
                return await self._post_comment(story, text)
            except ConnectorError as error:
                if trouble_of(error) not in _NOTHING_POSTED:
                    raise
                failure = error
        raise Refused(
            f"Facebook takes no answer to this recommendation by API. {failure or ''}".rstrip(),
            hint="Answer it on Facebook itself.",
        )

    async def _post_comment(self, target: str, text: str) -> PostedReply:
        form = {"message": text, "fields": "id,message,created_time,permalink_url"}
        answer = await self._graph.post(f"{target}/comments", form)
        posted = str(answer.get("id") or "")
        if not posted or last_part(posted) == last_part(target):
            raise OutcomeUnknown("Facebook accepted the reply and did not say under which id.")
        return self._posted(answer, posted, text)

    def _posted(self, row: Any, id: str, text: str) -> PostedReply:
        try:
            comment = read(clean(row), Comment)
        except (msgspec.MsgspecError, RecursionError):
            comment = Comment()
        return PostedReply(
            id=last_part(id),
            posted_at=moment(comment.created_time),
            text=comment.message or text,
            url=comment.permalink_url or self._reader.permalink(id),
        )

    def _stories(self, mention: Mention) -> list[str]:
        """Gives the ids under which a recommendation's comments may be reached; undocumented, seen in the field."""
        if not self.config.reply_to_ratings:
            raise Unsupported(
                "Recommendations are not answered by API.",
                hint="Answer on Facebook itself, or set reply_to_ratings = true to try.",
            )
        if not mention.id.isdigit():
            raise Unsupported("This recommendation has no story that could be answered.")
        reviewer = mention.author.id if mention.author else None
        owners = [owner for owner in (reviewer, self.config.page_id) if owner]
        return [mention.id, *(f"{owner}_{mention.id}" for owner in owners)]

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        """Looks in the thread's comments, since Facebook may have moved an answer up to the top-level comment."""
        if mention.kind is not Kind.REVIEW:
            return await self._find(top_level(mention), text, since - CLOCKS_APART)
        for story in self._stories(mention):
            try:
                return await self._find(story, text, since - CLOCKS_APART)
            except ConnectorError as error:
                if trouble_of(error) not in _NOTHING_POSTED:
                    raise
        raise NotThere("The recommendation's comments cannot be read, so whether the answer is there is not known.")

    async def _find(self, target: str, text: str, since: datetime) -> PostedReply | None:
        params = {
            "fields": "id,message,from,admin_creator,created_time,parent{id},permalink_url",
            "order": "reverse_chronological",
            "summary": "true",
        }
        pages = 0
        seen_any = False
        async for page in self._graph.pages(f"{target}/comments", params, limit=25):
            pages += 1
            oldest: datetime | None = None
            for row in page.rows:
                seen_any = True
                found = self._reader.comment(row)
                if found.created_at is not None:
                    oldest = min(oldest or found.created_at, found.created_at)
                    if found.created_at < since:
                        continue
                if not same_text(found.text, text):
                    continue
                if found.ours:
                    return PostedReply(id=found.id, posted_at=found.created_at, text=found.text, url=found.url)
                if found.author is None:
                    raise BadAnswer("The same words stand there, and Facebook does not say who wrote them.")
            if not seen_any and page.total and not page.position:
                raise BadAnswer("Facebook counts comments and hands out none, so the reply cannot be looked for.")
            if oldest is not None and oldest < since:
                return None
            if pages >= LOOK_BACK and page.position:
                raise BadAnswer("So much was written there since that the reply was not found.")
        return None

    async def reread(self, mention: Mention) -> Sequence[Mention]:
        """Reads a comment or post by its id, and the newest comments of its thread."""
        if mention.kind is Kind.POST:
            row = await self._graph.get(mention.id, {"fields": POST_FIELDS})
            focus = self._reader.post(row, ours=mention.ours or None)
            post, thread = mention.id, "" if mention.ours else mention.id
        elif mention.kind is Kind.COMMENT:
            row = await self._graph.get(full_id(mention), {"fields": COMMENT_FIELDS})
            post, thread = full_id(mention).rpartition("_")[0], mention.thread_id or ""
            fresh = self._reader.comment(row, post=post, thread=thread)
            # By itself a comment does not tell where it stands.
            focus = msgspec.structs.replace(
                fresh, id=mention.id, thread_id=mention.thread_id, parent_id=mention.parent_id, url=mention.url
            )
        else:
            raise Unsupported("Recommendations cannot be read one by one.")
        found, pages = [focus], 0
        async for page in self._graph.pages(f"{top_level(mention)}/comments", COMMENTS, limit=25):
            pages += 1
            for row in page.rows:
                try:
                    comment = self._reader.comment(row, post=post, thread=thread)
                except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
                    self.context.log.warning("a comment that cannot be read was left out: %s", error)
                    continue
                if comment.id != focus.id:
                    found.append(comment)
            if pages >= LOOK_BACK:
                break
        return found

    async def private_reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        """Sends the one private message that a public comment or post allows, within 7 days.

        Facebook refuses a second one (10900), so repeating it is harmless. It does not tell whose the first one was: it
        may be ours, or what a colleague or an automatic answer of the Page has written.
        """
        if mention.kind not in (Kind.COMMENT, Kind.POST):
            raise Unsupported("Recommendations have no private replies.")
        name = "comment_id" if mention.kind is Kind.COMMENT else "post_id"
        form = {"recipient": _json({name: full_id(mention)}), "message": _json({"text": text})}
        answer = await self._graph.post(f"{self.config.page_id}/messages", form)
        if not answer.get("message_id"):
            raise OutcomeUnknown("Facebook accepted the message and did not say under which id.")
        return PostedReply(id=str(answer["message_id"]), posted_at=self.context.clock(), text=text)

    async def edit_reply(self, reply: PostedReply, text: str) -> PostedReply:
        """Changes our own comment; this is the call that `reply` must never make."""
        await self._done(_whole(reply), {"message": text})
        return msgspec.structs.replace(reply, text=text)

    async def delete_reply(self, reply: PostedReply) -> None:
        """Deletes our own comment; it is final."""
        try:
            await self._graph.delete(_whole(reply))
        except NotThere:
            return

    async def hide(self, mention: Mention, hidden: bool) -> None:
        """Hides a comment: its author and their friends still see it. Looks afterwards, since Facebook also says yes
        to what it does not do.
        """
        if mention.kind is not Kind.COMMENT or mention.ours:
            raise Unsupported("Facebook hides customers' comments only.")
        comment = full_id(mention)
        try:
            await self._done(comment, {"is_hidden": "true" if hidden else "false"})
        except ConnectorError as error:
            if trouble_of(error) is not Trouble.ALREADY:
                raise
        now = (await self._graph.get(comment, {"fields": "id,is_hidden"})).get("is_hidden")
        if now is not None and bool(now) is not hidden:
            raise Refused("Facebook said yes and did nothing.", hint="Try it on Facebook itself.")

    async def like(self, mention: Mention, liked: bool) -> None:
        """Likes as the Page, or takes it back."""
        if mention.kind is Kind.REVIEW:
            raise Unsupported("Recommendations cannot be liked by API.")
        path = f"{full_id(mention)}/likes"
        if liked:
            await self._done(path, {})
        else:
            await self._graph.delete(path)

    async def _done(self, path: str, form: Mapping[str, str]) -> None:
        answer = await self._graph.post(path, form)
        if answer.get("success") is not True:
            raise OutcomeUnknown("Facebook did not say whether it was done.")

    def reply_page(self, mention: Mention) -> str:
        """Gives the mention's own page; for recommendations the Page's reviews."""
        return mention.url or f"{SITE}/{self.config.page_id}"

    async def import_file(self, path: Path) -> AsyncIterator[Batch]:
        """Reads a saved answer of the Graph API or a recorded webhook delivery; see `saved`."""
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise BadAnswer(f"{path} cannot be read: {error.strerror}.") from None
        for batch in saved.batches(content, path.name, self._reader, self._set_aside):
            yield batch

    def read_item(self, raw: str) -> Sequence[Mention]:
        """Reads a post, comment or recommendation by its fields, which tell which of the three it is."""
        return saved.item(raw, self._reader)

    async def check(self) -> list[Finding]:
        """Looks into the token, its permissions and end, the Page, the API's version, and known silent lies."""
        return await inspection.inspect(self.context, self._graph)

    def _set_aside(self, row: Any, error: Exception) -> SetAside:
        try:
            payload = clean(row)
        except RecursionError:
            payload = "nested too deep to be kept"
        known_as = payload.get("id", "") if isinstance(payload, dict) else ""
        return self.problem(payload, error, last_part(known_as) if isinstance(known_as, str | int) else "")


def _whole(reply: PostedReply) -> str:
    """Gives a reply's id as the API wants it: whole, from its link, where that names it.

    Raises:
        Unsupported: the reply has no id, so nothing tells it from others.
    """
    if not reply.id:
        raise Unsupported("It is not known under which id the reply stands.", hint="Change it on Facebook itself.")
    linked = place(reply.url).id
    return linked if last_part(linked) == last_part(reply.id) else reply.id


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
