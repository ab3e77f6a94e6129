"""What may not pass from a connector into the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reviewdesk.connector import Attachment, Author, Batch, Budget, Capabilities, Kind, Mention, PostedReply, SetAside
from reviewdesk.desk.border import (
    Breach,
    admit,
    checked_budget,
    checked_capabilities,
    checked_findings,
    checked_mention,
    checked_reply,
)
from reviewdesk.plugins import emulators, load_connector, load_emulator
from reviewdesk.sandbox import CustomerText
from reviewdesk.secrets import remember
from reviewdesk.testing.bench import opened

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = THEN.replace(tzinfo=None)
GOOD = Mention(id="1", kind=Kind.REVIEW, text="Nefunguje.", rating=1.5, created_at=THEN)


class Nowhere(tzinfo):
    """A time zone without an offset."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None


class Unspeakable:
    """What cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": 5}, "id"),
    ({"id": ""}, "its id"),
    ({"id": "x" * 501}, "its id"),
    ({"kind": "rant"}, "kind"),
    ({"text": None}, "text"),
    ({"text": b"bytes"}, "text"),
    ({"text": "x" * 500_001}, "500,001 characters"),
    ({"created_at": NAIVE}, "its created_at has no time zone"),
    ({"edited_at": NAIVE}, "its edited_at has no time zone"),
    ({"created_at": THEN.replace(tzinfo=Nowhere())}, "without an offset"),
    ({"created_at": 1767225600.5}, "created_at"),
    ({"author": "Eva"}, "Author"),
    ({"author": Author(id=7)}, "id"),  # type: ignore[arg-type]
    ({"rating": 0}, "its rating is 0"),
    ({"rating": 97}, "its rating is 97"),
    ({"rating": float("nan")}, "its rating is nan"),
    ({"rating": "5"}, "rating"),
    ({"sub_ratings": {"delivery": 11.0}}, "its delivery is 11"),
    ({"sub_ratings": {"delivery": None}}, "sub_ratings"),
    ({"pros": "fast"}, "pros"),
    ({"pros": (1,)}, "pros"),
    ({"ours": "no"}, "ours"),
    ({"attachments": ("a.png",)}, "Attachment"),
    ({"attachments": (Attachment(type=3),)}, "type"),  # type: ignore[arg-type]
    ({"fields": {"a": 1}}, "fields"),
    ({"raw": circle()}, "no JSON"),
]


@pytest.mark.parametrize(("change", "expected"), BAD, ids=lambda value: str(value)[:30])
def test_a_mention_that_does_not_fit_is_set_aside_with_the_field(change: dict[str, Any], expected: str) -> None:
    came = admit(Batch(mentions=[replace(GOOD, **change), GOOD], cursor={"page": 2}))
    assert [mention.id for mention in came.mentions] == ["1"]
    (aside,) = came.set_aside
    assert expected in aside.reason
    assert (came.cursor, came.fault) == ({"page": 2}, "")


@pytest.mark.parametrize("item", [None, 5, "text", {"id": "1"}, Author(), Unspeakable(), Batch(), circle()])
def test_what_is_no_mention_at_all(item: Any) -> None:
    came = admit(Batch(mentions=[item], set_aside=[item], gone=[Unspeakable(), "3", 4]))  # type: ignore[list-item]
    assert (came.mentions, came.gone) == ([], ["3"])
    assert len(came.set_aside) == 4
    assert all(aside.reason and aside.raw for aside in came.set_aside)


def test_a_good_one_passes_as_it_is() -> None:
    whole = replace(
        GOOD, author=Author(id="7"), pros=("a",), attachments=(Attachment(type="image"),), raw={"a": [1, None]}
    )
    aside = SetAside(reason="odd", raw="{}")
    came = admit(Batch(mentions=[whole], set_aside=[aside], gone=["9"], cursor={}, total=5))
    assert (came.mentions, came.set_aside, came.gone, came.cursor, came.total) == ([whole], [aside], ["9"], {}, 5)


@given(st.floats(1, 5), st.text(min_size=1, max_size=20), st.lists(st.text(), max_size=3))
def test_all_that_is_allowed_passes(rating: float, id: str, pros: list[str]) -> None:
    mention = replace(GOOD, id=id, rating=rating, pros=pros)
    assert checked_mention(mention) == replace(mention, pros=tuple(pros))


@pytest.mark.parametrize(
    "batch",
    [None, {}, [], Batch(mentions=None), Batch(mentions=iter([])), Batch(gone="abc"), Batch(mentions=[GOOD] * 100_001)],  # type: ignore[arg-type]
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_batch(batch: Any) -> None:
    with pytest.raises(Breach):
        admit(batch)


@pytest.mark.parametrize(
    "cursor",
    [5, "page 2", ["page"], {1: 2}, {"a": {1}}, {"a": float("nan")}, {"a": circle()}, {"a": "x" * (17 << 20)}],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_cursor_that_cannot_be_kept_is_a_fault_and_the_mentions_stay(cursor: Any) -> None:
    came = admit(Batch(mentions=[GOOD], cursor=cursor))
    assert (len(came.mentions), came.cursor) == (1, None)
    assert "its cursor" in came.fault


@pytest.mark.parametrize("total", [-1, 2.5, "many", True])
def test_a_total_that_is_none_is_dropped(total: Any) -> None:
    assert admit(Batch(total=total)).total is None


def test_no_secret_in_what_was_set_aside() -> None:
    remember("s3cret-token-value")
    (aside,) = admit(Batch(mentions=[replace(GOOD, id=5, raw="?key=s3cret-token-value")])).set_aside
    assert "s3cret" not in f"{aside}"


@pytest.mark.parametrize(
    ("check", "given", "error"),
    [
        (checked_reply, PostedReply(id=5), TypeError),  # type: ignore[arg-type]
        (checked_reply, PostedReply(id="5", posted_at=NAIVE), TypeError),
        (checked_reply, None, TypeError),
        (checked_findings, None, Breach),
        (checked_findings, ["fine"], Breach),
        (checked_capabilities, Capabilities(reply="maybe"), Breach),  # type: ignore[arg-type]
        (checked_capabilities, {}, Breach),
    ],
)
def test_what_else_a_connector_hands_over(check: Callable[[Any], Any], given: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        check(given)


@pytest.mark.parametrize("budget", [None, 5, Budget(used="all"), Budget(until=NAIVE)])  # type: ignore[arg-type]
def test_a_budget_is_only_shown(budget: Any) -> None:
    assert checked_budget(budget) is None


@pytest.mark.parametrize("name", sorted(plugin.name for plugin in emulators()))
async def test_what_the_bundled_connectors_hand_over_passes_the_border(name: str) -> None:
    with opened(load_connector(name), load_emulator(name), items=10) as bench:
        for grade in (0.5, 1, 3.3, 5, None):
            bench.emulator.write(CustomerText(author="A" * 300, text="Proč?", language="cs", rating=grade, title="t"))
        async with bench.connected() as connector:
            admitted = [admit(batch) async for batch in connector.poll(None)]
    assert [each.reason for part in admitted for each in part.set_aside] == []
    assert sum(len(part.mentions) for part in admitted) >= 5
