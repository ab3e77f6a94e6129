"""The kit against connectors of which it is known what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from broken import BROKEN, HOARDERS, OTHER_WAYS, Cancels, LosesPatience, NeverEndsAPoll, NeverEndsAReply, Newest
from corner import Corner
from corner_emulator import CornerEmulator

from reviewdesk.connector import Connector
from reviewdesk.testing import RULES, Outcome, Rule, Tier, judge
from reviewdesk.testing.checks import CHECKS

ITEMS = 6000
"""How many "100,000 items" are here."""
SLOW = frozenset(("resumes", "memory-bounded", "oversized-body"))
"""Rules that take seconds; tried with those connectors that break them, and with the right ones."""


def test_each_rule_has_its_check_and_its_breach() -> None:
    assert set(CHECKS) == set(RULES) == set(BROKEN)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("connector", [Corner, Newest])
def test_a_right_connector_keeps_every_rule(connector: type[Connector[Any]], rule: Rule) -> None:
    verdict = judge(connector, CornerEmulator, rule, items=ITEMS)
    assert verdict.outcome is (Outcome.EXEMPT if rule.id in connector.exempt else Outcome.KEPT), verdict.said


@pytest.mark.parametrize(("place", "broken"), list(enumerate(RULES)), ids=RULES)
def test_a_broken_connector_is_caught_by_the_rule_that_names_its_fault(place: int, broken: str) -> None:
    # A fourth of the other rules, another one for each: all of them take minutes, and each is tried on a dozen so.
    others = [rule for rule in RULES.values() if rule.id != broken and rule.id not in SLOW][place % 4 :: 4]
    tried = [RULES[broken], *others]
    verdicts = [judge(BROKEN[broken], CornerEmulator, rule, items=ITEMS) for rule in tried]
    caught = {verdict.rule.id: verdict.said for verdict in verdicts if not verdict.outcome.stands}
    assert set(caught) == {broken}, caught


@pytest.mark.parametrize("hoarder", HOARDERS)
def test_memory_is_weighed_wherever_it_is_kept(hoarder: type[Connector[Any]]) -> None:
    verdict = judge(hoarder, CornerEmulator, RULES["memory-bounded"], items=ITEMS)
    assert verdict.outcome is Outcome.BROKEN
    assert HOARDERS[hoarder] in verdict.said


@pytest.mark.parametrize("broken", OTHER_WAYS)
def test_a_rule_that_can_be_broken_in_several_ways_catches_each(broken: type[Connector[Any]]) -> None:
    rule, said = OTHER_WAYS[broken]
    verdict = judge(broken, CornerEmulator, RULES[rule])
    assert verdict.outcome is Outcome.BROKEN
    assert said in verdict.said


@pytest.mark.parametrize(
    ("rule", "connector"),
    [("reply-once", NeverEndsAReply), ("same-at-each-poll", NeverEndsAPoll), ("equal-times", NeverEndsAPoll)],
)
def test_what_never_ends_is_broken(rule: str, connector: type[Connector[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewdesk.testing.bench.LONGEST", 0.5)
    verdict = judge(connector, CornerEmulator, RULES[rule])
    assert (verdict.outcome, verdict.said) == (Outcome.BROKEN, "It had not ended after 0.5 seconds.")


def test_a_connectors_own_timeout_is_told_as_what_it_is() -> None:
    verdict = judge(LosesPatience, CornerEmulator, RULES["equal-times"])
    assert verdict.outcome is Outcome.BROKEN
    assert "raised TimeoutError: its own" in verdict.said


def test_a_connector_that_cancels_itself_is_broken() -> None:
    verdict = judge(Cancels, CornerEmulator, RULES["equal-times"])
    assert verdict.outcome is Outcome.BROKEN
    assert "raised CancelledError" in verdict.said


@pytest.mark.parametrize("tier", Tier)
def test_every_rule_says_why_and_how_to_mend(tier: Tier) -> None:
    rules = [rule for rule in RULES.values() if rule.tier is tier]
    assert rules
    assert all(rule.title.endswith(".") and rule.why.endswith(".") and rule.mend for rule in rules)
