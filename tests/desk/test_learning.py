"""Corrections in the store: they outrank, they are learned by the next poll, they can be taken back and forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.learned import NOTE
from reviewdesk.config import Config
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.learning import ANEW_MOST, forget, judge_of, refresh
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.triage import Triage
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Assessment, Kind, Label, Mention
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View
from tests.assess.test_assess_learning import SLANG, slang
from tests.desk.shops import Platform


@pytest.fixture
def jana(store: Store) -> Triage:
    return Triage(store, "jana")


def written(store: Store, texts: list[str], *, prefix: str = "m") -> list[int]:
    mentions = [
        Mention(id=f"{prefix}{at}", kind=Kind.COMMENT, text=text, language="cs") for at, text in enumerate(texts)
    ]
    store.mentions.ingest("fb", mentions)
    found = (store.mentions.find("fb", mention.id) for mention in mentions)
    return [each.id for each in found if each is not None]


def corrected(store: Store, config: Config, jana: Triage, count: int = 60) -> list[int]:
    pairs = slang(count)
    ids = written(store, [text for text, _ in pairs])
    assess_pending(config, store)
    for id, (_, label) in zip(ids, pairs, strict=True):
        jana.correct([id], label)
    return ids


def test_a_correction_outranks_at_once_and_after_every_assessment(
    store: Store, config: Config, there: Platform, jana: Triage
) -> None:
    (id,) = written(store, ["Balík nedorazil."])
    assess_pending(config, store)
    before = store.mentions.get(id)
    assert before.assessment is not None
    assert before.assessment.complaint
    done = jana.correct([id], Label.POSITIVE)
    assert done.count == 1
    for again in (False, True):
        if again:
            assert assess_pending(config, store) == 1
        row = store.mentions.rows([id])[id]
        assert (row.complaint, row.compound, row.severity.rank) == (False, 0.5, 0)
        assert store.mentions.count(Filter(view=View.COMPLAINTS)) == 0
        found = store.mentions.get(id)
        assert found.assessment is not None
        assert not found.assessment.complaint
        assert found.assessment.compound == before.assessment.compound, "the desk's own word stays, with its reasons"
    due = store.mentions.get(id).due_at
    assert due is not None
    assert before.due_at is not None
    assert due > before.due_at, "what is no complaint has more time"


def test_a_correction_that_is_taken_back_while_a_poll_assesses_leaves_no_deadline_behind(
    store: Store, config: Config, there: Platform, jana: Triage
) -> None:
    (id,) = written(store, ["Balík nedorazil."])
    assess_pending(config, store)
    before = store.mentions.get(id).due_at

    class Meanwhile(Assessor):
        def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
            yield from super().assess(items)
            jana.undo(done)

    done = jana.correct([id], Label.POSITIVE)
    assert assess_pending(config, store, judge=Meanwhile()) == 1
    assert store.mentions.get(id).due_at == before


def test_an_edit_by_the_customer_ends_a_correction(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    (id,) = written(store, ["Balík nedorazil."])
    jana.correct([id], Label.POSITIVE)
    written(store, ["Balík pořád nedorazil, vraťte peníze!"])
    assess_pending(config, store)
    found = store.mentions.get(id)
    assert found.correction is None
    assert found.assessment is not None
    assert found.assessment.complaint
    assert [each.text for each in store.corrections.newest(["cs"], 9)] == ["Balík nedorazil."], "it still teaches"


def test_taking_a_correction_back(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    ids = written(store, ["Balík nedorazil.", "Skvělé!"])
    assess_pending(config, store)
    before = store.mentions.rows(ids)
    first = jana.correct(ids, Label.NEUTRAL)
    second = jana.correct(ids[:1], Label.NEGATIVE)
    assert jana.undo(second).sentence == "Taken back: 1 mention negative, a complaint."
    said = store.mentions.get(ids[0]).correction
    assert said is not None
    assert said.label is Label.NEUTRAL
    Triage(store, "petr").correct(ids[1:], Label.POSITIVE)
    undone = jana.undo(first)
    assert "1 mention had been changed by someone since" in undone.sentence
    assert store.mentions.get(ids[0]).correction is None
    row, was = store.mentions.rows(ids)[ids[0]], before[ids[0]]
    assert (row.complaint, row.severity, row.compound) == (was.complaint, was.severity, was.compound)
    petrs = store.mentions.get(ids[1]).correction
    assert petrs is not None
    assert petrs.agent == "petr"
    assert jana.undo(first).count == 0


def test_one_key_says_the_opposite_and_one_confirms(
    store: Store, config: Config, there: Platform, jana: Triage
) -> None:
    ids = written(store, ["Balík nedorazil.", "Skvělé!", "Super, děkuji!"])
    assess_pending(config, store)
    with pytest.raises(NotAllowed, match="different ways"):
        jana.confirm(ids)
    assert jana.correct_complaint(ids[:1]).what == "neutral, no complaint"
    assert jana.correct_complaint(ids[:1]).what == "negative, a complaint"
    assert "right as read: positive" in jana.confirm(ids[1:2]).sentence
    assert jana.confirm(ids[1:2]).sentence == "There is nothing to confirm."
    assert jana.correct_complaint([]).count == 0


async def test_the_next_poll_learns_and_reads_open_mentions_anew(
    store: Store, config: Config, there: Platform, jana: Triage
) -> None:
    ids = corrected(store, config, jana)
    unlike = f"objednal konvici {SLANG[Label.NEGATIVE]} velký"
    open_one, closed_one = written(store, [unlike, f"{unlike} pondělí"], prefix="n")
    assess_pending(config, store)
    jana.close([closed_one])
    assert not store.corrections.learned()
    await poll_round(config, store)
    (state,) = store.corrections.learned().values()
    assert (state.family, state.corrections) == ("cs", len(ids))
    assert state.label_share > 0
    now, then = store.mentions.get(open_one).assessment, store.mentions.get(closed_one).assessment
    assert now is not None
    assert then is not None
    assert now.label is Label.NEGATIVE
    assert any(reason.note == NOTE for reason in now.reasons)
    assert not any(reason.note == NOTE for reason in then.reasons), "what is closed is left alone"
    assert refresh(config, store) == [], "what has not changed is not learned again"
    assert assess_pending(config, store) == 0
    assert ANEW_MOST <= 1_000


def test_what_is_taken_back_or_erased_is_unlearned(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    ids = corrected(store, config, jana, 30)
    refresh(config, store)
    model = store.corrections.model("cs")
    (extra,) = written(store, ["Xenofontius Quagmiriový"], prefix="x")
    jana.correct([extra], Label.NEGATIVE)
    (state,) = refresh(config, store)
    assert state.corrections == len(ids) + 1
    assert store.corrections.model("cs") != model
    with store.transaction() as conn:
        conn.execute("DELETE FROM mention WHERE id = ?", (extra,))
    (state,) = refresh(config, store)
    assert state.corrections == len(ids)
    assert store.corrections.model("cs") == model


def test_forgetting(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    ids = corrected(store, config, jana, 25)
    refresh(config, store)
    assert forget(store, keep_corrections=True) == 0
    assert not store.corrections.learned()
    refresh(config, store)
    assert forget(store, "pl") == 0
    assert "cs" in store.corrections.learned()
    assert forget(store) == len(ids)
    assert refresh(config, store) == []
    assert not store.corrections.learned()


def test_a_damaged_model_is_learned_anew(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    corrected(store, config, jana, 30)
    refresh(config, store)
    with store.transaction() as conn:
        conn.execute("UPDATE learned SET model = x'00'")
    (id,) = written(store, [f"hrnec {SLANG[Label.NEGATIVE]}"], prefix="n")
    assess_pending(config, store)
    assert store.mentions.get(id).assessment is not None
    assert len(refresh(config, store)) == 1


def test_switched_off_nothing_is_learned_or_used(store: Store, config: Config, there: Platform, jana: Triage) -> None:
    corrected(store, config, jana, 40)
    refresh(config, store)
    off = msgspec.structs.replace(config, assess=msgspec.structs.replace(config.assess, learn=False))
    assert type(judge_of(off, store)) is not type(judge_of(config, store))
    jana.correct([1], Label.NEUTRAL)
    assert refresh(off, store) == []


def test_the_machines_own_word_is_never_a_lesson(store: Store, config: Config, there: Platform) -> None:
    written(store, [text for text, _ in slang(40)])
    assess_pending(config, store)
    assert refresh(config, store) == []
    assert store.corrections.newest(["cs"], 99) == []
