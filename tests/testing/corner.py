"""A small connector that keeps every rule: it reads the whole list at each poll, and replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from reviewdesk.connector import (
    Author,
    BadAnswer,
    Batch,
    Capabilities,
    Connector,
    ConnectorError,
    Cursor,
    Finding,
    Http,
    Kind,
    Level,
    Mention,
    PostedReply,
    Refused,
    ReplyMode,
    Secret,
    Settings,
    same_text,
)  # fmt: skip


class CornerSettings(Settings, frozen=True, kw_only=True):
    """Where the reviews are.

    Attributes:
        url: the API's address.
        token: opens it.
    """

    url: str
    token: Secret


class Person(msgspec.Struct):
    name: str = ""


class Review(msgspec.Struct):
    id: int
    written: str
    author: Person | None = None
    text: str | None = None
    percent: float | None = None
    parent: int | None = None
    by_shop: bool = False


class Page(msgspec.Struct):
    reviews: list[Any]
    next: str | None = None


class Corner(Connector[CornerSettings]):
    """Reviews of the corner shop."""

    platform = "corner"
    title = "The Corner"
    settings = CornerSettings
    capabilities = Capabilities(
        reply=ReplyMode.API, find_reply=True, reread=True, idempotent_reply=True, moderated=True
    )

    def api(self) -> Http:
        token = self.config.token.reveal()
        return self.context.http(self.config.url, headers={"authorization": f"Bearer {token}"})

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        known: list[str] = []
        async for page in self.pages():
            batch = self.batch(page)
            known += [mention.id for mention in batch.mentions]
            yield batch
        yield Batch(cursor={"known": known}, gone=sorted({*(cursor or {}).get("known", ())} - {*known}))

    async def pages(self) -> AsyncIterator[Page]:
        http, link, asked = self.api(), "reviews", list[str]()
        while link:
            # A busy site may give a page twice; three times is a circle.
            if asked.count(link) > 1:
                raise BadAnswer("The pages lead back to themselves.")
            asked.append(link)
            page = await self.page(http, link)
            yield page
            link = page.next or ""

    async def page(self, http: Http, link: str) -> Page:
        return (await http.get(link)).json(Page)

    def batch(self, page: Page) -> Batch:
        mentions, set_aside = [], []
        for raw in page.reviews:
            try:
                mentions.append(self.mention(msgspec.convert(raw, Review)))
            except msgspec.ValidationError as error:
                set_aside.append(self.problem(raw, error))
        return Batch(mentions=mentions, set_aside=set_aside)

    def mention(self, review: Review) -> Mention:
        return Mention(
            id=str(review.id),
            kind=Kind.REVIEW,
            text=review.text or "",
            created_at=self.time(review.written),
            author=Author(name=review.author.name) if review.author else None,
            rating=None if review.percent is None else 1 + review.percent / 25,
            ours=review.by_shop,
            parent_id=str(review.parent) if review.parent else None,
        )

    def time(self, written: str) -> datetime | None:
        try:
            time = datetime.fromisoformat(written)
        except ValueError:
            return None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        answer = await self.api().post(
            f"reviews/{mention.id}/replies", json={"text": text}, headers={"idempotency-key": key}, check=False
        )
        if answer.status == 422:
            raise Refused(f"The Corner says: {answer.json()['message']}")
        told = answer.check().json()
        return PostedReply(id=str(told["id"]), visible=told["visible"], text=text)

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        replies = (await self.api().get(f"reviews/{mention.id}/replies")).json(list[Review])
        return next((PostedReply(id=str(each.id)) for each in replies if same_text(each.text or "", text)), None)

    async def reread(self, mention: Mention) -> Sequence[Mention]:
        http = self.api()
        review = (await http.get(f"reviews/{mention.id}")).json(Review)
        replies = (await http.get(f"reviews/{mention.id}/replies")).json(list[Review])
        return [self.mention(each) for each in (review, *replies)]

    def read_item(self, raw: str) -> Sequence[Mention]:
        return [self.mention(msgspec.json.decode(raw, type=Review))]

    async def check(self) -> list[Finding]:
        try:
            await self.api().get("me")
        except ConnectorError as error:
            return [Finding(level=Level.FAULT, sentence=error.sentence, hint=error.hint)]
        return [Finding(level=Level.OK, sentence="The token opens the reviews.")]
