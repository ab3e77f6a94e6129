"""The plugin: what Reddit can do, and how it is asked.

Facts about the platform: praw.readthedocs.io, github.com/praw-dev, and Reddit's Data API Wiki.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from reviewdesk.connector import (
    BadAnswer,
    Batch,
    Capabilities,
    Connector,
    Context,
    Cursor,
    Finding,
    Mention,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    PostedReply,
    ReplyMode,
    Unsupported,
    same_text,
)
from reviewdesk_connectors.reddit import checkup, payloads
from reviewdesk_connectors.reddit.polling import Listing, Polling, pages
from reviewdesk_connectors.reddit.position import Position
from reviewdesk_connectors.reddit.session import Account, acquire, release
from reviewdesk_connectors.reddit.settings import RedditSettings

if TYPE_CHECKING:
    from reviewdesk_connectors.reddit.client import Client

__all__ = ["Reddit", "RedditSettings"]

T = TypeVar("T")
CLOCKS_DIFFER = timedelta(minutes=5)
THREAD_ITEMS = 200
"""Comments asked for when a thread is read again."""


class Reddit(Connector[RedditSettings]):
    """Comments and posts that name the shop, and replies to them as an ordinary account.

    Voting by a program is against Reddit's rules, so there are no likes here.
    """

    platform = "reddit"
    title = "Reddit"
    settings = RedditSettings
    tier = "platinum"
    capabilities = Capabilities(
        reply=ReplyMode.API,
        find_reply=True,
        reread=True,
        edit_reply=True,
        delete_reply=True,
        import_file=True,
        reply_length=10_000,
    )

    def __init__(self, context: Context[RedditSettings]) -> None:
        super().__init__(context)
        self._account: Account | None = None
        if not self.config.signs_in:
            self.capabilities = Capabilities(import_file=True)

    @property
    def account(self) -> Account:
        """The account's thread, shared with the other sources of that account."""
        if self._account is None:
            self._account = acquire(self.config, private_network=self.context.private_network)
        return self._account

    async def close(self) -> None:
        """Gives the account back."""
        if self._account is not None:
            account, self._account = self._account, None
            release(account)

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """Gives what is new in each listing, a batch for each page, then what has changed among recent items.

        A page's batch has no cursor until its listing is read down to what was known: a poll that is broken off begins
        that listing at the top again, and loses nothing.
        """
        me = await self.account.me(self.context.clock, self.context.report_request)
        position = Position.read(cursor)
        async for batch in self._polling(position, me).batches():
            yield batch

    async def import_file(self, path: Path) -> AsyncIterator[Batch]:
        """Gives the comments and posts of a saved listing, thread (its address with `.json`) or reply, in one batch."""
        try:
            answer = msgspec.json.decode(await asyncio.to_thread(path.read_bytes))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswer(f"{path.name} is no JSON ({error}).") from None
        items = list(payloads.walk(answer))
        if not items:
            raise BadAnswer(f"{path.name} holds no comment or post of Reddit's.", hint="Save a page's .json address.")
        batch = self._polling(Position(), self.config.username).sort_out(items, filtered=False)
        yield msgspec.structs.replace(batch, total=len(items))

    def read_item(self, raw: str) -> Sequence[Mention]:
        """Reads a comment or post as it was kept."""
        return [payloads.mention(payloads.kept(msgspec.json.decode(raw, type=dict[str, Any])), self.config.username)]

    def _polling(self, position: Position, me: str) -> Polling:
        return Polling(self.context, ask=self._page, problem=self.problem, position=position, me=me)

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        """Posts a comment, once; Reddit knows no idempotency key, so `key` is not sent."""
        if not mention.id.startswith(("t1_", "t3_")):
            raise NotThere(f"{mention.id!r} is neither a comment nor a post of Reddit's.")
        made = await self._as_account(lambda client: client.reply(mention.id, text, self.context.leaving))
        if made is None:
            raise OutcomeUnknown("Reddit took the reply but did not show it, as it does in quarantined communities.")
        return payloads.posted(made)

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        """Looks through our account's own newest comments."""
        me = await self._name()
        floor = (since - CLOCKS_DIFFER).timestamp()
        async for page, _ in pages(self._page, Listing(f"user/{me}/comments/", {"sort": "new"}), floor):
            for item in page.children:
                is_answer = item.parent == mention.id and item.time >= floor and not payloads.is_gone(item)
                if is_answer and same_text(str(item.data.get("body") or ""), text):
                    return payloads.posted(item.data)
        return None

    async def reread(self, mention: Mention) -> Sequence[Mention]:
        """Asks for the item by its name, since a thread leaves deleted comments out, then for what stands under it, and
        under the comment that it answers.
        """
        me = await self.account.me(self.context.clock, self.context.report_request)
        post = mention.thread_id if mention.id.startswith("t1_") else mention.id
        if not post or not mention.id.startswith(("t1_", "t3_")):
            raise Unsupported("It is not known in which post this stands.")
        names = dict.fromkeys((mention.id, post))
        named = {item.fullname: item for item in (await self._page("api/info/", {"id": ",".join(names)})).children}
        if post not in named:
            raise BadAnswer("Reddit does not hand out the post that this stands in.")
        if mention.id not in named or payloads.is_gone(named[mention.id]):
            raise NotThere("It is gone from Reddit.")
        title = {"link_title": named[post].data.get("title")}
        found = {mention.id: self._whole(named[mention.id], title, me)}
        tops = [mention.id]
        if (mention.parent_id or "").startswith("t1_"):
            # Whoever goes on answers our reply once more, beside what they wrote first.
            tops.append(mention.parent_id or "")
        for top in tops:
            for item in await self._below(top, post):
                try:
                    found.setdefault(item.fullname, self._whole(item, title, me))
                except payloads.UNREADABLE as error:
                    self.context.log.warning("a comment that cannot be read was left out: %s", error)
        return list(found.values())

    async def _below(self, top: str, post: str) -> list[payloads.Item]:
        """Gives the comments below a comment or post, the newest first; of what is deleted only what is below it."""
        params: dict[str, str | int] = {"sort": "new", "limit": THREAD_ITEMS, "context": 0}
        if top != post:
            params["comment"] = top.partition("_")[2]
        above, below = {top}, []
        for item in payloads.walk(await self._read(f"comments/{post.partition('_')[2]}", params)):
            if item.parent in above and item.fullname:
                above.add(item.fullname)
                if not payloads.is_gone(item):
                    below.append(item)
        return below

    @staticmethod
    def _whole(item: payloads.Item, title: Mapping[str, Any], me: str) -> Mention:
        """Gives an item of a thread as the community's listing would: with the post's title, without the answers."""
        data = {name: value for name, value in item.data.items() if name != "replies"}
        return payloads.mention(
            payloads.Item(kind=item.kind, data={**title, **data} if item.kind == "t1" else data), me
        )

    async def edit_reply(self, reply: PostedReply, text: str) -> PostedReply:
        """Changes a comment of ours."""
        return payloads.posted(await self._as_account(lambda client: client.edit(_own(reply), text)))

    async def delete_reply(self, reply: PostedReply) -> None:
        """Deletes a comment of ours; where others have answered it, Reddit leaves a stub."""
        await self._as_account(lambda client: client.delete(_own(reply)))

    async def check(self) -> list[Finding]:
        """Looks at the user agent, the application and its account, the scopes, the communities and the allowance."""
        return [finding async for finding in checkup.findings(self.config, self.account, self.context.clock)]

    async def _page(self, path: str, params: Mapping[str, str | int]) -> payloads.Page:
        return payloads.page(await self._read(path, params))

    async def _read(self, path: str, params: Mapping[str, str | int]) -> Any:
        try:
            return await self.account.read(path, params, self.context.clock, self.context.report_request)
        finally:
            self._report_budget()

    async def _as_account(self, work: Callable[[Client], T]) -> T:
        """Does a write in the account's thread, once."""
        self._wants_account()
        try:
            return await self.account.call(work, self.context.clock, self.context.report_request)
        finally:
            self._report_budget()

    async def _name(self) -> str:
        self._wants_account()
        me = await self.account.me(self.context.clock, self.context.report_request)
        if not me:
            raise BadAnswer("Reddit does not tell the name of the account.", hint="Set username.")
        return me

    def _wants_account(self) -> None:
        if not self.config.signs_in:
            raise PermissionMissing(
                "Nobody is signed in, so Reddit can only be read.", hint="Set refresh_token, or username and password."
            )

    def _report_budget(self) -> None:
        budget = self.account.allowance.budget(self.context.clock())
        if budget is not None:
            self.context.report_budget(budget)


def _own(reply: PostedReply) -> str:
    if not reply.id.startswith("t1_"):
        raise NotThere("The reply's id on Reddit is not known.", hint="Change it on Reddit itself.")
    return reply.id
