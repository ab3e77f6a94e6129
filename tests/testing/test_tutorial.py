"""docs/connectors.md, followed to the letter."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reviewdesk.cli import cli
from reviewdesk.testing.rules import RULES, Tier

PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
SMALLEST, EMULATOR, MENDED = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_it_works_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviewdesk.toml").write_text("")
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "plugins" / "ceny.py"
    steps = iter(re.findall(r"```(python|console)\n(.*?)```", PAGE, re.DOTALL))
    for kind, text in steps:
        if kind == "console":
            check(text)
        elif "    async def poll" in text and text.startswith("    "):
            poll = re.compile(r"    async def poll.*?(?=\n    def )", re.DOTALL)
            before, after = poll.split(file.read_text(encoding="utf-8"), maxsplit=1)
            file.write_text(f"{before}{text.rstrip()}\n{after}", encoding="utf-8")
        else:
            written = file.read_text(encoding="utf-8") if file.exists() else ""
            file.write_text(f"{written}\n\n{text}" if written else text, encoding="utf-8")
    assert (tmp_path / "reviewdesk-othershop" / "tests" / "test_othershop.py").exists()


def check(transcript: str) -> None:
    """Runs the command of a transcript and expects each of its lines in the output, in their order."""
    command, *lines = transcript.removeprefix("$ ").splitlines()
    arguments = shlex.split(command)[1:]
    # One answer holds the whole list there, which is no matter of 100,000 items.
    more = ["--items", "1000"] if arguments[:2] == ["connector", "test"] else []
    # Each command is a process of its own for those who follow the page.
    sys.modules.pop("reviewdesk_plugin_ceny", None)
    result = CliRunner().invoke(cli, [*arguments, *more], standalone_mode=False)
    assert result.exception is None, result.exception
    rest = result.output
    for line in lines:
        assert line in rest, result.output
        rest = rest.partition(line)[2]


def test_the_smallest_connector_is_small_and_needs_nothing_deeper() -> None:
    assert len([line for line in SMALLEST.splitlines() if line.strip()]) < 40
    imported = {node.module for node in ast.walk(ast.parse(SMALLEST)) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name and name.startswith("reviewdesk")} == {"reviewdesk.connector"}


@pytest.mark.parametrize("tier", Tier)
def test_the_page_names_every_rule(tier: Tier) -> None:
    assert f"### {tier.capitalize()}: {tier.promise}" in PAGE
    assert all(f"| `{rule.id}` | {rule.title} |" in PAGE for rule in RULES.values() if rule.tier is tier)
