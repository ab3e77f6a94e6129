from __future__ import annotations

import pytest

from reviewdesk.desk.allowance import FLOOD, MOST_EMPTY, Allowance
from reviewdesk.desk.border import Breach
from reviewdesk.store.records import Ingested

NEW, SAME = Ingested(new=1), Ingested(same=1)


def allowance(cursor: object = None) -> Allowance:
    return Allowance(seconds=10, mentions=100, cursor=cursor)


def test_within_the_budget_nothing_stops() -> None:
    poll = allowance()
    assert not poll.used_up({"page": 1}, 99, NEW, 9.9)


@pytest.mark.parametrize(("items", "elapsed"), [(100, 0.0), (1, 10.0)])
def test_over_it_a_poll_stops_where_the_next_can_go_on(items: int, elapsed: float) -> None:
    assert allowance().used_up({"page": 1}, items, NEW, elapsed)
    assert not allowance({"page": 1}).used_up({"page": 1}, items, NEW, elapsed), "it would begin there again"
    assert not allowance().used_up(None, items, NEW, elapsed)


def test_a_long_way_without_a_cursor_is_a_flood() -> None:
    poll = allowance()
    for _ in range(FLOOD - 1):
        assert not poll.used_up(None, 100, NEW, 0)
    with pytest.raises(Breach, match="without a cursor"):
        poll.used_up(None, 100, NEW, 0)


def test_what_is_known_already_is_not_stopped_but_without_end_it_is_a_flood() -> None:
    poll = allowance()
    for page in range(FLOOD - 1):
        assert not poll.used_up({"page": page}, 100, SAME, 0)
    with pytest.raises(Breach, match="none was new"):
        poll.used_up({"page": FLOOD}, 100, SAME, 0)


def test_nothing_in_endless_batches() -> None:
    poll = allowance()
    for page in range(MOST_EMPTY):
        poll.used_up({"page": page}, 0, SAME, 0)
    with pytest.raises(Breach, match="empty batches"):
        poll.used_up({"page": -1}, 0, SAME, 0)
