"""Connectors that are broken on purpose, one for each rule; and one more that is right in another way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import msgspec
from corner import Corner, Page, Review

from reviewdesk.connector import (
    Answer,
    AuthFailed,
    BadAnswer,
    Batch,
    Connector,
    ConnectorError,
    Cursor,
    Finding,
    Http,
    Limits,
    Mention,
    NotThere,
    OutcomeUnknown,
    PostedReply,
    RateLimited,
    Secret,
    Settings,
    Unreachable,
    retry_after,
)  # fmt: skip

BROKEN: dict[str, type[Connector[Any]]] = {}


def breaks(rule: str) -> Any:
    """Registers the connector that breaks a rule."""

    def register(connector: type[Connector[Any]]) -> type[Connector[Any]]:
        BROKEN[rule] = connector
        return connector

    return register


class Newest(Corner):
    """Reads newest first, down to what it has read before."""

    exempt: ClassVar[dict[str, str]] = {
        "edit-between-polls": "only what is new is asked for",
        "deletion-noticed": "only what is new is asked for",
    }

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """Moves the mark when everything above it is read."""
        mark = newest = (cursor or {}).get("mark", 0)
        async for page in self.pages():
            batch = self.batch(page)
            ids = [int(mention.id) for mention in batch.mentions]
            newest = max([newest, *ids])
            yield batch
            if ids and min(ids) <= mark:
                break
        yield Batch(cursor={"mark": newest})


# -- bronze ------------------------------------------------------------------------------------------------------------


@breaks("reads-what-is-written")
class AnotherScale(Corner):
    def mention(self, review: Review) -> Mention:
        return msgspec.structs.replace(super().mention(review), rating=review.percent)


@breaks("same-at-each-poll")
class SaysWhenItAsked(Corner):
    def mention(self, review: Review) -> Mention:
        return msgspec.structs.replace(super().mention(review), fields={"read": f"{self.context.clock()}"})


@breaks("edit-between-polls")
class NeverLooksBack(Newest):
    exempt: ClassVar[dict[str, str]] = {"deletion-noticed": "only what is new is asked for"}

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        mark = (cursor or {}).get("mark", 0)
        async for batch in super().poll(cursor):
            fresh = [mention for mention in batch.mentions if int(mention.id) > mark]
            yield msgspec.structs.replace(batch, mentions=fresh)


@breaks("delete-between-polls")
class AllAreGone(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        async for batch in super().poll(cursor):
            gone = (cursor or {}).get("known", ()) if batch.gone else ()
            yield msgspec.structs.replace(batch, gone=gone)


class Since(Newest):
    """Hands over what is newer than the time in the cursor."""

    def newer(self, at: datetime, mark: datetime) -> bool:
        return at > mark

    def mark(self, newest: datetime) -> datetime:
        return newest

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        began = self.context.clock()
        old = datetime.fromisoformat(cursor["at"]) if cursor else began - timedelta(days=999)
        newest = old
        async for page in self.pages():
            batch = self.batch(page)
            times = [each.created_at for each in batch.mentions if each.created_at]
            newest = max([newest, *times])
            fresh = [each for each in batch.mentions if not each.created_at or self.newer(each.created_at, old)]
            yield msgspec.structs.replace(batch, mentions=fresh)
        yield Batch(cursor={"at": self.mark(newest).isoformat()})


@breaks("equal-times")
class AfterTheLastSecond(Since):
    pass


@breaks("clock-an-hour-off")
class ByOurOwnClock(Since):
    def newer(self, at: datetime, mark: datetime) -> bool:
        return at >= mark

    def mark(self, newest: datetime) -> datetime:
        return self.context.clock()


@breaks("odd-times")
class BelievesTimes(Corner):
    def time(self, written: str) -> datetime | None:
        return datetime.fromisoformat(written)


@breaks("texts-of-the-world")
class Western(Corner):
    def mention(self, review: Review) -> Mention:
        mention = super().mention(review)
        return msgspec.structs.replace(mention, text="".join(each for each in mention.text if ord(each) < 0x250))


@breaks("missing-author")
class BelievesInAuthors(Corner):
    def mention(self, review: Review) -> Mention:
        if review.author is None:
            raise KeyError("author")
        return super().mention(review)


@breaks("text-less")
class WantsWords(Corner):
    def batch(self, page: Page) -> Batch:
        batch = super().batch(page)
        return msgspec.structs.replace(batch, mentions=[each for each in batch.mentions if each.text])


# -- silver ------------------------------------------------------------------------------------------------------------


@breaks("same-page-twice")
class ThinksItKnowsTheRest(Newest):
    async def pages(self) -> AsyncIterator[Page]:
        seen: set[int] = set()
        async for page in super().pages():
            ids = {each["id"] for each in page.reviews if isinstance(each["id"], int)}
            if ids & seen:
                return
            seen |= ids
            yield page


@breaks("pages-in-a-circle")
class FollowsForEver(Corner):
    async def pages(self) -> AsyncIterator[Page]:
        http, link = self.api(), "reviews"
        while link:
            page = await self.page(http, link)
            yield page
            link = page.next or ""


@breaks("shrinking-page")
class CountsItems(Newest):
    async def pages(self) -> AsyncIterator[Page]:
        http, offset, first = self.api(), 0, None
        while True:
            page = await self.page(http, f"reviews?offset={offset}")
            if page.reviews and page.reviews[0] == first:
                raise BadAnswer("The pages lead back to themselves.")
            yield page
            if not page.reviews:
                return
            first = page.reviews[0]
            offset += len(page.reviews)


class OwnPatience(Corner):
    """Reads Retry-After by itself."""

    def until(self, answer: Answer) -> datetime | None:
        return retry_after(answer.headers, now=answer.received_at)

    async def page(self, http: Http, link: str) -> Page:
        answer = await http.get(link, check=False)
        if answer.status == 429:
            raise RateLimited("The Corner wants quiet.", until=self.until(answer))
        return answer.check().json(Page)


@breaks("rate-limit-seconds")
class ReadsMinutes(OwnPatience):
    def until(self, answer: Answer) -> datetime | None:
        told = answer.headers.get("retry-after", "")
        return answer.received_at + timedelta(minutes=int(told)) if told.isdigit() else super().until(answer)


@breaks("rate-limit-date")
class ReadsNoDates(OwnPatience):
    def until(self, answer: Answer) -> datetime | None:
        return super().until(answer) if answer.headers.get("retry-after", "").isdigit() else None


@breaks("rate-limit-silent")
class InventsAMinute(OwnPatience):
    def until(self, answer: Answer) -> datetime | None:
        return super().until(answer) or answer.received_at + timedelta(minutes=1)


@breaks("error-in-200")
class ReadsErrorsAsQuiet(Corner):
    async def page(self, http: Http, link: str) -> Page:
        body = (await http.get(link)).json(dict[str, Any])
        return Page(reviews=body.get("reviews", []), next=body.get("next"))


@breaks("cut-body")
class ReadsCutsAsEnds(Corner):
    async def page(self, http: Http, link: str) -> Page:
        try:
            return await super().page(http, link)
        except Unreachable:
            return Page(reviews=[])


@breaks("oversized-body")
class TakesAnything(Corner):
    def api(self) -> Http:
        token = self.config.token.reveal()
        limits = Limits(max_bytes=1 << 40, max_growth=1 << 40)
        return self.context.http(self.config.url, headers={"authorization": f"Bearer {token}"}, limits=limits)


@breaks("login-page")
class ReadsPagesAsQuiet(Corner):
    async def page(self, http: Http, link: str) -> Page:
        answer = await http.get(link)
        return Page(reviews=[]) if answer.text.startswith("<!doctype") else answer.json(Page)


@breaks("control-characters")
class JudgesTexts(Corner):
    async def page(self, http: Http, link: str) -> Page:
        answer = await http.get(link)
        if re.search(r"\\u00[01]", answer.text):
            raise BadAnswer("Somebody typed what nobody should.")
        return answer.json(Page)


@breaks("long-texts")
class CutsTexts(Corner):
    def mention(self, review: Review) -> Mention:
        mention = super().mention(review)
        return msgspec.structs.replace(mention, text=mention.text[:5000])


@breaks("poisonous-item")
class AllOrNothing(Corner):
    def batch(self, page: Page) -> Batch:
        try:
            return Batch(mentions=[self.mention(each) for each in msgspec.convert(page.reviews, list[Review])])
        except msgspec.ValidationError as error:
            raise BadAnswer(str(error)) from None


@breaks("token-dies")
class CallsItSomethingElse(Corner):
    async def page(self, http: Http, link: str) -> Page:
        try:
            return await super().page(http, link)
        except AuthFailed as error:
            raise BadAnswer(error.sentence) from None


@breaks("secrets-stay-home")
class Chatters(Corner):
    async def page(self, http: Http, link: str) -> Page:
        self.context.log.debug("Asking %s with %s", link, self.config.token.reveal())
        return await super().page(http, link)


@breaks("foreign-links")
class GoesAnywhere(Corner):
    async def page(self, http: Http, link: str) -> Page:
        parts = urlsplit(urljoin(http.base, link))
        token = self.config.token.reveal()
        there = self.context.http(f"{parts.scheme}://{parts.netloc}", headers={"authorization": f"Bearer {token}"})
        return await super().page(there, parts.geturl())


@breaks("cancelled")
class DoesNotStop(Corner):
    async def page(self, http: Http, link: str) -> Page:
        try:
            return await super().page(http, link)
        except asyncio.CancelledError:
            return Page(reviews=[])


@breaks("resumes")
class MovesTooEarly(Newest):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        newest = 0
        async for batch in super().poll(cursor):
            newest = max([newest, *(int(each.id) for each in batch.mentions)])
            yield msgspec.structs.replace(batch, cursor=batch.cursor or {"mark": newest})


# -- gold --------------------------------------------------------------------------------------------------------------


@breaks("reply-once")
class MakesSure(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        await super().reply(mention, text, key)
        return await super().reply(mention, text, f"{key} once more")


class NeverEndsAReply(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        await asyncio.Event().wait()
        raise AssertionError


class NeverEndsAPoll(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        await asyncio.Event().wait()
        yield Batch()


class Cancels(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        raise asyncio.CancelledError
        yield Batch()


class LosesPatience(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        raise TimeoutError("its own")
        yield Batch()


@breaks("own-replies")
class DoesNotKnowItself(Corner):
    def mention(self, review: Review) -> Mention:
        return msgspec.structs.replace(super().mention(review), ours=False)


@breaks("answer-lost")
class CallsItFailed(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        try:
            return await super().reply(mention, text, key)
        except OutcomeUnknown as error:
            raise Unreachable(error.sentence) from None


@breaks("reply-found")
class FindsNothing(Corner):
    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        return None


@breaks("held-reply")
class SaysItIsVisible(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        return msgspec.structs.replace(await super().reply(mention, text, key), visible=True)


@breaks("refused-reply")
class KeepsTheWords(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        headers = {"idempotency-key": key}
        answer = await self.api().post(f"reviews/{mention.id}/replies", json={"text": text}, headers=headers)
        told = answer.json()
        return PostedReply(id=str(told["id"]), visible=told["visible"], text=text)


@breaks("leaves-in-time")
class NeverAsks(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        # As with a client of its own.
        self.context.leaving = lambda: None
        return await super().reply(mention, text, key)


class AsksTooEarly(Corner):
    """Another client of its own, before which it looks whether the token still opens the reviews."""

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        self.context.leaving()
        self.context.leaving = lambda: None
        await self.api().get("me")
        return await super().reply(mention, text, key)


@breaks("key-posts-once")
class ForgetsTheKey(Corner):
    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        return await super().reply(mention, text, "")


@breaks("reread-as-polled")
class ReadsHalfOfIt(Corner):
    async def reread(self, mention: Mention) -> Sequence[Mention]:
        return [msgspec.structs.replace(each, author=None) for each in await super().reread(mention)]


@breaks("reread-sees-news")
class LooksAtTheTextAlone(Corner):
    async def reread(self, mention: Mention) -> Sequence[Mention]:
        return (await super().reread(mention))[:1]


class BelievesThePoll(Corner):
    async def reread(self, mention: Mention) -> Sequence[Mention]:
        return [mention, *(await super().reread(mention))[1:]]


@breaks("reread-gone")
class CallsAllTroubleGone(Corner):
    async def reread(self, mention: Mention) -> Sequence[Mention]:
        try:
            return await super().reread(mention)
        except ConnectorError as error:
            raise NotThere(error.sentence) from None


class NeverMissesIt(Corner):
    async def reread(self, mention: Mention) -> Sequence[Mention]:
        try:
            return await super().reread(mention)
        except NotThere:
            return [mention]


# -- platinum ----------------------------------------------------------------------------------------------------------


@breaks("memory-bounded")
class CollectsFirst(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        batches = [batch async for batch in super().poll(cursor)]
        for batch in batches:
            yield batch


class KeepsThePages(Corner):
    """Few objects, and many bytes."""

    async def page(self, http: Http, link: str) -> Page:
        answer = await http.get(link)
        vars(self).setdefault("pages_read", []).append(answer.body)
        return answer.json(Page)


class KeepsTheTextsElsewhere(Corner):
    """What the class holds is reached from no poll, and counted all the same."""

    texts: ClassVar[list[Any]] = []

    def mention(self, review: Review) -> Mention:
        self.texts.append([[f"{review.id} {part}"] for part in range(4)])
        return super().mention(review)


class PutsTheTextsIntoTheCursor(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        texts: list[str] = []
        async for batch in super().poll(cursor):
            texts += [mention.text for mention in batch.mentions]
            yield msgspec.structs.replace(batch, cursor={**(batch.cursor or {}), "texts": texts})


HOARDERS = {
    KeepsThePages: "MB",
    KeepsTheTextsElsewhere: "objects for each",
    PutsTheTextsIntoTheCursor: "A cursor takes",
}


@breaks("deletion-noticed")
class KnowsNoEnd(Corner):
    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        async for batch in super().poll(cursor):
            yield msgspec.structs.replace(batch, gone=())


@breaks("item-read-again")
class ReadsItAsNothing(Corner):
    def read_item(self, raw: str) -> Sequence[Mention]:
        try:
            return super().read_item(raw)
        except msgspec.ValidationError:
            return []


class ReadsNoPayload(Corner):
    def read_item(self, raw: str) -> Sequence[Mention]:
        return [self.mention(msgspec.json.decode(raw, type=Page).reviews[0])]


class ReadsAnotherOne(Corner):
    def read_item(self, raw: str) -> Sequence[Mention]:
        return [msgspec.structs.replace(each, text=each.text[:5]) for each in super().read_item(raw)]


OTHER_WAYS: dict[type[Connector[Any]], tuple[str, str]] = {
    AsksTooEarly: ("leaves-in-time", "there was another request"),
    BelievesThePoll: ("reread-sees-news", "changed its mind"),
    NeverMissesIt: ("reread-gone", "as if it were there"),
    ReadsNoPayload: ("item-read-again", "After its payload was mended"),
    ReadsAnotherOne: ("item-read-again", "Of an item with the text"),
}
"""More that are broken: another breach of a rule, and what is said of it."""


@breaks("check-tells")
class NeverComplains(Corner):
    async def check(self) -> list[Finding]:
        return []


class Undescribed(Settings, frozen=True, kw_only=True):
    """Something."""

    url: str
    token: Secret


@breaks("settings-described")
class SaysNothing(Corner):
    """Reviews of the corner shop."""

    settings = Undescribed  # type: ignore[assignment]


@breaks("typed")
class Untyped(Corner):
    """Reviews of the corner shop."""

    async def poll(self, cursor):  # type: ignore[no-untyped-def]
        async for batch in super().poll(cursor):
            yield batch


for _connector in BROKEN.values():
    _connector.__doc__ = _connector.__doc__ or "Broken on purpose."
