"""The emulated portal: one set of reviews, published as XML, JSON, JSON lines, CSV, RSS, Atom and JSON Feed.

The exports (`/reviews.*`) want the key as a query parameter, as many portals do; the syndicated feeds are open. All
answer with ETag and Last-Modified and know 304. `/reviews.json` has pages: `page`, `offset` and `limit`, `cursor`, with
the next cursor, the next address in the body and in the Link header. A reply typed in on the portal's page stands in
every export from then on.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, ShopReply

SANDBOX_KEY = "portal-key-77f1"
KEY_VARIABLE = "REVIEWDESK_SANDBOX_FEED_KEY"


class Review(msgspec.Struct, kw_only=True):
    """One review on the portal. `thread` and `in_reply_to` are set where a customer went on after the shop's reply."""

    id: str
    words: CustomerText
    created_at: datetime
    thread: str = ""
    in_reply_to: str = ""
    reply: str = ""
    replied_at: datetime | None = None
    told_time: str | None = None


class FeedEmulator(Emulator):
    """A portal that publishes the reviews of one shop.

    Attributes:
        variant: which feed `source` points at: xml, json, jsonl, csv, rss, atom or json_feed.
        reviews: newest last, as they were written.
    """

    platform = "feed"

    def __init__(self, *, variant: str = "xml", clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self.variant = variant
        self.reviews: list[Review] = []
        self._changed = clock()
        self._replies: list[ShopReply] = []
        self._poisoned = False
        self._number = 1000

    # What happens on the portal.

    def write(self, words: CustomerText) -> str:
        """A customer writes a review."""
        return self._add(words).id

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        """The customer adds to the review after the shop's reply."""
        before = self._find(reply.to)
        added = self._add(words)
        added.thread, added.in_reply_to = before.thread or before.id, before.id
        return added.id

    def hand_off(self, to: str, text: str) -> None:
        """A person types a reply in on the portal's page."""
        review = self._find(to)
        review.reply, review.replied_at = text, self.clock()
        self._replies.append(ShopReply(id=f"{to}:reply", to=to, text=text))
        self._changed = self.clock()

    def shop_replies(self) -> Sequence[ShopReply]:
        """What was typed in so far."""
        return list(self._replies)

    def delete(self, id: str) -> None:
        """The portal deletes a review."""
        self.reviews.remove(self._find(id))
        self._changed = self.clock()

    def edit(self, id: str, text: str) -> None:
        """A customer changes a review."""
        review = self._find(id)
        review.words = msgspec.structs.replace(review.words, text=text)
        self._changed = self.clock()

    def mistime(self, id: str, written: str) -> None:
        """The XML export gives these characters for the time."""
        self._find(id).told_time = written

    def poison(self) -> None:
        """A review without an id stands in the XML export."""
        self._poisoned = True

    def _add(self, words: CustomerText) -> Review:
        self._changed = self.clock()
        # An id is never given twice, not even that of a review that was deleted.
        self._number += 1
        review = Review(id=f"r-{self._number}", words=words, created_at=self._changed)
        self.reviews.append(review)
        return review

    def _find(self, id: str) -> Review:
        return next(review for review in self.reviews if review.id == id)

    # What a connector is pointed at.

    def secrets(self) -> dict[str, str]:
        """The portal's key."""
        return {KEY_VARIABLE: SANDBOX_KEY}

    def source(self, base: str) -> dict[str, Any]:
        """A `[[source]]` table for the feed that `variant` names."""
        table: dict[str, Any] = {"connector": "feed", "reply_page": f"{base}/admin/reviews/{{id}}"}
        syndicated = {"rss": "/rss.xml", "atom": "/atom.xml", "json_feed": "/feed.json"}
        if self.variant in syndicated:
            return table | {"url": base + syndicated[self.variant], "kind": "review"}
        exports = {"xml": _XML_SOURCE, "json": _JSON_SOURCE, "jsonl": _JSONL_SOURCE, "csv": _CSV_SOURCE}
        where = {"url": f"{base}/reviews.{self.variant}", "secret": f"env:{KEY_VARIABLE}", "secret_in": "query:key"}
        return table | where | exports[self.variant]

    # The endpoints.

    def routes(self) -> Sequence[BaseRoute]:
        """The exports behind the key, and the open feeds."""
        return [
            Route("/reviews.xml", self._locked(self._xml, "application/xml")),
            Route("/reviews.json", self._locked(self._json, "application/json")),
            Route("/reviews.jsonl", self._locked(self._jsonl, "application/x-ndjson")),
            Route("/reviews.csv", self._locked(self._csv, "text/csv")),
            Route("/rss.xml", self._open(self._rss, "application/rss+xml")),
            Route("/atom.xml", self._open(self._atom, "application/atom+xml")),
            Route("/feed.json", self._open(self._json_feed, "application/feed+json")),
        ]

    def _locked(self, make: Callable[[Request], bytes], type: str) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if request.query_params.get("key") != SANDBOX_KEY:
                return PlainTextResponse("unknown key", 401)
            return self._conditional(request, make(request), type)

        return endpoint

    def _open(self, make: Callable[[Request], bytes], type: str) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return self._conditional(request, make(request), type)

        return endpoint

    def _conditional(self, request: Request, body: bytes, type: str) -> Response:
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {
            "etag": etag,
            "last-modified": format_datetime(self._changed, usegmt=True),
            "cache-control": "no-cache",
        }
        if "if-none-match" in request.headers:
            unchanged = request.headers["if-none-match"] == etag
        else:
            since = request.headers.get("if-modified-since")
            unchanged = since is not None and self._changed.replace(microsecond=0) <= parsedate_to_datetime(since)
        if unchanged:
            return Response(status_code=304, headers=headers)
        page = self._page(request)
        if page.following:
            headers["link"] = f'<{page.following}>; rel="next"'
        return Response(body, media_type=type, headers=headers)

    def _newest_first(self) -> list[Review]:
        return self.reviews[::-1]

    def _page(self, request: Request) -> _Page:
        reviews = self._newest_first()
        asked = request.query_params
        if not {"page", "offset", "cursor", "limit"} & set(asked):
            return _Page(reviews, "", "")
        limit = int(asked.get("limit", "10"))
        start = int(asked.get("offset", "0"))
        if "page" in asked:
            start = (int(asked["page"]) - 1) * limit
        if "cursor" in asked:
            ids = [review.id for review in reviews]
            start = ids.index(asked["cursor"]) if asked["cursor"] in ids else len(ids)
        shown = reviews[start : start + limit]
        cursor = reviews[start + limit].id if start + limit < len(reviews) else ""
        following = str(request.url.include_query_params(cursor=cursor).remove_query_params("page")) if cursor else ""
        return _Page(shown, cursor, following)

    def _xml(self, request: Request) -> bytes:
        items = "".join(_xml_review(review, str(request.base_url)) for review in self._newest_first())
        if self._poisoned:
            items = f"<review><text>Whose is it?</text></review>\n{items}"
        return f'<?xml version="1.0" encoding="utf-8"?>\n<reviews shop="demo">\n{items}</reviews>\n'.encode(
            "utf-8", "replace"
        )

    def _json(self, request: Request) -> bytes:
        page = self._page(request)
        base = str(request.base_url)
        reviews = [_json_review(review, base) for review in page.reviews]
        return msgspec.json.encode(
            {"reviews": reviews, "paging": {"cursor": page.cursor or None, "next": page.following or None}}
        )

    def _jsonl(self, request: Request) -> bytes:
        base = str(request.base_url)
        return b"".join(msgspec.json.encode(_json_review(each, base)) + b"\n" for each in self._newest_first())

    def _csv(self, request: Request) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=";")
        writer.writerow(["ID", "Datum", "Jméno", "Hodnocení", "Text", "Plusy", "Mínusy", "Odpověď", "Objednávka"])
        for each in self._newest_first():
            words = each.words
            stars = f"{words.rating:g}".replace(".", ",") if words.rating is not None else ""
            at = f"{each.created_at:%d.%m.%Y %H:%M:%S}"
            points = ["\n".join(words.pros), "\n".join(words.cons)]
            writer.writerow([each.id, at, words.author, stars, words.text, *points, each.reply, words.order_id])
        return out.getvalue().encode("utf-8-sig", "replace")

    def _rss(self, request: Request) -> bytes:
        items = "".join(
            f'<item><guid isPermaLink="false">{each.id}</guid><title>{escape(each.words.title)}</title>'
            f"<link>{request.base_url}r/{each.id}</link><dc:creator>{escape(each.words.author)}</dc:creator>"
            f"<description>{escape(escape(each.words.text))}</description>"
            f"<pubDate>{format_datetime(each.created_at)}</pubDate></item>"
            for each in self._newest_first()
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<channel><title>Reviews</title><link>{request.base_url}</link><description/>{items}</channel></rss>"
        ).encode()

    def _atom(self, request: Request) -> bytes:
        items = "".join(
            f"<entry><id>{each.id}</id><title>{escape(each.words.title)}</title>"
            f"<link href={quoteattr(f'{request.base_url}r/{each.id}')}/>"
            f"<author><name>{escape(each.words.author)}</name></author><content>{escape(each.words.text)}</content>"
            f"<published>{each.created_at.isoformat()}</published><updated>{each.created_at.isoformat()}</updated></entry>"
            for each in self._newest_first()
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Reviews</title>'
            f"<id>{request.base_url}</id><updated>{self._changed.isoformat()}</updated>{items}</feed>"
        ).encode()

    def _json_feed(self, request: Request) -> bytes:
        items = [
            {
                "id": each.id,
                "url": f"{request.base_url}r/{each.id}",
                "title": each.words.title,
                "content_text": each.words.text,
                "date_published": each.created_at.isoformat(),
                "authors": [{"name": each.words.author}],
                "language": each.words.language,
                "_portal": {"stars": each.words.rating},
            }
            for each in self._newest_first()
        ]
        return msgspec.json.encode({"version": "https://jsonfeed.org/version/1.1", "title": "Reviews", "items": items})


class _Page(msgspec.Struct, frozen=True):
    reviews: list[Review]
    cursor: str
    following: str


def _xml_review(review: Review, base: str) -> str:
    words = review.words
    parts = {
        "author": words.author, "title": words.title, "text": words.text, "product": words.product,
        "order": words.order_id, "lang": words.language, "url": f"{base}r/{review.id}",
        "rating": f"{(words.rating - 1) / 4:.0%}" if words.rating is not None else "",
        "unix_timestamp": str(int(review.created_at.timestamp())) if review.told_time is None else review.told_time,
        "thread": review.thread, "in_reply_to": review.in_reply_to,
        "shop_reply": review.reply, "replied": review.replied_at.isoformat() if review.replied_at else "",
    }  # fmt: skip
    points = [
        f"<{name}><point>{escape(point)}</point></{name}>"
        for name in ("pros", "cons")
        for point in getattr(words, name)
    ]
    elements = [f"<{name}>{escape(value)}</{name}>" for name, value in parts.items() if value]
    return f"<review id={quoteattr(review.id)}>{''.join([*elements, *points])}</review>\n"


def _json_review(review: Review, base: str) -> dict[str, Any]:
    words = review.words
    reply = {"text": review.reply, "at": review.replied_at} if review.reply else None
    return {
        "id": review.id, "author": {"name": words.author}, "title": words.title, "text": words.text,
        "stars": words.rating, "pros": words.pros, "cons": words.cons, "product": words.product,
        "order": words.order_id, "lang": words.language, "created": int(review.created_at.timestamp() * 1000),
        "url": f"{base}r/{review.id}", "thread": review.thread or None, "in_reply_to": review.in_reply_to or None,
        "reply": reply,
    }  # fmt: skip


_XML_SOURCE: dict[str, Any] = {
    "format": "xml",
    "items": "/reviews/review",
    "complete": True,
    "fields": {
        "id": "@id", "author": "author", "title": "title", "text": "text", "product": "product", "order_id": "order",
        "language": "lang", "url": "url", "pros": "pros/point", "cons": "cons/point",
        "rating": {"select": "rating", "scale": [0, 100], "to": [1, 5]},
        "created_at": {"select": "unix_timestamp", "as": "epoch_s"},
        "thread_id": "thread", "parent_id": "in_reply_to", "reply": "shop_reply", "replied_at": "replied",
    },
}  # fmt: skip
_JSONL_SOURCE: dict[str, Any] = {
    "format": "jsonl",
    "fields": {
        "id": "id", "author": "author.name", "title": "title", "text": "text", "product": "product",
        "order_id": "order", "language": "lang", "url": "url", "pros": "pros[]", "cons": "cons[]", "rating": "stars",
        "created_at": {"select": "created", "as": "epoch_ms"},
        "thread_id": "thread", "parent_id": "in_reply_to", "reply": "reply.text", "replied_at": "reply.at",
    },
}  # fmt: skip
_JSON_SOURCE: dict[str, Any] = _JSONL_SOURCE | {"format": "json", "items": "reviews"}
_CSV_SOURCE: dict[str, Any] = {
    "format": "csv",
    "timezone": "UTC",
    "fields": {
        "id": "ID", "author": "Jméno", "text": "Text",
        "rating": "Hodnocení", "created_at": "Datum", "order_id": "Objednávka",
        "pros": {"select": "Plusy", "split": "\n"}, "cons": {"select": "Mínusy", "split": "\n"},
        "reply": "Odpověď",
    },
}  # fmt: skip
