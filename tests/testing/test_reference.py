"""docs/sdk.md is what the docstrings say."""

from __future__ import annotations

import importlib
from pathlib import Path

from reviewdesk.testing.reference import exported, reference, silent

PAGE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert reference() + "\n" == PAGE, "run: python -m reviewdesk.testing.reference > docs/sdk.md"


def test_whatever_is_exported_is_described_and_on_the_page() -> None:
    assert list(silent()) == []
    named = {(package, name) for package, _, name in exported()}
    for package in ("reviewdesk.connector", "reviewdesk.sandbox", "reviewdesk.testing"):
        assert {name for each, name in named if each == package} == set(importlib.import_module(package).__all__)
    assert all(f"\n#### `{name}`\n" in PAGE for _, name in named)
    assert "\n\n\n\n" not in PAGE
