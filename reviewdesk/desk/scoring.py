"""Asks a scorer of a plugin about texts; it may fail, hang or talk nonsense, and the desk's own engine goes on."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from itertools import islice
from threading import Thread
from typing import Any

import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.combine import compound, most_weighty
from reviewdesk.assess.learned import decided
from reviewdesk.assess.traits import total_of
from reviewdesk.config import Config
from reviewdesk.errors import ConfigError, PluginError, ReviewdeskError
from reviewdesk.model import Assessment, Finding, Level, Reason
from reviewdesk.plugins import load_scorer
from reviewdesk.scorer import Score, Scorer, Text
from reviewdesk.secrets import redact
from reviewdesk.store.coverage import SCORER_NOTICE
from reviewdesk.store.db import Store
from reviewdesk.text import cut, one_line
from reviewdesk.typed_toml import Check

log = logging.getLogger(__name__)
_WITHOUT = 500
_GRACE = 1.0
_MEANWHILE = "The desk's own engine reads the mentions meanwhile."
_MEND = "Mend `scorer` in [assess], or take it out; the desk's own engine reads the mentions meanwhile."
_SAMPLE = Text(text="Balík nedorazil a nikdo neodpovídá.", language="cs")


class ScoredAssessor(Assessor):
    """Assesses as another one does, and then takes the scorer's word over it.

    Its first fault, or the end of its time, is its last word for this object: what follows is the other one's alone.

    Args:
        judge: what reads the texts first.

    Attributes:
        fault: what went wrong, "" for nothing.
        asked: whether it could be made and was asked.
    """

    def __init__(self, judge: Assessor, config: Config) -> None:
        self._judge = judge
        self._config = config
        self._left = config.assess.scorer_seconds
        self._make: Callable[[], Scorer[Any]] | None = None
        self._batch = _WITHOUT
        self.fault = ""
        self.asked = False

    def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
        """Gives one assessment for each item, as `Assessor.assess` does."""
        rest = iter(items)
        while part := list(islice(rest, self._ready())):
            found = list(self._judge.assess(part))
            yield from map(self._with_score, part, found, self._asked(part, found))

    def _ready(self) -> int:
        """Gives how many texts are read at once."""
        if self._make is None and not self.fault:
            try:
                self._make, self._batch = _maker(self._config)
            except ReviewdeskError as error:
                self._fail(str(error))
        return _WITHOUT if self.fault else self._batch

    def _asked(self, part: Sequence[Assessable], found: Sequence[Assessment]) -> Sequence[Score | None]:
        nothing: list[Score | None] = [None] * len(part)
        if self._make is None or self.fault:
            return nothing
        began, self.asked = time.monotonic(), True
        try:
            texts = [_told(item, each) for item, each in zip(part, found, strict=True)]
            scores = _answer(self._make, texts, self._left)
        except PluginError as error:
            self._fail(error.sentence)
            return nothing
        self._left -= time.monotonic() - began
        if self._left <= 0:
            self._fail(f"Its {self._config.assess.scorer_seconds:g} seconds are over.")
        return scores

    def _fail(self, fault: str) -> None:
        self.fault = fault
        log.warning("%s: %s The desk's own engine goes on.", self._config.assess.scorer, fault)

    def _with_score(self, item: Assessable, assessment: Assessment, score: Score | None) -> Assessment:
        if score is None:
            return assessment
        moved = total_of(score.compound) - math.fsum(reason.share for reason in assessment.reasons)
        name = self._config.assess.scorer
        reason = Reason(field="scorer", share=moved, evidence=name, note="what the scorer says beyond the engine")
        reasons = most_weighty([*assessment.reasons, reason])
        total = math.fsum(each.share for each in reasons)
        changed = msgspec.structs.replace(assessment, compound=compound(total), reasons=reasons)
        return changed if score.complaint is None else decided(item, changed, score.complaint)


def with_scorer(config: Config, judge: Assessor) -> Assessor:
    """Gives the judge, with the configured scorer over it where there is one."""
    return ScoredAssessor(judge, config) if config.assess.scorer else judge


def check_scorer(config: Config) -> list[Finding]:
    """Asks the configured scorer about a made-up text, for `reviewdesk doctor`; nothing where none is configured."""
    if not config.assess.scorer:
        return []
    if fault := _fault(config):
        return [Finding(level=Level.WARNING, sentence=fault, hint=_MEND)]
    try:
        (score,) = _answer(_maker(config)[0], [_SAMPLE], config.assess.scorer_seconds)
    except ReviewdeskError as error:
        return [Finding(level=Level.WARNING, sentence=_sentence(error), hint=_MEANWHILE)]
    if score is None:
        said = f"It answers, and leaves a made-up complaint to the desk's own engine: {_SAMPLE.text}"
        return [Finding(level=Level.OK, sentence=said)]
    return [Finding(level=Level.OK, sentence=f"It answers, and reads a made-up complaint as {score.compound:+.2f}.")]


def watch_scorer(config: Config, store: Store) -> tuple[str, bool]:
    """Gives why the configured scorer cannot be used and what to do, and whether that was not told before.

    It is noted beside the sources, whose texts it should read, as long as it holds. Where nothing is wrong, or no
    scorer is configured, the sentence is empty.
    """
    fault, ledger = _fault(config), store.coverage
    standing = f"{SCORER_NOTICE}:{config.assess.scorer}"
    if ledger.standing(SCORER_NOTICE):  # a read; most polls have nothing to forget
        ledger.forget(None, SCORER_NOTICE, but=[standing if fault else _answers(config)])
    if not fault:
        return "", False
    news = [ledger.tell(source, standing, fault) for source in _known(config, store)]
    return f"{fault} {_MEND}", any(news)


def note_answers(config: Config, store: Store, judge: Assessor) -> None:
    """Notes beside the sources how the scorer has fared with the texts that `judge` has just read.

    One that failed is told until it has answered well. One that could not be made was asked nothing; `watch_scorer`
    tells of it.
    """
    if not isinstance(judge, ScoredAssessor) or not judge.asked:
        return
    ledger, key = store.coverage, _answers(config)
    if judge.fault:
        for source in _known(config, store):
            ledger.tell(source, key, f"{config.assess.scorer}: {judge.fault} {_MEANWHILE}")
    elif ledger.standing(key):
        ledger.forget(None, key)


def _answers(config: Config) -> str:
    return f"{SCORER_NOTICE}:{config.assess.scorer}:answers"


def _known(config: Config, store: Store) -> list[str]:
    return [source.id for source in config.sources if store.sources.knows(source.id)]


def _fault(config: Config) -> str:
    """Gives why the configured scorer cannot be made, "" where it can, or none is configured."""
    if config.assess.scorer:
        try:
            _maker(config)
        except ReviewdeskError as error:
            return _sentence(error)
    return ""


def _sentence(error: ReviewdeskError) -> str:
    said = str(error)
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _maker(config: Config) -> tuple[Callable[[], Scorer[Any]], int]:
    """Gives what makes the configured scorer, and for how many texts at once it is asked.

    Raises:
        PluginError, ConfigError: it cannot be loaded, or its settings have mistakes.
    """
    kind = load_scorer(config.assess.scorer, config.document.beside)
    check = Check(config.document)
    settings = check.table(config.assess.scorer_settings, kind.settings, ("assess", "scorer_settings"))
    if check.problems:
        raise ConfigError(f'The scorer "{config.assess.scorer}" has mistakes in its settings:', problems=check.lines())
    return lambda: kind(settings, lambda: datetime.now(UTC)), max(1, kind.batch)


def _told(item: Assessable, found: Assessment) -> Text:
    return Text(
        text=item.text,
        title=item.title,
        pros=item.pros,
        cons=item.cons,
        rating=item.rating,
        language=found.language,
        compound=found.compound,
    )


def _answer(make: Callable[[], Scorer[Any]], texts: Sequence[Text], seconds: float) -> Sequence[Score | None]:
    """Asks in a thread of its own: a scorer that blocks there cannot be stopped, and is left behind.

    Raises:
        PluginError: it failed, took too long, or gave something else than a score for each text.
    """
    came: list[Any] = []

    async def ask() -> Any:
        scorer = make()
        try:
            return await asyncio.wait_for(scorer.score(texts), seconds)
        finally:
            await scorer.close()

    def run() -> None:
        try:
            came.append(asyncio.run(ask()))
        except BaseException as error:  # whatever a plugin does, the poll goes on
            came.append(error)

    thread = Thread(target=run, name="scorer", daemon=True)
    with redirect_stdout(sys.stderr):  # standard output is data
        thread.start()
        thread.join(seconds + _GRACE)
    if not came or isinstance(came[0], TimeoutError):
        raise PluginError(f"The scorer took longer than {seconds:.3g} seconds.")
    (answer,) = came
    if isinstance(answer, BaseException):
        raise _broken(answer)
    if not isinstance(answer, Sequence) or len(answer) != len(texts):
        raise PluginError("The scorer gave something else than a score for each text.")
    if not all(each is None or isinstance(each, Score) for each in answer):
        raise PluginError("The scorer gave something that is no score.")
    return answer


def _broken(error: BaseException) -> PluginError:
    said = str(error) if isinstance(error, ReviewdeskError) else f"{type(error).__name__}: {error}"
    return PluginError(f"The scorer failed: {cut(redact(one_line(said)), 300).rstrip('.')}.")
