from __future__ import annotations

from reviewdesk.plugins import load_connector
from reviewdesk.testing import Tier, conformance

test_conformance = conformance("heureka")


def test_the_tier_that_it_claims_is_the_one_that_is_tried_above() -> None:
    assert load_connector("heureka").tier == Tier.PLATINUM
