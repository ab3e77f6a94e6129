"""Serves emulators over real HTTP on loopback, and lets them fail on purpose.

The faults that no well-behaved server can have (an answer that breaks off or never comes) are done on the connection
itself. `/_sandbox/` on each server is the stage door: faults, customers and the log for other processes.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reviewdesk.sandbox.emulator import CannotPlay, CustomerText, Emulator, Fault, FaultKind, SeenRequest

# An answer that breaks off on purpose is an error to the server, and news to nobody.
logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
# Its lines would hold the emulated platforms' keys.
logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)

MOST_SEEN = 10_000
"""How many of the last requests an emulator remembers at the least: a sandbox may run for days."""
_transports: dict[tuple[Any, Any], asyncio.Transport] = {}


class _Protocol(H11Protocol):
    """Remembers each connection by both its ends, so that a fault can break it.

    One end is not enough: a client may speak to two servers from one port.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _transports[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop((self.client, self.server), None)
        super().connection_lost(exc)


class _Stage:
    """The ASGI layer between the wire and the emulator: records each request and plays the faults."""

    def __init__(self, app: ASGIApp, emulator: Emulator) -> None:
        self.app = app
        self.emulator = emulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self.emulator.requests.append(
            SeenRequest(
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                headers=dict(request.headers),
                body=body,
            )
        )
        if len(self.emulator.requests) > 2 * MOST_SEEN:
            del self.emulator.requests[:-MOST_SEEN]
        line = f"{request.method} {request.url.path}"
        fault = next((each for each in self.emulator.faults if each.strikes(line)), None)
        await self._play(fault, scope, _replay(body, receive), send, Request(scope, _replay(body, receive)))

    async def _play(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send, request: Request) -> None:
        match fault.kind if fault else None:
            case FaultKind.DROPPED:
                _break(scope)
            case FaultKind.SERVER_ERROR if fault:
                await PlainTextResponse("error", fault.status)(scope, receive, send)
            case FaultKind.LOGIN_PAGE:
                await self.emulator.login_page()(scope, receive, send)
            case FaultKind.RATE_LIMIT | FaultKind.EXPIRED_TOKEN if fault:
                await self.emulator.refusal(fault, request)(scope, receive, send)
            case FaultKind.LOST:
                await self.app(scope, receive, _swallow)
                _break(scope)
            case FaultKind.CUT:
                await self._cut(scope, receive, send)
            case FaultKind.SLOW if fault:
                await asyncio.sleep(fault.seconds)
                await self.app(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        whole = b"".join(message.get("body", b"") for message in messages)
        await send(messages[0])
        await send({"type": "http.response.body", "body": whole[: len(whole) // 2], "more_body": True})
        await asyncio.sleep(0)
        _break(scope, flush=True)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was already read, and after it what goes on arriving: the end of the connection."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


async def _swallow(message: Message) -> None:
    """Takes an answer that nobody will see."""


def _break(scope: Scope, *, flush: bool = False) -> None:
    transport = _transports.get((scope["client"], scope["server"]))
    if transport is not None:
        (transport.close if flush else transport.abort)()


class _Deletion(msgspec.Struct):
    id: str


class _Edit(_Deletion):
    text: str


class _HandOff(msgspec.Struct):
    to: str
    text: str


def application(emulator: Emulator) -> ASGIApp:
    """Gives the ASGI application of an emulator with its faults and its stage door."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            emulator.faults.clear()
        else:
            emulator.faults.append(msgspec.json.decode(await request.body(), type=Fault))
        return Response(status_code=204)

    async def write(request: Request) -> Response:
        words = msgspec.json.decode(await request.body(), type=CustomerText)
        return _json({"id": emulator.write(words)})

    async def edit(request: Request) -> Response:
        told = msgspec.json.decode(await request.body(), type=_Edit)
        return _played(lambda: emulator.edit(told.id, told.text))

    async def delete(request: Request) -> Response:
        told = msgspec.json.decode(await request.body(), type=_Deletion)
        return _played(lambda: emulator.delete(told.id))

    async def hand_off(request: Request) -> Response:
        told = msgspec.json.decode(await request.body(), type=_HandOff)
        emulator.hand_off(told.to, told.text)
        return Response(status_code=204)

    async def replies(request: Request) -> Response:
        return _json(list(emulator.shop_replies()))

    async def log(request: Request) -> Response:
        return _json([f"{seen.method} {seen.path}" for seen in emulator.requests])

    door = [
        Route("/_sandbox/faults", faults, methods=["POST", "DELETE"]),
        Route("/_sandbox/write", write, methods=["POST"]),
        Route("/_sandbox/edit", edit, methods=["POST"]),
        Route("/_sandbox/delete", delete, methods=["POST"]),
        Route("/_sandbox/hand_off", hand_off, methods=["POST"]),
        Route("/_sandbox/replies", replies, methods=["GET"]),
        Route("/_sandbox/requests", log, methods=["GET"]),
    ]
    stage = Starlette(routes=[*door, *emulator.routes()], exception_handlers={msgspec.DecodeError: _misunderstood})
    return _Stage(stage, emulator)


async def _misunderstood(request: Request, error: Exception) -> Response:
    if not request.url.path.startswith("/_sandbox/"):
        raise error  # the platform's own fault, as before
    return PlainTextResponse(f"{error}\n", 400)


def _played(play: Callable[[], None]) -> Response:
    try:
        play()
    except CannotPlay as error:
        return PlainTextResponse(f"{error}\n", 501)
    except Exception:
        # Each emulator looks its texts up in its own way.
        return PlainTextResponse("There is no text with this id.\n", 404)
    return Response(status_code=204)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


class Running:
    """An emulator that is being served; `base` is its address without a trailing slash."""

    def __init__(self, emulator: Emulator, port: int) -> None:
        self.emulator = emulator
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(emulator),
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"sandbox-{emulator.platform}",
            daemon=True,
        )

    def start(self) -> None:
        """Serves from a thread of its own; the socket listens when this returns."""
        self._socket.listen(128)
        self._thread.start()

    def stop(self) -> None:
        """Closes every connection and ends the thread."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)
        self._socket.close()


@contextmanager
def serve(emulator: Emulator, port: int = 0) -> Iterator[Running]:
    """Serves an emulator while the block runs.

    Args:
        port: on loopback; 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    running = Running(emulator, port)
    running.start()
    try:
        yield running
    finally:
        running.stop()
