"""Heureka as an emulated platform: both exports in their real shape, and an administration where a person reacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, Fault, FaultKind, ShopReply

KEY = "5a4db0c0ffee4e0e8b1f2c3d4e5f6a7b"
_VARIABLE = "REVIEWDESK_SANDBOX_HEUREKA_KEY"
_HALF_A_YEAR = timedelta(days=183)


class _Written(msgspec.Struct, kw_only=True):
    """A review as it stands on Heureka; `product` is empty for a review of the shop."""

    rating_id: int
    at: int
    author: str
    rating: float | None
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    summary: str
    order_id: str
    product: str
    reaction: str = ""
    told_time: str | None = None

    @property
    def id(self) -> str:
        """The id that the connector gives it."""
        if self.product:
            return f"product:{self.rating_id}:{self.at}:{self.order_id}"
        return f"shop:{self.rating_id}"


class HeurekaEmulator(Emulator):
    """Both exports of one shop.

    Args:
        clock: gives the time, aware and in UTC.
        country: "cz" or "sk".
        lag: seconds for which an export stays as it is before it is made anew; the real ones take six hours.

    Attributes:
        empty: the exports come out empty by mistake while it is True.
    """

    platform = "heureka"

    def __init__(
        self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), country: str = "cz", lag: float = 0.0
    ) -> None:
        super().__init__(clock=clock)
        self.country = country
        self.lag = lag
        self.empty = False
        self._poisoned = False
        self._written: dict[str, _Written] = {}
        self._replies: dict[str, ShopReply] = {}
        self._built: dict[str, tuple[datetime, bytes]] = {}
        self._next = 251_830_017

    def routes(self) -> Sequence[BaseRoute]:
        """Both exports, at Heureka's paths."""
        return [
            Route("/direct/dotaznik/export-review.php", self._shop, methods=["GET"]),
            Route("/direct/dotaznik/export-product-review.php", self._products, methods=["GET"]),
        ]

    def source(self, base: str) -> dict[str, Any]:
        """A source that reads both exports, as often as they are made anew."""
        return {
            "connector": "heureka",
            "key": f"env:{_VARIABLE}",
            "country": self.country,
            "api": base,
            "rebuild_seconds": max(1, round(self.lag)),
        }

    def secrets(self) -> dict[str, str]:
        """The access key."""
        return {_VARIABLE: KEY}

    def write(self, words: CustomerText) -> str:
        """A customer fills in the questionnaire; gives the id that the connector will give the review."""
        rating = None if words.rating is None else min(5.0, max(0.5, round(words.rating * 2) / 2))
        written = _Written(
            rating_id=self._next,
            at=int(self.clock().timestamp()),
            author=words.author,
            rating=rating,
            pros=words.pros,
            cons=words.cons,
            summary="\n".join(part for part in (words.title, words.text) if part),
            order_id=words.order_id or f"A-{self._next - 250_000_000:08d}",
            product=words.product,
        )
        self._next += 13
        self._written[written.id] = written
        return written.id

    def edit(self, id: str, text: str) -> None:
        """A customer changes the text; the export shows it under the same id and time."""
        self._written[id].summary = text

    def delete(self, id: str) -> None:
        """Heureka deletes a review: it is no longer in the export."""
        del self._written[id]

    def mistime(self, id: str, written: str) -> None:
        """The export gives these characters for the time."""
        self._written[id].told_time = written

    def poison(self) -> None:
        """A review without its number stands in the export, as the documentation says that none does."""
        self._poisoned = True

    def hand_off(self, to: str, text: str) -> None:
        """What a person writes in the administration; one reaction to a review, the last one stands.

        The export shows it for reviews of the shop only, as the real one.
        """
        written = self._written[to]
        written.reaction = text
        self._replies.pop(to, None)
        self._replies[to] = ShopReply(id=f"{to}:reaction", to=to, text=text)

    def shop_replies(self) -> Sequence[ShopReply]:
        """The reactions that stand, oldest first."""
        return list(self._replies.values())

    def refusal(self, fault: Fault, request: Request) -> Response:
        """A dead key is not told as such: it gets a web page with status 200."""
        if fault.kind is FaultKind.EXPIRED_TOKEN:
            return self._stranger()
        return super().refusal(fault, request)

    async def _shop(self, request: Request) -> Response:
        if request.query_params.get("key") != KEY:
            return self._stranger()
        return self._xml(self._built_export("shop", self._shop_export))

    async def _products(self, request: Request) -> Response:
        if request.query_params.get("key") != KEY:
            return self._stranger()
        since = self.clock() - _HALF_A_YEAR
        wanted = request.query_params.get("from")
        if wanted is None:
            return self._xml(self._built_export("products", lambda: self._product_export(since)))
        try:
            told = datetime.strptime(wanted, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo("Europe/Prague"))
        except ValueError:
            return PlainTextResponse("")
        return self._xml(self._product_export(max(since, told)))

    def _built_export(self, name: str, build: Callable[[], bytes]) -> bytes:
        now = self.clock()
        built_at, body = self._built.get(name, (None, b""))
        if built_at is None or (now - built_at).total_seconds() >= self.lag:
            body = build()
            self._built[name] = (now, body)
        return body

    def _newest_first(self) -> list[_Written]:
        if self.empty:
            return []
        return sorted(self._written.values(), key=lambda written: (written.at, written.rating_id), reverse=True)

    def _shop_export(self) -> bytes:
        reviews = [_shop_review(written) for written in self._newest_first() if not written.product]
        if self._poisoned:
            reviews.insert(0, "  <review>\n" + _element("summary", "A review without its number.") + "  </review>")
        return _document("reviews", reviews)

    def _product_export(self, since: datetime) -> bytes:
        oldest = since.timestamp()
        products = [_product(each) for each in self._newest_first() if each.product and each.at >= oldest]
        return _document("products", products)

    @staticmethod
    def _xml(body: bytes) -> Response:
        return Response(body, media_type="text/xml; charset=utf-8")

    @staticmethod
    def _stranger() -> Response:
        return HTMLResponse("<!DOCTYPE html>\n<html><head><title>Heureka</title></head><body><p>404<br></body></html>")


def _document(root: str, items: Sequence[str]) -> bytes:
    inner = "".join(f"{item}\n" for item in items)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{chr(10) if inner else ""}{inner}</{root}>\n'
    return text.encode("utf-8", "replace")


def _shop_review(written: _Written) -> str:
    stars = _stars(written.rating)
    order = _element("order_id", written.order_id)
    reaction = _texts("reaction", written.reaction)
    # Heureka fixes no order of the elements; both orders of these two were seen.
    tail = order + reaction if written.rating_id % 2 else reaction + order
    return (
        "  <review>\n"
        + _element("rating_id", str(written.rating_id))
        + _element("source", "regular")
        + _element("ordered", str(written.at - 9 * 86400))
        + _element("unix_timestamp", _told_time(written))
        + _texts("name", written.author)
        + "".join(_element(tag, stars) for tag in ("total_rating", "delivery_time", "communication"))
        + _element("recommends", _recommends(written.rating))
        + _texts("pros", "\n".join(written.pros))
        + _texts("cons", "\n".join(written.cons))
        + _texts("summary", written.summary)
        + tail
        + "  </review>"
    )


def _product(written: _Written) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", written.product.lower()).strip("-")
    return (
        "  <product>\n"
        + _texts("product_name", written.product)
        + _texts("url", f"https://shop.example/{slug}?from=heureka&v=2")
        + _element("cena", "899.00")
        + _element("price", "899.00")
        + _element("ean", f"0{written.rating_id:012d}"[:13])
        + _element("order_id", written.order_id)
        + "    <reviews>\n  <review>\n"
        + _element("rating_id", str(written.rating_id))
        + _element("rating_id_type", "offer")
        + _element("unix_timestamp", _told_time(written))
        + _texts("name", written.author)
        + _element("rating", _stars(written.rating))
        + _texts("pros", "\n".join(written.pros))
        + _texts("cons", "\n".join(written.cons))
        + _element("recommends", _recommends(written.rating))
        + _texts("summary", written.summary)
        + "  </review>\n    </reviews>\n  </product>"
    )


def _told_time(written: _Written) -> str:
    return str(written.at) if written.told_time is None else written.told_time


def _stars(rating: float | None) -> str:
    return "" if rating is None else f"{rating:g}"


def _recommends(rating: float | None) -> str:
    return "" if rating is None else str(int(rating >= 3))


def _element(tag: str, text: str) -> str:
    return f"    <{tag}>{text.replace('&', '&amp;').replace('<', '&lt;')}</{tag}>\n" if text else ""


def _texts(tag: str, text: str) -> str:
    whole = text.replace("]]>", "]]]]><![CDATA[>")
    return f"    <{tag}><![CDATA[{whole}]]></{tag}>\n" if text else ""
