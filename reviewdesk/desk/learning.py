"""Learns from people's corrections, and only from them: never from what the machine itself has said.

The model is derived from the corrections in the store, so it can be thrown away at any time: whatever has changed since
(a correction more, one taken back, a person erased, a new engine), the next poll learns anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.learned import LearnedAssessor, family_of
from reviewdesk.assess.learner import LESSONS_MOST, Learning, Lesson, Model, learn
from reviewdesk.assess.traits import keys_of, signals_of
from reviewdesk.config import Config
from reviewdesk.model import Label
from reviewdesk.store.db import Store
from reviewdesk.store.records import Corrected, LearnedState

_VERSION = "1"
ANEW_MOST = 1_000
"""How many open mentions of a family are assessed anew after it was learned; the newest."""


def lesson(item: Assessable, label: Label, complaint: bool, judge: Assessor) -> Lesson:
    """Gives a correction of a mention as the learner sees it; `judge` is the engine alone."""
    found = next(judge.assess([item]))
    return Lesson(
        keys=tuple(keys_of(item)),
        signals=signals_of(item, found),
        compound=found.compound or 0.0,
        probability=found.probability,
        label=label,
        complaint=complaint,
        language=found.language,
    )


def families(store: Store) -> dict[str, list[str]]:
    """Gives the languages with corrections, by family."""
    found: dict[str, list[str]] = {}
    for language in store.corrections.by_language():
        found.setdefault(family_of(language), []).append(language)
    return found


def refresh(config: Config, store: Store) -> list[LearnedState]:
    """Learns what has changed since it was last learned. Gives the families that were learned.

    The newest open mentions of such a family are then without an assessment, and get one from the next
    `assess_pending`. Where learning is switched off nothing is done.
    """
    if not config.assess.learn:
        return []
    counts, known, done = store.corrections.by_language(), store.corrections.learned(), []
    spoken = families(store)
    store.corrections.drop_learned([family for family in known if family not in spoken])
    for family, languages in spoken.items():
        stamp = _stamp(counts, languages)
        if family in known and known[family].stamp == stamp:
            continue
        found = learn(lessons(config, store, languages))
        state = LearnedState(
            family=family,
            stamp=stamp,
            learned_at=datetime.now(UTC),
            corrections=sum(counts[language][0] for language in languages),
            label_share=found.model.label_share,
            complaint_share=found.model.complaint_share,
        )
        store.corrections.put_learned(state, found.model.packed(), languages, anew=ANEW_MOST)
        done.append(state)
    return done


def forget(store: Store, language: str | None = None, *, keep_corrections: bool = False) -> int:
    """Forgets what was learned, of all languages or of the family of one, and the corrections of that language.

    Gives how many corrections were removed.
    """
    learned = store.corrections.learned()
    gone = list(learned) if language is None else [family_of(language)]
    if keep_corrections:
        store.corrections.drop_learned(gone)
        return 0
    spoken = list(store.corrections.by_language()) if language is None else [language]
    return store.corrections.forget(spoken, gone)


def _stamp(counts: Mapping[str, tuple[int, int]], languages: Sequence[str]) -> str:
    parts = [f"{language}:{counts[language][0]}:{counts[language][1]}" for language in sorted(languages)]
    return " ".join((Assessor.version, _VERSION, *parts))


def lessons(config: Config, store: Store, languages: Sequence[str]) -> list[Lesson]:
    """Gives the newest corrections of some languages as lessons, oldest first."""
    judge = Assessor()
    homes = {source.id: source.language for source in config.sources}
    return [
        lesson(_assessable(each, homes.get(each.source) or config.shop.language), each.label, each.complaint, judge)
        for each in store.corrections.newest(languages, LESSONS_MOST)
    ]


def _assessable(each: Corrected, prior: str) -> Assessable:
    return Assessable(
        text=each.text,
        title=each.title,
        rating=each.rating,
        pros=each.pros,
        cons=each.cons,
        recommends=each.recommends,
        sub_ratings=each.sub_ratings,
        language=each.told or each.language,
        prior=prior,
    )


def judge_of(config: Config, store: Store) -> Assessor:
    """Gives the assessor of this desk: the engine, with what was learned where learning is on and something was."""
    models: dict[str, Model] = {}
    for family, state in store.corrections.learned().items() if config.assess.learn else ():
        packed = store.corrections.model(family) if state.label_share or state.complaint_share else None
        if packed:
            try:
                models[family] = Model.unpacked(packed)
            except ValueError:
                store.corrections.drop_learned([family])  # the next poll learns it anew
    return LearnedAssessor(models) if models else Assessor()


def judge_from(lessons: Iterable[Lesson]) -> Assessor:
    """Gives an assessor that has learned from lessons alone, without a store."""
    by_family: dict[str, list[Lesson]] = {}
    for each in lessons:
        by_family.setdefault(family_of(each.language), []).append(each)
    models = {family: learn(of_family).model for family, of_family in by_family.items()}
    return LearnedAssessor(models)


def learnings(config: Config, store: Store) -> dict[str, Learning]:
    """Learns each family anew, changes nothing, and gives what came of it, for the report."""
    return {family: learn(lessons(config, store, languages)) for family, languages in sorted(families(store).items())}
