"""Views, search, counts, conversations, and changes with a way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Assessment, Author, Kind, Mention, Severity, Status
from reviewdesk.store.db import Store, to_ms
from reviewdesk.store.records import Filter, View
from reviewdesk.store.search import match_expression

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "Facebook")
        yield store


def put(store: Store, id: str, *, complaint: bool = False, due: datetime | None = None, **fields: Any) -> int:
    fields = {"text": id, "created_at": NOON, **fields}
    store.mentions.ingest("fb", [Mention(id=id, kind=fields.pop("kind", Kind.COMMENT), **fields)])
    stored = store.mentions.find("fb", id)
    assert stored is not None
    judged = Assessment(
        language="cs",
        compound=-0.5 if complaint else 0.5,
        complaint=complaint,
        probability=float(complaint),
        severity=Severity.SERIOUS if complaint else Severity.NONE,
        assessor="t/1",
    )
    store.mentions.put_assessments([(stored.id, stored.version, judged, due)])
    return stored.id


def test_complaints_stand_first_then_the_nearest_deadline(store: Store) -> None:
    calm = put(store, "calm", due=NOON + timedelta(hours=1))
    never = put(store, "never", complaint=True)
    late = put(store, "late", complaint=True, due=NOON + timedelta(hours=9))
    soon = put(store, "soon", complaint=True, due=NOON - timedelta(hours=1))
    assert list(store.mentions.ids(Filter(view=View.NEEDS_REPLY))) == [soon, late, never, calm]
    assert list(store.mentions.ids(Filter(view=View.COMPLAINTS))) == [soon, late, never]
    assert list(store.mentions.ids(Filter(view=View.OVERDUE))) == [soon]


def test_each_view_counts_what_it_lists(store: Store) -> None:
    ids = [
        put(store, str(number), complaint=number % 2 == 0, due=NOON - timedelta(hours=number)) for number in range(9)
    ]
    store.mentions.change(ids[:1], {"status": "snoozed", "snoozed_until": to_ms(NOON)}, agent="a", what="snoozed")
    store.mentions.change(ids[1:2], {"status": "closed"}, agent="a", what="closed")
    store.mentions.change(ids[2:4], {"assignee": "jana"}, agent="a", what="assigned")
    store.outbox.put(ids[5], "text", agent="jana")
    counts = store.mentions.counts("jana")
    assert counts == {view: len(store.mentions.ids(Filter(view=view, agent="jana"))) for view in View}
    assert (counts[View.SNOOZED], counts[View.MINE], counts[View.OUTBOX], counts[View.ALL]) == (1, 2, 1, 9)


def test_an_assessment_of_an_older_text_is_dropped(store: Store) -> None:
    id = put(store, "1", complaint=False)
    store.mentions.ingest("fb", [Mention(id="1", kind=Kind.COMMENT, text="jinak", created_at=NOON)])
    judged = Assessment(
        language="cs", compound=-1, complaint=True, probability=1, severity=Severity.MILD, assessor="t/1"
    )
    assert store.mentions.put_assessments([(id, 1, judged, None)]) == 0
    assert store.mentions.get(id).assessment is None
    assert [each.id for each in store.mentions.unassessed("t/1")] == [id]


def test_a_new_assessor_finds_everything_unassessed_and_goes_on_in_steps(store: Store) -> None:
    ids = [put(store, str(number)) for number in range(5)]
    assert store.mentions.unassessed("t/1") == []
    assert [each.id for each in store.mentions.unassessed("t/2", limit=3)] == ids[:3]


def test_undo_puts_back_what_was_and_leaves_what_others_changed_since(store: Store) -> None:
    one, two = put(store, "1"), put(store, "2")
    store.mentions.change([one], {"assignee": "petr"}, agent="a", what="assigned")
    action, _ = store.mentions.change([one, two], {"assignee": "jana"}, agent="a", what="assigned")
    store.mentions.change([two], {"assignee": "eva"}, agent="b", what="assigned")
    assert store.mentions.undo(action, agent="a") == (1, 1)
    assert (store.mentions.get(one).assignee, store.mentions.get(two).assignee) == ("petr", "eva")
    assert [event.what for event in store.people.events(one)][:2] == ["undone", "assigned"]


def test_a_change_that_changes_nothing_is_no_event(store: Store) -> None:
    id = put(store, "1")
    assert store.mentions.change([id], {"assignee": ""}, agent="a", what="assigned") == ("", 0)
    assert store.people.events(id) == []


def test_the_snoozed_wake_when_their_time_has_come(store: Store) -> None:
    id = put(store, "1")
    until = to_ms(NOON + timedelta(hours=1))
    store.mentions.change([id], {"status": "snoozed", "snoozed_until": until}, agent="a", what="snoozed")
    assert store.mentions.wake() == 0
    store.clock = lambda: NOON + timedelta(hours=1)
    assert store.mentions.wake() == 1
    assert store.mentions.get(id).status is Status.OPEN


def test_a_conversation_is_the_post_the_branch_and_not_the_neighbours(store: Store) -> None:
    put(store, "post", kind=Kind.POST, ours=True, thread_id="post", created_at=NOON - timedelta(days=1))
    put(store, "top", thread_id="post", parent_id="post")
    put(store, "nested", thread_id="post", parent_id="top", created_at=NOON + timedelta(minutes=1))
    put(store, "deep", thread_id="post", parent_id="nested", created_at=NOON + timedelta(minutes=2))
    put(store, "neighbour", thread_id="post", parent_id="post")
    nested = store.mentions.find("fb", "nested")
    assert nested is not None
    thread = store.mentions.conversation(nested.id).thread
    assert [each.mention.id for each in thread] == ["post", "top", "nested", "deep"]


def test_a_circle_of_parents_ends(store: Store) -> None:
    put(store, "a", parent_id="b")
    put(store, "b", parent_id="a")
    stored = store.mentions.find("fb", "a")
    assert stored is not None
    assert {each.mention.id for each in store.mentions.conversation(stored.id).thread} == {"a", "b"}


def test_history_knows_the_author_the_order_and_the_full_name_elsewhere(store: Store) -> None:
    store.sources.register("he", "heureka", "Heureka")
    id = put(store, "1", author=Author(id="7", name="Jana Nová"), order_id="A1")
    same = put(store, "2", author=Author(id="7", name="Jana N."))
    store.mentions.ingest("he", [Mention(id="x", kind=Kind.REVIEW, text="z", author=Author(name="Jana Nová"))])
    store.mentions.ingest("he", [Mention(id="y", kind=Kind.REVIEW, text="z", order_id="A1")])
    store.mentions.ingest("he", [Mention(id="z", kind=Kind.REVIEW, text="z", author=Author(name="Jana"))])
    history = store.mentions.conversation(id).history
    assert same in {row.id for row in history}
    assert len(history) == 3


def test_a_mention_that_is_not_there_is_a_sentence(store: Store) -> None:
    with pytest.raises(NotAllowed, match="no mention 12"):
        store.mentions.conversation(12)


@given(st.text(max_size=40))
def test_no_words_that_are_typed_break_the_search(words: str) -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute(
        "SELECT * FROM t WHERE t MATCH ?", (match_expression(words).encode("utf-8", "replace").decode(),)
    )
    connection.close()


@pytest.mark.parametrize(
    ("words", "found"),
    [("nedor", True), ("NEDORAZÍL", False), ("balik nedorazil", True), ('"balík nedorazil"', True),
     ('"nedorazil balík"', False), ("nedorazil OR nic", False), ("-nedorazil", True), ("text:balík", False)],
)  # fmt: skip
def test_search_takes_beginnings_and_phrases_and_no_operators(store: Store, words: str, found: bool) -> None:
    put(store, "1", text="Balík nedorazil!")
    assert bool(store.mentions.ids(Filter(search=words))) is (found or words == "NEDORAZÍL")


def test_the_excerpt_of_a_mention_without_a_text_is_what_was_bad_and_good(store: Store) -> None:
    id = put(store, "1", text="", cons=("teče",), pros=("levné",), title="Konvice")
    assert store.mentions.rows([id])[id].excerpt == "Konvice − teče + levné"


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.MESSAGE])
def test_of_a_long_thread_the_newest_are_shown_with_the_mention_itself(tmp_path: Path, kind: Kind) -> None:
    def text(number: int) -> Mention:
        parent = {} if kind is Kind.MESSAGE else {"parent_id": "0" if number else "post"}
        written = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
        return Mention(id=str(number), kind=kind, text="x", thread_id="post", created_at=written, **parent)

    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "")
        above = [Mention(id="post", kind=Kind.POST, text="x", created_at=datetime(2026, 10, 1, tzinfo=UTC))]
        store.mentions.ingest("fb", [*(above if kind is Kind.COMMENT else ()), *map(text, range(300))])
        focus = store.mentions.find("fb", "7")
        assert focus is not None
        shown = [each.mention.id for each in store.mentions.conversation(focus.id).thread]
    before = ["post", "7"] if kind is Kind.COMMENT else ["7"]
    assert shown == [*before, *map(str, range(300 + len(before) - 200, 300))]


def test_what_came_below_a_mention_is_seen_however_much_came_beside_it(tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db", clock=lambda: NOON) as store:
        store.sources.register("fb", "facebook", "")
        store.mentions.ingest("fb", [Mention(id="a", kind=Kind.COMMENT, text="x", thread_id="p", parent_id="p")])
        focus = store.mentions.get(1)
        beside = [Mention(id=f"{each}", kind=Kind.COMMENT, text="x", thread_id="p", parent_id="p") for each in range(9)]
        below = Mention(id="b", kind=Kind.COMMENT, text="x", thread_id="p", parent_id="a", created_at=NOON)
        store.mentions.ingest("fb", [*beside, below])
        assert [each.mention.id for each in store.mentions.came_after(focus, focus.id, limit=2)] == ["0", "b"]
