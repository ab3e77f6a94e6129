"""Many lines on all cores: the same answers in the same order, nobody waits, and no process is left behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewdesk.assess.cores import Cores, cores
from reviewdesk.errors import ReviewdeskError

TEXTS = ("Balík nedorazil.", "Всё супер!", "Great, thanks", "😡", "nonsense")


def lines(count: int, start: int = 0) -> bytes:
    texts = (json.dumps({"id": n, "text": f"{TEXTS[n % len(TEXTS)]} {n}"}) for n in range(start, start + count))
    return "".join(f"{one}\n" for one in texts).encode()


@pytest.fixture
def filter_process() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "reviewdesk", "assess"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def asked(process: subprocess.Popen[bytes], question: bytes) -> list[dict[str, object]]:
    """Writes lines and reads as many answers, while the process still waits for more."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(question)
    process.stdin.flush()
    return [json.loads(process.stdout.readline()) for _ in range(question.count(b"\n"))]


def test_who_asks_and_waits_gets_the_same_answers_before_and_after_the_cores_take_part(
    filter_process: subprocess.Popen[bytes],
) -> None:
    first = asked(filter_process, lines(5))
    for begin in range(5, 8005, 1000):
        assert [one["id"] for one in asked(filter_process, lines(1000, begin))] == list(range(begin, begin + 1000))
    assert asked(filter_process, lines(5)) == first
    bad, good = asked(filter_process, b"nonsense\n" + lines(1))
    assert bad["line"] == 8011
    assert good == first[0]
    assert filter_process.stdin is not None
    filter_process.stdin.close()
    assert filter_process.wait(20) == 2


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for a process's children")
@pytest.mark.skipif(cores() < 2, reason="one core does all by itself")
def test_no_process_is_left_behind_when_the_first_is_killed(filter_process: subprocess.Popen[bytes]) -> None:
    for begin in range(0, 6000, 1000):
        asked(filter_process, lines(1000, begin))
    listed = Path(f"/proc/{filter_process.pid}/task/{filter_process.pid}/children").read_text().split()
    watched = [os.pidfd_open(int(child)) for child in listed]
    filter_process.kill()
    poll = select.poll()
    for handle in watched:
        poll.register(handle, select.POLLIN)
    ended: set[int] = set()
    while len(ended) < len(watched) and (found := poll.poll(20_000)):
        for handle, _ in found:
            poll.unregister(handle)
            ended.add(handle)
    assert len(ended) == len(watched) > 0


def ended_from_outside(piece: int) -> int:
    if piece == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece


def test_a_process_that_is_killed_is_told_in_a_sentence() -> None:
    with pytest.raises(ReviewdeskError, match="ended from outside"), Cores(ended_from_outside, 2) as crew:
        list(crew.map(range(6)))
