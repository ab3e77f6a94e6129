"""The lines of `reviewdesk assess`: read as they come, answered in their order, on all cores where they are many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BufferedIOBase
from queue import Empty, Queue
from threading import Thread
from typing import NamedTuple

import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.jsonl import answer, assessable_from
from reviewdesk.cli.output import json_text
from reviewdesk.errors import NotAllowed

_READ_AT_ONCE = 1 << 16
_MANY = 2000  # lines that one core answers before the others are started, which takes some tenths of a second
_READ_AHEAD = 8


class Lines(NamedTuple):
    """Lines that came together; `first` is the number of the first, from 1."""

    first: int
    lines: list[bytes]


class Answers(NamedTuple):
    """JSON lines, and how many of what they answer could not be read."""

    text: str
    bad: int


class Answering:
    """Answers lines.

    Args:
        assessor: assesses the texts.
        prior: the home language, for texts too short to tell.
        utf8: whether the reader takes UTF-8.
    """

    def __init__(self, assessor: Assessor, prior: str | None, *, utf8: bool = True) -> None:
        self._assessor = assessor
        self._prior = prior
        self._utf8 = utf8

    def __call__(self, lines: Lines) -> Answers:
        """Gives a JSON line for each that is not empty."""
        answers, bad = [], 0
        for number, line in enumerate(lines.lines, lines.first):
            if not line.strip():
                continue
            try:
                given, item = read_line(line, self._prior)
            except NotAllowed as error:
                bad += 1
                answers.append(json_text({"line": number, "error": str(error)}, utf8=self._utf8))
            else:
                answers.append(json_text(answer(given, next(self._assessor.assess([item]))), utf8=self._utf8))
        return Answers("".join(f"{line}\n" for line in answers), bad)


def answered(stream: BufferedIOBase, work: Answering) -> Iterator[Answers]:
    """Gives the answers to a stream's lines, in their order and as soon as they are there: one who asks and waits is
    served like one who sends a file."""
    come = _as_they_come(stream)
    for lines in come:
        yield work(lines)
        if lines.first > _MANY:
            yield from _on_all_cores(come, work)


def _on_all_cores(come: Iterator[Lines], work: Answering) -> Iterator[Answers]:
    from reviewdesk.assess.cores import Cores, cores

    if cores() == 1:
        yield from map(work, come)
        return
    read: Queue[Lines | Exception | None] = Queue(_READ_AHEAD)
    Thread(target=_hand_over, args=(come, read), daemon=True).start()
    with Cores(work) as crew:
        ended = False
        while not ended or crew.busy:
            if ended or crew.full:
                yield crew.next_done()
                continue
            try:
                # Nobody may wait for an answer that is ready, because the next question has not come.
                lines = read.get(block=not crew.busy)
            except Empty:
                yield crew.next_done()
                continue
            if isinstance(lines, Exception):
                raise lines
            ended = lines is None
            if lines is not None:
                crew.begin(lines)


def _hand_over(come: Iterator[Lines], read: Queue[Lines | Exception | None]) -> None:
    try:
        for lines in come:
            read.put(lines)
        read.put(None)
    except Exception as error:
        read.put(error)


def _as_they_come(stream: BufferedIOBase) -> Iterator[Lines]:
    """Gives all lines that are there at a time."""
    # What is read without the buffer needs no lock of its, so that Ctrl-C can end the program in the middle of it.
    raw = getattr(stream, "raw", stream)
    number, begun = 1, list[bytes]()
    while chunk := raw.read(_READ_AT_ONCE):
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            yield Lines(number, [b"".join(begun), *others[:-1]])
            number, begun = number + len(others), [others[-1]]
    if any(begun):
        yield Lines(number, [b"".join(begun)])


def read_line(line: bytes, prior: str | None) -> tuple[object, Assessable]:
    """Gives what one line holds, and what it asks to assess.

    Raises:
        NotAllowed: it cannot be read.
    """
    try:
        given = _decoded(line)
    except UnicodeDecodeError:
        raise NotAllowed("The line is not in UTF-8.", hint="Save or send it as UTF-8.") from None
    except (ValueError, RecursionError):
        hint = 'Write one object a line, such as {"text": "Works well"}.'
        raise NotAllowed("The line is no JSON.", hint=hint) from None
    return given, assessable_from(given, prior)


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        # It takes NaN and half characters, as people's files have them; of bytes it would take half a file in UTF-16.
        return json.loads(line.decode("utf-8-sig", "surrogatepass"))
