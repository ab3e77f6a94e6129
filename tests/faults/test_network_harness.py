"""Some of the breaks of `tests.faults.network` for every change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.network import break_polls, in_no_time, run
from tests.faults.world import PLATFORMS


@pytest.mark.timeout(180)
@pytest.mark.parametrize("platform", ["facebook", "reddit"])
async def test_a_reply_stands_once_wherever_the_wire_breaks(tmp_path: Path, platform: str) -> None:
    figures = await run(tmp_path, 11, [platform], every=80, polls=0)
    assert figures.verdict.sentences == []
    assert figures.verdict.replies > 20


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 4])
async def test_polls_bring_all_wherever_the_wire_breaks(tmp_path: Path, seed: int) -> None:
    with in_no_time():
        figures = await break_polls(tmp_path / "polls", seed, PLATFORMS, 12)
    assert figures.verdict.sentences == []


async def test_an_answer_that_comes_twice_is_nobody_elses(tmp_path: Path) -> None:
    """What is left over in a connection was once read as the answer to the next request: comments as posts."""
    from reviewdesk.desk.poll import poll_round
    from tests.faults.network import wired
    from tests.faults.wire import Break

    with in_no_time(), wired(tmp_path, 3, ["facebook"]) as (here, wires):
        for skip in range(6):
            here.customer_writes()
            here.clock.forward(hours=25)
            wires["facebook"].plans.append(Break(skip=skip, how="twice"))
            await poll_round(here.config, here.store, now=True)
        here.settled()
        assert here.compare().sentences == []
