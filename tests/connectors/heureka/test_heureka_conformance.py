from __future__ import annotations

from reviewdesk.testing import conformance

test_conformance = conformance("heureka")
