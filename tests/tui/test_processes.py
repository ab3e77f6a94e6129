from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.tui.processes import Ended, Line, command_line, run, told


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"event": "progress", "source": "fb", "items": 1200, "total": 5000}, "fb: 1,200 of 5,000"),
        ({"event": "source", "source": "fb", "outcome": "done", "new": 3, "fault": None}, "fb: 3 new"),
        ({"event": "source", "source": "fb", "new": 0, "fault": {"sentence": "No.", "hint": "Do."}}, "fb: No. Do."),
        ({"event": "reply", "source": "fb", "state": "posted", "fault": ""}, "fb: the reply is posted"),
        ({"event": "reply", "source": "fb", "state": "refused", "fault": "Too long.", "hint": ""}, "fb: Too long."),
    ],
)
def test_the_steps_of_a_poll_are_told_in_words(event: dict[str, object], shown: str) -> None:
    line = told(json.dumps(event))
    assert line
    assert line.text == shown
    assert line.fault == bool(event.get("fault"))


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_rubbish_is_told_as_nothing(line: str) -> None:
    assert told(line) is None


async def test_lines_come_as_they_are_written_and_the_end_with_its_code() -> None:
    event = {"event": "source", "source": "\x1b[31mfb", "new": 2}
    code = f"import sys; print({json.dumps(event)!r}); print('x'); print('it failed', file=sys.stderr); sys.exit(4)"
    heard = [each async for each in run([sys.executable, "-c", code])]
    assert heard == [Line(text="�[31mfb: 2 new", new=2), Ended(code=4, last_words="it failed")]


async def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    code = 'import os, time; print(\'{"event": "progress", "source": "%d"}\' % os.getpid(), flush=True); time.sleep(60)'
    async with aclosing(run([sys.executable, "-c", code])) as lines:
        async for line in lines:
            assert isinstance(line, Line)
            pid = int(line.text.split(":")[0])
            break
    await asyncio.sleep(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_command_names_configuration_and_database_before_what_may_look_like_an_option() -> None:
    words = command_line("edit-reply", "--", "7", "--yes", config=Path("/a b/c.toml"), db=Path("/d.db"))
    assert words == [
        sys.executable,
        "-P",
        "-m",
        "reviewdesk",
        "edit-reply",
        "--config",
        "/a b/c.toml",
        "--db",
        "/d.db",
        "--",
        "7",
        "--yes",
    ]
