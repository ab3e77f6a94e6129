from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.desks import Fixture


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Fixture]:
    fixture = Fixture(tmp_path / "desk.db")
    yield fixture
    fixture.store.close()
