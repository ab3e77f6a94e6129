from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def new_databases_are_copies() -> None:
    """Here they are none: tables are made, and written to the disk, as in a user's database."""
