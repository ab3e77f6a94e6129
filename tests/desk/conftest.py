from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewdesk.config import Config
from reviewdesk.desk import connecting
from reviewdesk.store.db import Store
from tests.desk.shops import Clock, Memory, Platform, config_with, load_memory, registered


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_with(tmp_path, "fb", "other")


@pytest.fixture
def store(config: Config, clock: Clock) -> Iterator[Store]:
    with Store(config.database, clock=clock) as store:
        yield store


@pytest.fixture
def there(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The platform of the source "fb"; "other" has one of its own."""
    monkeypatch.setattr(connecting, "load_source", load_memory)
    platforms = {source: Platform(clock) for source in ("fb", "other")}
    monkeypatch.setattr(Memory, "platforms", platforms)
    for source, platform in platforms.items():
        registered(store, source, platform.capabilities)
    return platforms["fb"]
