from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reviewdesk.sandbox.runner import environment, stage
from tests.flows.street import Clock, Street

OpenStreet = Callable[..., Street]


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> Iterator[OpenStreet]:
    """Gives what opens a street: `street("facebook", "heureka")`."""
    clock = Clock()
    with ExitStack() as stack:

        def open_street(*platforms: str) -> Street:
            running = stack.enter_context(stage(platforms, first_port=0, clock=clock))
            for name, value in environment(running).items():
                monkeypatch.setenv(name, value)
            opened = Street(running, tmp_path, clock)
            stack.callback(opened.store.close)
            return opened

        yield open_street
