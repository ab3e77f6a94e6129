"""docs/connectors.md, followed to the letter."""

from __future__ import annotations

import ast
import re
import shlex
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TypeGuard

import pytest
from click.testing import CliRunner

from reviewdesk.cli import cli
from reviewdesk.sandbox.customers import Customers
from reviewdesk.sandbox.runner import environment, stage, toml_for
from reviewdesk.store.db import Store
from reviewdesk.testing.rules import RULES, Tier

PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
SMALLEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]


def test_it_works_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.chdir(tmp_path)
    # Each command is a process of its own for those who follow the page, and opens the log anew.
    monkeypatch.setattr("reviewdesk.cli.logs.log_to_file", lambda: None)
    (tmp_path / "reviewdesk.toml").write_text("")
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "plugins" / "ceny.py"
    with ExitStack() as stack:
        terminal = Terminal(stack, monkeypatch, free_port)
        for kind, text in re.findall(r"```(python|console)\n(.*?)```", PAGE, re.DOTALL):
            if kind == "console":
                terminal.type(text)
            elif file.exists():
                file.write_text(merged(file.read_text(encoding="utf-8"), text), encoding="utf-8")
            else:
                file.write_text(text, encoding="utf-8")
    assert (tmp_path / "reviewdesk-othershop" / "tests" / "test_othershop.py").exists()


def merged(file: str, block: str) -> str:
    """Puts a block of the page into the file as a reader does.

    A class with `...` in it, and one that a block's indent speaks of, gets the new parts; other code comes below what
    there is, and what is imported to the top.
    """
    if block.startswith(" "):
        block = f"class Ceny:\n    ...\n{block}"
    tree, fresh = ast.parse(file), ast.parse(block)
    for node in fresh.body:
        known = next((each for each in tree.body if is_class(each) and is_class(node) and each.name == node.name), None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            tree.body.insert(1, node)
        elif known is None:
            tree.body.append(node)
        else:
            assert ast.unparse(node.body[0]) == "..."
            named = {getattr(each, "name", "") for each in node.body} - {""}
            known.body = [each for each in known.body if getattr(each, "name", "") not in named] + node.body[1:]
    return ast.unparse(tree)


def is_class(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Terminal:
    """Types what the page says and expects what it shows; the sandbox runs in this process, on another port.

    Args:
        stack: ends the sandbox.
        port: where the page says 8801.
    """

    def __init__(self, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.stack, self.monkeypatch, self.port = stack, monkeypatch, port

    def type(self, transcript: str) -> None:
        for call in re.findall(r"^\$ (.*\n(?:(?!\$ ).*\n)*)", transcript, re.MULTILINE):
            command, *lines = call.replace("8801", str(self.port)).splitlines()
            name, *arguments = shlex.split(command)
            match name, *arguments:
                case "export", *_:
                    for variable, _, value in (each.partition("=") for each in arguments):
                        self.monkeypatch.setenv(variable, value)
                case "sleep", _:
                    with Store(Path("sandbox.db")) as store, store.transaction() as conn:
                        conn.execute("UPDATE reply SET send_after = 0")
                case "reviewdesk", "sandbox", *_:
                    self.sandbox(lines, Path(arguments[arguments.index("--configuration") + 1]))
                case _:
                    self.run(arguments, lines)

    def sandbox(self, lines: list[str], configuration: Path) -> None:
        running = self.stack.enter_context(stage(["ceny"], first_port=self.port))
        Customers([each.emulator for each in running], seed=0).open(3)
        configuration.write_text(toml_for(running, shop="Shop Demo", poll_seconds=2), encoding="utf-8")
        for name, value in environment(running).items():
            self.monkeypatch.setenv(name, value)
            assert f"export {name}={value}" in lines
        assert f"# ceny at {running[0].base}" in lines

    @staticmethod
    def run(arguments: list[str], lines: list[str]) -> None:
        # One answer holds the whole list there, which is no matter of 100,000 items.
        more = ["--items", "1000"] if arguments[:2] == ["connector", "test"] else []
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
