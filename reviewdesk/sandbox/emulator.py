"""What an emulated platform is: its state, its endpoints, its customers, and the faults it can be told to have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute


class FaultKind(StrEnum):
    """What can go wrong on purpose.

    Attributes:
        RATE_LIMIT: refused for too many requests, in the platform's own shape.
        EXPIRED_TOKEN: refused because the credential is dead, in the platform's own shape.
        SERVER_ERROR: the status in `status`, nothing done.
        CUT: the answer breaks off in the middle; what the request asked for is done.
        LOST: what the request asked for is done, and no answer arrives.
        DROPPED: the connection closes before anything is done.
        SLOW: the answer takes `seconds` longer.
        LOGIN_PAGE: 200 with a web page instead of data.
    """

    RATE_LIMIT = "rate_limit"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - no secret, a kind of fault
    SERVER_ERROR = "server_error"
    CUT = "cut"
    LOST = "lost"
    DROPPED = "dropped"
    SLOW = "slow"
    LOGIN_PAGE = "login_page"


class Fault(msgspec.Struct, kw_only=True):
    """A fault to be had.

    Attributes:
        kind: what goes wrong.
        match: only requests whose "METHOD /path" contains this; "" for all.
        times: how many requests it hits; -1 for all from now on.
        after: how many matching requests pass first.
        status: for SERVER_ERROR.
        seconds: for SLOW, and for RATE_LIMIT the wait that the platform names (0: it names none).
    """

    kind: FaultKind
    match: str = ""
    times: int = 1
    after: int = 0
    status: int = 500
    seconds: float = 0.0

    def strikes(self, line: str) -> bool:
        """Tells whether it hits the request `METHOD /path`, and counts it."""
        if self.match not in line or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        return True


class SeenRequest(msgspec.Struct, kw_only=True):
    """One request that arrived, for tests that look at what was really sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class CustomerText(msgspec.Struct, kw_only=True, frozen=True):
    """What a scripted customer writes; an emulator uses the parts that its platform has."""

    author: str
    text: str
    language: str
    rating: float | None = None
    title: str = ""
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    product: str = ""
    order_id: str = ""


class ShopReply(msgspec.Struct, kw_only=True, frozen=True):
    """A reply by the shop that stands on the emulated platform: its id, the customer text's id, and the words."""

    id: str
    to: str
    text: str


class CannotPlay(Exception):
    """The emulated platform was asked for something that its author has not written.

    Args:
        method: the method of `Emulator` to override.
    """

    def __init__(self, method: str) -> None:
        super().__init__(f"the emulator has no `{method}()`")
        self.method = method


class Emulator:
    """The base of every emulated platform. Override what is marked; state lives in the instance.

    Args:
        clock: gives the time, aware and in UTC.

    Attributes:
        page_size: where set, no page of a list holds more items, whatever the request asks for; an emulator of a
            platform with pages minds it.
        capacity: the most items that one list hands out; the conformance kit writes no more.
    """

    platform: ClassVar[str]
    capacity: ClassVar[int] = 1_000_000
    page_size: int | None = None

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.faults: list[Fault] = []
        self.requests: list[SeenRequest] = []

    def routes(self) -> Sequence[BaseRoute]:
        """Override: the platform's endpoints, as starlette routes."""
        raise NotImplementedError

    def source(self, base: str) -> dict[str, Any]:
        """Override: a `[[source]]` table (without `id`) that points a connector at this emulator served at `base`."""
        raise NotImplementedError

    def secrets(self) -> dict[str, str]:
        """Override where there are any: environment variables that the source's settings refer to, with values."""
        return {}

    def quicken(self) -> None:
        """Override where calls are counted: from now on it is polled every few seconds, for hours, and allows that."""

    def write(self, words: CustomerText) -> str:
        """Override: a customer writes something new. Gives its id on the platform.

        An empty `author` is somebody whom the platform does not name; an empty `text` a bare rating or picture.
        """
        raise NotImplementedError

    def write_many(self, texts: Sequence[CustomerText]) -> None:
        """Override where writing one by one would be slow: many customers write, the first one first."""
        for words in texts:
            self.write(words)

    def edit(self, id: str, text: str) -> None:
        """Override where people can change what they wrote: a customer's text is another one now.

        Raises:
            CannotPlay: it is not overridden.
        """
        raise CannotPlay("edit")

    def delete(self, id: str) -> None:
        """Override where texts can vanish: a customer's text is gone. Errors as in `edit`."""
        raise CannotPlay("delete")

    def mistime(self, id: str, written: str) -> None:
        """Override: from now on the platform gives these characters for the time of a text. Errors as in `edit`."""
        raise CannotPlay("mistime")

    def poison(self) -> None:
        """Override: among the newest items stands one that no program can read: a wrong type, a broken element.

        Answers in JSON need none: there the conformance kit spoils an item by itself. Errors as in `edit`.
        """
        raise CannotPlay("poison")

    def refuse_next(self, words: str) -> None:
        """Override where replies go by the API: the next one is refused, with these words. Errors as in `edit`."""
        raise CannotPlay("refuse_next")

    def hold_next(self) -> None:
        """Override where replies may be moderated: the next one is taken and not shown yet. Errors as in `edit`."""
        raise CannotPlay("hold_next")

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        """Override where customers can answer: the customer goes on after the shop's reply. Gives the new id."""
        return None

    def shop_replies(self) -> Sequence[ShopReply]:
        """Override: what the shop has replied so far, oldest first."""
        raise NotImplementedError

    def hand_off(self, to: str, text: str) -> None:
        """Override where replies are written on the platform's own page: what a person types in there."""
        raise NotImplementedError

    def refusal(self, fault: Fault, request: Request) -> Response:
        """Override: the answer to a RATE_LIMIT or EXPIRED_TOKEN fault in the platform's own shape."""
        headers = {"retry-after": str(int(fault.seconds))} if fault.seconds else {}
        status = 429 if fault.kind is FaultKind.RATE_LIMIT else 401
        return PlainTextResponse(fault.kind.value, status, headers)

    def login_page(self) -> Response:
        """The answer to a LOGIN_PAGE fault."""
        return HTMLResponse("<!doctype html><title>Log in</title><form>Please log in to continue.</form>")
