"""Holds a connector to the rules: each by itself, on a fresh bench, in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from reviewdesk.connector import Connector
from reviewdesk.desk.connecting import is_its_own
from reviewdesk.errors import PluginError, ReviewdeskError
from reviewdesk.model import Record
from reviewdesk.plugins import load_connector, load_emulator
from reviewdesk.sandbox import CannotPlay, Emulator
from reviewdesk.testing import cases_bronze, cases_gold, cases_platinum, cases_silver
from reviewdesk.testing.bench import Bench, Broken, Idle, opened, words_of
from reviewdesk.testing.checks import CHECKS
from reviewdesk.testing.rules import RULES, Rule, Tier

__all__ = ["Outcome", "Report", "Verdict", "conformance", "examine", "judge", "verdicts"]

CASES = (cases_bronze, cases_silver, cases_gold, cases_platinum)
ITEMS = 100_000
ITEMS_IN_TESTS = 10_000
"""In an author's tests, which run with each change; the limits are those of as many."""


class Outcome(StrEnum):
    """How a connector stands to a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    UNTESTED = "untested"
    EXEMPT = "exempt"
    IDLE = "idle"

    @property
    def stands(self) -> bool:
        """True where the rule does not stand in the way of its tier."""
        return self not in (Outcome.BROKEN, Outcome.UNTESTED)


class Verdict(Record, frozen=True, kw_only=True):
    """How a connector stands to one rule.

    Attributes:
        said: what was seen, why it cannot be tested or does not apply, or the reason of the exemption; of
            a rule that is kept what was measured, mostly "".
    """

    rule: Rule
    outcome: Outcome
    said: str = ""

    def __str__(self) -> str:
        if self.outcome is Outcome.UNTESTED:
            return f"{self.rule.id} ({self.rule.tier}) cannot be tested: {self.said}."
        return (
            f"{self.rule.id} ({self.rule.tier}): {self.rule.title}\n"
            f"Seen:    {self.said}\nWhy:     {self.rule.why}\nTo mend: {self.rule.mend}"
        )


class Report(Record, frozen=True, kw_only=True):
    """How a connector stands to all rules."""

    verdicts: Sequence[Verdict]

    @property
    def tier(self) -> Tier | None:
        """The highest tier earned, None without one."""
        earned = None
        for tier in Tier:
            if not all(verdict.outcome.stands for verdict in self.verdicts if verdict.rule.tier is tier):
                break
            earned = tier
        return earned

    @property
    def missing(self) -> list[Verdict]:
        """What stands in the way of the next tier."""
        in_the_way = [verdict for verdict in self.verdicts if not verdict.outcome.stands]
        lowest = min((verdict.rule.tier.rank for verdict in in_the_way), default=0)
        return [verdict for verdict in in_the_way if verdict.rule.tier.rank == lowest]


Platform = Callable[..., Emulator]


def judge(connector: type[Connector[Any]], emulator: Platform, rule: Rule, *, items: int = ITEMS) -> Verdict:
    """Tries one rule.

    Args:
        emulator: the emulator's class, or what makes one for `clock=…`.
        items: how many "100,000 items" are, for those who cannot wait.
    """
    if reason := connector.exempt.get(rule.id):
        return Verdict(rule=rule, outcome=Outcome.EXEMPT, said=reason)
    try:
        with opened(connector, emulator, items=items) as bench:
            asyncio.run(_tried(rule, bench))
    except Idle as sentence:
        return Verdict(rule=rule, outcome=Outcome.IDLE, said=str(sentence))
    except CannotPlay as lack:
        return Verdict(rule=rule, outcome=Outcome.UNTESTED, said=str(lack))
    except Broken as sentence:
        return Verdict(rule=rule, outcome=Outcome.BROKEN, said=str(sentence))
    return Verdict(rule=rule, outcome=Outcome.KEPT, said=bench.remark)


async def _tried(rule: Rule, bench: Bench) -> None:
    try:
        await CHECKS[rule.id](bench)
    except (Idle, CannotPlay, Broken):
        raise
    except ReviewdeskError as error:
        raise Broken(f"Out of place came {type(error).__name__}: {error}") from error
    except BaseException as error:
        if not is_its_own(error):
            raise
        raise Broken(f"It raised {words_of(error)} Errors are of the SDK's kinds.") from error


def verdicts(
    connector: type[Connector[Any]], emulator: Platform, *, up_to: Tier = Tier.PLATINUM, items: int = ITEMS
) -> Iterable[Verdict]:
    """Tries the rules up to a tier, lowest first, and gives each verdict as soon as it is known.

    Raises:
        PluginError: the connector's manifest names exemptions from rules that there are not, or gives no reason.
    """
    check_manifest(connector.exempt)
    for rule in RULES.values():
        if rule.tier.rank <= up_to.rank:
            yield judge(connector, emulator, rule, items=items)


def examine(connector: type[Connector[Any]], emulator: Platform, *, items: int = ITEMS) -> Report:
    """Tries all rules. Errors as in `verdicts`."""
    return Report(verdicts=list(verdicts(connector, emulator, items=items)))


def check_manifest(exempt: Mapping[str, str]) -> None:
    """Looks whether exemptions name rules, each with a reason.

    Raises:
        PluginError: one does not.
    """
    unknown = sorted(set(exempt) - set(RULES))
    if unknown:
        raise PluginError(f"`exempt` names what is no rule: {', '.join(unknown)}.")
    silent = sorted(id for id, reason in exempt.items() if not reason.strip())
    if silent:
        raise PluginError(f"`exempt` gives no reason for {', '.join(silent)}.")


def conformance(
    connector: str | type[Connector[Any]],
    emulator: Platform | None = None,
    *,
    up_to: Tier | str = Tier.PLATINUM,
    items: int = ITEMS_IN_TESTS,
) -> Callable[[Rule], None]:
    """Gives a test for pytest that tries each rule: `test_conformance = conformance(MyShop, MyShopEmulator)`.

    Args:
        connector: its class, or the name under which it is installed.
        emulator: its emulator's class; may be left out for an installed one.
        up_to: the tier that is aimed at; rules of higher ones are left out.
        items: how many the largest platform holds; `reviewdesk connector test` tries 100,000.
    """
    import pytest

    if isinstance(connector, str):
        emulator = emulator or load_emulator(connector)
        connector = load_connector(connector)
    if emulator is None:
        raise PluginError("The kit needs the connector's emulator.", hint="conformance(MyConnector, MyEmulator)")
    check_manifest(connector.exempt)
    tested, platform, aim = connector, emulator, Tier(up_to)
    rules = [pytest.param(rule, id=rule.id) for rule in RULES.values() if rule.tier.rank <= aim.rank]

    @pytest.mark.parametrize("rule", rules)
    def test_conformance(rule: Rule) -> None:
        __tracebackhide__ = True
        verdict = judge(tested, platform, rule, items=items)
        if verdict.outcome in (Outcome.EXEMPT, Outcome.IDLE):
            pytest.skip(f"{verdict.outcome}: {verdict.said}")
        if not verdict.outcome.stands:
            pytest.fail(str(verdict), pytrace=False)

    return test_conformance
