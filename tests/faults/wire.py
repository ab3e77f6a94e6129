"""A wire between the desk and an emulated platform that breaks where it is told to."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

Where = Literal["request", "answer"]
How = Literal["reset", "close", "delay", "twice"]


@dataclass
class Break:
    """How the wire fails, once.

    Attributes:
        match: what the request line has to contain; "" for any.
        skip: how many such requests pass first.
        where, at: after how many bytes of the request or of its answer.
        how: "reset" tears the connection, "close" ends it politely, "delay" holds the rest back for `seconds`, "twice"
            sends the answer's bytes up to there a second time.
        struck: whether it has happened.
        lengths: bytes of request and answer that went through, for a break that never comes.
    """

    match: str = ""
    skip: int = 0
    where: Where = "answer"
    at: int = 1 << 30
    how: How = "reset"
    seconds: float = 0.4
    struck: bool = False
    lengths: tuple[int, int] = (0, 0)


class Wire:
    """A proxy on loopback to another port there.

    Attributes:
        base: its address.
        plans: the breaks to come, each for the next request that it matches.
        holding: how many pieces are held back just now.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.plans: deque[Break] = deque()
        self.holding = 0
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._connected, sock=self._socket))
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._socket.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        line = _Line(self, (writer, back))
        await asyncio.gather(line.carry(reader, back, "request"), line.carry(there, writer, "answer"))


class _Line:
    """One connection through the wire."""

    def __init__(self, wire: Wire, ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.wire, self.ends = wire, ends
        self.plan: Break | None = None
        self.carried = {"request": 0, "answer": 0}
        self.answer = b""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: Where) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if where == "request":
                    self._look(data)
                if not await self._break(data, writer, where):
                    writer.write(data)
                    await writer.drain()
        with suppress(ConnectionError, OSError):
            writer.close()

    def _look(self, data: bytes) -> None:
        """Takes the plan up where a request begins that it is meant for. Clients begin one with a new piece."""
        plans, line = self.wire.plans, data.partition(b"\r\n")[0]
        if not line.endswith(b" HTTP/1.1"):
            return
        self.plan, self.carried, self.answer = None, {"request": 0, "answer": 0}, b""
        if plans and plans[0].match in line.decode("latin-1"):
            if plans[0].skip:
                plans[0].skip -= 1
            else:
                self.plan = plans.popleft()

    async def _break(self, data: bytes, writer: asyncio.StreamWriter, where: Where) -> bool:
        plan = self.plan
        if plan is None:
            return False
        before = self.carried[where]
        self.carried[where] += len(data)
        plan.lengths = (self.carried["request"], self.carried["answer"])
        if plan.how == "twice":
            return where == "answer" and not plan.struck and self._twice(plan, data, writer)
        if plan.struck or plan.where != where or not before <= plan.at <= self.carried[where]:
            return False
        plan.struck = True
        head, rest = data[: plan.at - before], data[plan.at - before :]
        writer.write(head)
        await writer.drain()
        match plan.how:
            case "delay":
                self.wire.holding += 1
                await asyncio.sleep(plan.seconds)
                writer.write(rest)
                self.wire.holding -= 1
            case "close":
                for end in self.ends:
                    end.close()
            case "reset":
                self._tear()
        return True

    def _twice(self, plan: Break, data: bytes, writer: asyncio.StreamWriter) -> bool:
        self.answer += data
        head, _, body = self.answer.partition(b"\r\n\r\n")
        told = re.search(rb"content-length: (\d+)", head.lower())
        if len(body) >= (int(told[1]) if told else 0):
            plan.struck = True
            writer.write(self.answer * 2)
        return True

    def _tear(self) -> None:
        for end in self.ends:
            told = end.get_extra_info("socket")
            if told is not None:
                told.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # What was written before the tear has to arrive: a platform that got the last byte has the whole request.
        for end in self.ends:
            end.transport.abort() if end.transport.get_write_buffer_size() == 0 else end.close()


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    """Gives a wire to a port while the block runs."""
    made = Wire(port)
    try:
        yield made
    finally:
        made.stop()
