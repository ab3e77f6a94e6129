"""The corner shop's review site as an emulated platform: one list, newest first, and replies under each review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, ShopReply

TOKEN = "corner-token-93a1"
VARIABLE = "REVIEWDESK_SANDBOX_CORNER_TOKEN"
SHOP = "The Corner"


class CornerEmulator(Emulator):
    platform = "corner"

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self.reviews: dict[int, dict[str, Any]] = {}
        self.number = 0
        self.refusal_words = ""
        self.held = False
        self.keys: dict[str, int] = {}

    def source(self, base: str) -> dict[str, Any]:
        return {"url": base, "token": f"env:{VARIABLE}"}

    def secrets(self) -> dict[str, str]:
        return {VARIABLE: TOKEN}

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/me", self.me),
            Route("/reviews", self.listing),
            Route("/reviews/{id:int}", self.one),
            Route("/reviews/{id:int}/replies", self.replies, methods=["GET"]),
            Route("/reviews/{id:int}/replies", self.reply, methods=["POST"]),
        ]

    # What people do.

    def add(self, text: str, author: str, **more: Any) -> int:
        self.number += 1
        self.reviews[self.number] = {
            "id": self.number, "author": {"name": author} if author else None, "text": text or None,
            "written": self.clock().isoformat(), **more,
        }  # fmt: skip
        return self.number

    def write(self, words: CustomerText) -> str:
        percent = None if words.rating is None else (words.rating - 1) * 25
        return str(self.add(words.text, words.author, percent=percent))

    def edit(self, id: str, text: str) -> None:
        self.reviews[int(id)]["text"] = text

    def delete(self, id: str) -> None:
        del self.reviews[int(id)]

    def mistime(self, id: str, written: str) -> None:
        self.reviews[int(id)]["written"] = written

    def refuse_next(self, words: str) -> None:
        self.refusal_words = words

    def hold_next(self) -> None:
        self.held = True

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        return str(self.add(words.text, words.author, parent=int(reply.to)))

    def shop_replies(self) -> Sequence[ShopReply]:
        return [
            ShopReply(id=str(id), to=str(each["parent"]), text=each["text"])
            for id, each in self.reviews.items()
            if each.get("by_shop")
        ]

    # What the API answers.

    def stranger(self, request: Request) -> bool:
        return request.headers.get("authorization") != f"Bearer {TOKEN}"

    async def me(self, request: Request) -> Response:
        return JSONResponse({}, 401) if self.stranger(request) else JSONResponse({"shop": SHOP})

    async def listing(self, request: Request) -> Response:
        if self.stranger(request):
            return JSONResponse({}, 401)
        asked = request.query_params
        size = self.page_size or 100
        start = int(asked.get("after", self.number + 1)) - 1
        # Ids count up, so a page is found without looking at those before it.
        rows: list[dict[str, Any]] = []
        if "offset" in asked:
            newest = sorted(self.reviews, reverse=True)[int(asked["offset"]) :]
            rows = [self.reviews[id] for id in newest[: size + 1]]
        else:
            while start > 0 and len(rows) <= size:
                if start in self.reviews:
                    rows.append(self.reviews[start])
                start -= 1
        following = None
        if len(rows) > size:
            following = f"{str(request.base_url).rstrip('/')}/reviews?after={rows[size - 1]['id']}"
        body = msgspec.json.encode({"reviews": rows[:size], "next": following})
        return Response(body, media_type="application/json")

    async def one(self, request: Request) -> Response:
        if self.stranger(request):
            return JSONResponse({}, 401)
        review = self.reviews.get(request.path_params["id"])
        return JSONResponse(review, 200 if review else 404)

    async def replies(self, request: Request) -> Response:
        if self.stranger(request):
            return JSONResponse({}, 401)
        to = request.path_params["id"]
        return JSONResponse([each for each in self.reviews.values() if each.get("parent") == to])

    async def reply(self, request: Request) -> Response:
        if self.stranger(request):
            return JSONResponse({}, 401)
        if self.refusal_words:
            return JSONResponse({"message": self.refusal_words}, 422)
        told, key = await request.json(), request.headers.get("idempotency-key", "")
        id = self.keys.get(key) or self.add(told["text"], SHOP, parent=request.path_params["id"], by_shop=True)
        if key:
            self.keys[key] = id
        return JSONResponse({"id": id, "visible": not self.held}, 201)
