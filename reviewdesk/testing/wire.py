"""The wire between a connector and its emulated platform, on which the kit plays what no author has to write.

One server for the whole process; whichever emulator is on the wire answers. What passes can be changed on the way:
an answer is replaced, spoiled, padded, or led elsewhere.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reviewdesk.sandbox import Emulator, Running
from reviewdesk.sandbox.server import application


class Sent(msgspec.Struct, kw_only=True, frozen=True):
    """An answer on its way; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """True for JSON, by what the platform says or else by how the body begins."""
        return "json" in self.type or self.body.lstrip()[:1] in (b"{", b"[")


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """A request that arrived; `key` names its list: the method and path without the query."""

    method: str
    path: str
    query: str

    @property
    def key(self) -> str:
        """The method and path."""
        return f"{self.method} {self.path}"

    @property
    def reads(self) -> bool:
        """True for GET and HEAD."""
        return self.method in ("GET", "HEAD")


Change = Callable[[Asked, Sent], Sent]
"""What happens to an answer on its way."""


class Wire(Emulator):
    """What is served: the emulator on the wire, and the changes to its answers.

    Attributes:
        changes: applied to each answer in this order; empty lets everything pass as it is.
        watched: called with each request before it is answered.
    """

    platform = "wire"

    def __init__(self) -> None:
        super().__init__()
        self._app: ASGIApp | None = None
        self.changes: list[Change] = []
        self.watched: Callable[[Asked], None] = lambda asked: None

    def routes(self) -> Sequence[BaseRoute]:
        """Everything leads to the emulator on the wire."""
        return [Mount("/", app=self._pass_on)]

    def play(self, emulator: Emulator, watched: Callable[[Asked], None]) -> None:
        """Puts an emulator on the wire in the place of the one before."""
        self._app = application(emulator)
        self.changes, self.requests = [], []
        self.watched = watched

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            await PlainTextResponse("Nobody is there.", 404)(scope, receive, send)
            return
        asked = Asked(method=scope["method"], path=scope["path"], query=scope["query_string"].decode("latin-1"))
        self.watched(asked)
        if not self.changes:
            await app(scope, receive, send)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        if not messages:
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in messages[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in messages[1:])
        sent = Sent(status=messages[0]["status"], headers=headers, body=body)
        for change in self.changes:
            sent = change(asked, sent)
        headers = {name: value for name, value in sent.headers.items() if name != "content-length"}
        await Response(sent.body, sent.status, headers)(scope, receive, send)


class Stranger(Emulator):
    """Another host, that nobody has any business with; `requests` tells who came."""

    platform = "stranger"

    def routes(self) -> Sequence[BaseRoute]:
        """Takes every request, and says that there is nothing."""
        return [Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]

    async def _answer(self, request: Request) -> Response:
        return Response(b"{}", media_type="application/json")


@cache
def wire() -> tuple[Wire, Running]:
    """Gives the process's wire, which is served until the process ends."""
    served = Wire()
    return served, _run(served)


@cache
def stranger() -> tuple[Stranger, Running]:
    """Gives the process's stranger, served likewise."""
    served = Stranger()
    return served, _run(served)


def _run(emulator: Emulator) -> Running:
    running = Running(emulator, 0)
    running.start()
    atexit.register(running.stop)
    return running
