"""The conformance kit: what the author of a connector imports in a test file.

    from reviewdesk.testing import conformance
    test_conformance = conformance(MyShop, MyShopEmulator)

Each rule is tried by itself, against the author's emulator, with a clock that nobody waits for.
"""

from reviewdesk.testing.kit import Outcome, Report, Verdict, conformance, examine, judge, verdicts
from reviewdesk.testing.rules import RULES, Rule, Tier

__all__ = ["RULES", "Outcome", "Report", "Rule", "Tier", "Verdict", "conformance", "examine", "judge", "verdicts"]
