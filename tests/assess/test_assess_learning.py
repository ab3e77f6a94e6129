"""Learning from corrections: from nothing nothing, from evidence a gain, and reasons that rebuild every score."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.combine import compound
from reviewdesk.assess.learned import NOTE, LearnedAssessor, decided, family_of
from reviewdesk.assess.learner import COMPLAINT, LABELS, Lesson, Model, best, engine_says, learn
from reviewdesk.assess.traits import COLUMNS, Pieces, keys_of, signals_of, total_of
from reviewdesk.model import Assessment, Label, Severity

# What this shop's customers mean by words that no engine can know.
SLANG = {Label.NEGATIVE: "fritulka", Label.NEUTRAL: "plombera", Label.POSITIVE: "zmrkadlo"}
COMMON = ["objednal", "jsem", "u", "vás", "v", "pondělí", "velký", "hrnec", "a", "malou", "konvici", "na", "kávu"]


def told(text: str, label: Label, *, complaint: bool | None = None, rating: float | None = None) -> Lesson:
    item = Assessable(text=text, language="cs", rating=rating)
    found = next(Assessor().assess([item]))
    return Lesson(
        keys=tuple(keys_of(item)),
        signals=signals_of(item, found),
        compound=found.compound or 0.0,
        probability=found.probability,
        label=label,
        complaint=label is Label.NEGATIVE if complaint is None else complaint,
        language=found.language,
    )


def slang(count: int, seed: int = 0) -> list[tuple[str, Label]]:
    choose = random.Random(seed)
    found = []
    for _ in range(count):
        label = choose.choice(LABELS)
        words = [*choose.sample(COMMON, 5), SLANG[label]]
        choose.shuffle(words)
        found.append((" ".join(words), label))
    return found


@pytest.fixture(scope="module")
def model() -> Model:
    return learn([told(text, label) for text, label in slang(120)]).model


def read(model: Model, text: str, **more: object) -> Assessment:
    return next(LearnedAssessor({"cs": model}).assess([Assessable(text=text, language="cs", **more)]))  # type: ignore[arg-type]


def test_without_corrections_the_word_is_the_engines() -> None:
    empty = learn([]).model
    assert not empty.used
    for text in ("Skvělé, doporučuji!", "Balík nedorazil.", "ok", ""):
        item = Assessable(text=text, language="cs")
        assert list(LearnedAssessor({"cs": empty}).assess([item])) == list(Assessor().assess([item]))


@given(st.floats(-1, 1))
def test_the_engines_scores_have_the_engines_label(value: float) -> None:
    assessment = Assessment(language="cs", compound=value, complaint=False, probability=0.3, severity=Severity.NONE)
    assert LABELS[best(engine_says(value, 0.3))] is assessment.label


def test_what_the_shops_own_words_mean_is_learned(model: Model) -> None:
    assert model.label_share > 0
    right = sum(read(model, text).label is label for text, label in slang(60, seed=1))
    assert right >= 54, "the words were met in 120 corrections, and these texts were not"
    assert read(model, f"objednal jsem u vás {SLANG[Label.NEGATIVE]} a konvici").complaint


def test_reasons_name_the_word_that_was_learned_and_rebuild_the_compound(model: Model) -> None:
    text = f"Objednal jsem Fritulka, velký hrnec a konvici na kávu. Skvělá cena. {SLANG[Label.NEGATIVE]}"
    found = read(model, text)
    learned = [reason for reason in found.reasons if reason.note == NOTE]
    assert any("ritulka" in reason.evidence for reason in learned)
    for reason in learned:
        assert reason.start is not None
        assert text[reason.start : reason.end] == reason.evidence
    assert found.compound == pytest.approx(compound(math.fsum(reason.share for reason in found.reasons)))


@settings(max_examples=60)
@given(st.text(max_size=200), st.sampled_from((None, 1.0, 3.0, 5.0)), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_is_read_with_a_model_and_its_reasons_rebuild_the_score(
    model: Model, text: str, rating: float | None, cons: list[str]
) -> None:
    found = read(model, text, rating=rating, cons=tuple(cons))
    assert 0 <= found.probability <= 1
    assert found.complaint == (found.probability >= 0.5)
    assert (found.severity is Severity.NONE) == (not found.complaint)
    if found.compound is not None:
        assert found.compound == pytest.approx(compound(math.fsum(reason.share for reason in found.reasons)))


@pytest.mark.parametrize("text", ["", "???", "👍", "https://www.example.com/velky-hrnec"])
@pytest.mark.parametrize("rating", [None, 5.0])
def test_where_there_are_no_words_the_engines_word_stands(model: Model, text: str, rating: float | None) -> None:
    item = Assessable(text=text, language="cs", rating=rating)
    assert read(model, text, rating=rating) == next(Assessor().assess([item]))
    learned = read(model, text, rating=rating, title=SLANG[Label.NEGATIVE])
    assert any(reason.field == "title" and reason.note == NOTE for reason in learned.reasons)


def test_nonsense_is_not_used() -> None:
    """Labels by chance teach nothing that holds; what does not pay on what was not yet learned is not used."""
    choose = random.Random(5)
    texts = ("Skvělé, doporučuji všem!", "Balík nedorazil, hrůza.", "Objednal jsem hrnec.")
    rights = (Label.POSITIVE, Label.NEGATIVE, Label.NEUTRAL)
    lessons = [
        told(f"{texts[at]} {choose.choice(COMMON)}", rights[at]) for at in (choose.randrange(3) for _ in range(60))
    ]
    assert learn(lessons).model.label_share == 0, "the engine was right each time"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([text for text, _ in slang(12)]), st.sampled_from(LABELS)), max_size=40))
def test_whatever_is_corrected_the_choice_is_no_worse_on_what_it_was_chosen_by(pairs: list[tuple[str, Label]]) -> None:
    learning = learn([told(text, label) for text, label in pairs])
    assert learning.model.label_share in (0.0, 0.5, 1.0)
    assert all(math.isfinite(weight) for weight in learning.model.signals)
    assert sum(tally.counted for tally in learning.engine.values()) == len(pairs)


def test_the_same_corrections_give_the_same_model_and_none_of_one_that_is_gone_is_left() -> None:
    lessons = [told(text, label) for text, label in slang(30)]
    secret = told("Jmenuji se Xenofontius Quagmiriový", Label.NEGATIVE)
    once, again, without = learn(lessons), learn(lessons), learn([*lessons[:10], secret, *lessons[10:]])
    assert once.model.packed() == again.model.packed()
    assert once.model.packed() != without.model.packed()


def test_a_model_holds_no_words(model: Model) -> None:
    packed = model.packed()
    import zlib

    assert SLANG[Label.NEGATIVE].encode() not in zlib.decompress(packed)
    same = Model.unpacked(packed)
    assert (same.label_share, same.complaint_share) == (model.label_share, model.complaint_share)
    assert list(same.columns) == list(model.columns)
    for broken in (b"", b"x", packed[:-9], packed[:50]):
        with pytest.raises(ValueError, match=r"damaged|another size"):
            Model.unpacked(broken)


@pytest.mark.parametrize(("complaints", "used"), [(5, False), (16, True)])
def test_what_was_learned_of_complaints_is_used_where_its_lead_is_more_than_chance(complaints: int, used: bool) -> None:
    lessons = []
    for place in range(160):
        label = Label.NEGATIVE if place % (160 // complaints) == 160 // complaints - 1 else Label.POSITIVE
        words = COMMON[place % len(COMMON)], SLANG[label], COMMON[(place * 5 + 1) % len(COMMON)]
        lessons.append(told(" ".join(words), label))
    assert (learn(lessons).model.complaint_share > 0) is used


def test_errors_alone_are_learned_from_words_and_never_whole() -> None:
    """Who corrects only what is wrong must not teach the desk to say the opposite of the engine."""
    wrong = [told(f"Skvělé, doporučuji {SLANG[Label.NEGATIVE]} {word}", Label.NEGATIVE) for word in COMMON * 4]
    model = learn(wrong).model
    assert model.label_share <= 0.5
    assert not any(model.signals)
    assert read(model, "Skvělé, doporučuji všem!").label is Label.POSITIVE
    assert read(model, "Děkuji, výborný obchod.").label is Label.POSITIVE


def test_stars_and_critical_words_stay_complaints() -> None:
    for item in (
        Assessable(text="nic", rating=1, language="cs"),
        Assessable(text="Podám na vás trestní oznámení!", language="cs"),
    ):
        (found,) = Assessor().assess([item])
        assert decided(item, found, 0.01).complaint
    plain = Assessable(text="Balík nedorazil.", language="cs")
    (found,) = Assessor().assess([plain])
    assert decided(plain, found, 0.01).severity is Severity.NONE


@given(st.text(max_size=80), st.text(max_size=30))
def test_each_piece_has_its_place_and_its_columns(text: str, title: str) -> None:
    item = Assessable(text=text, title=title)
    pieces = Pieces(item)
    assert pieces.place("not there at all") is None
    assert [*pieces.words, *pieces.pairs] == keys_of(item)
    for key in keys_of(item):
        place = pieces.place(key)
        assert place is not None
        assert place.start is not None
        assert {"text": text, "title": title}[place.field][place.start : place.end] == place.evidence
    assert len(signals_of(item, next(Assessor().assess([item])))) == 18


def test_accents_do_not_count() -> None:
    assert keys_of(Assessable(text="Příliš žluťoučký")) == keys_of(Assessable(text="prilis zlutoucky"))


@given(st.floats(-0.99, 0.99))
def test_the_sum_behind_a_compound(value: float) -> None:
    assert compound(total_of(value)) == pytest.approx(value)


def test_czech_and_slovak_teach_each_other() -> None:
    assert family_of("cs") == family_of("sk")
    assert family_of("other") == "other"
    assert len({family_of(code) for code in ("cs", "pl", "uk", "ru", "de", "hu", "en")}) == 7


def test_columns_are_few() -> None:
    assert COLUMNS == 65_536
    assert len(LABELS) == COMPLAINT
