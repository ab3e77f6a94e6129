"""The register of checks: one for each rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reviewdesk.testing.bench import Bench
from reviewdesk.testing.rules import RULES

Check = Callable[[Bench], Awaitable[None]]
CHECKS: dict[str, Check] = {}
"""What tries each rule, by the rule's id. Filled by the modules `cases_*`."""


def keeps(rule: str) -> Callable[[Check], Check]:
    """Registers what tries a rule: returns where it is kept, raises `Broken`, `Idle` or `CannotPlay` otherwise."""

    def register(check: Check) -> Check:
        CHECKS[RULES[rule].id] = check
        return check

    return register
