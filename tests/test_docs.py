"""What the pages tell a reader to type exists, and what they point to is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reviewdesk.cli import cli
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.reference import contexts
from reviewdesk.commands import COMMANDS, key_label

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^( *)```console\n(.*?)^\1```", re.M | re.S)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def typed() -> Iterator[tuple[str, str]]:
    """Gives each line that a page tells a reader to type, with the page's name."""
    for page in PAGES:
        for _, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if line.strip().startswith("$ "):
                    yield page.name, line.strip()[2:]


def calls(line: str) -> Iterator[list[str]]:
    """Gives the words of each call of reviewdesk in a line for a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    lexer.wordchars += "$…{}=:,"
    words: list[str] = []
    into = False
    for word in [*lexer, ";"]:
        if set(word) <= set("|&;()"):
            if words and words[0].rsplit("/", 1)[-1] == "reviewdesk":
                yield words[1:]
            words, into = [], False
        elif set(word) <= set("<>"):
            into = True
        elif into:
            into = False
        else:
            words.append(word)


def check(words: list[str]) -> None:
    """Raises a click error, or fails, where a call names a command, option or choice that does not exist."""
    command: click.Command = cli
    context = click.Context(cli, info_name="reviewdesk", **cli.context_settings)
    while True:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
        for param in command.params:
            if isinstance(param.type, click.Choice) and isinstance(given.get(param.name or ""), str):
                param.type.convert(given[param.name or ""], param, context)
        if not isinstance(command, click.Group) or not rest:
            assert not rest, f"{rest} is too much"
            return
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]}"
        command, context, words = found, click.Context(found, parent=context, info_name=rest[0]), rest[1:]


def check_line(line: str) -> None:
    for words in calls(line):
        check(words)


@pytest.mark.parametrize(("page", "line"), list(typed()))
def test_what_a_page_tells_to_type_exists(page: str, line: str) -> None:
    check_line(line)


def test_the_pages_tell_of_something() -> None:
    assert sum(1 for _, line in typed() for _ in calls(line)) > 15


@pytest.mark.parametrize("path", [path for path, _ in contexts()])
def test_every_example_in_a_help_exists(path: str) -> None:
    command = dict(contexts())[path].command
    for example in getattr(command, "examples", ()):
        (words,) = calls(example)
        assert words[0] == path.split()[1]
        check(words)


@pytest.mark.parametrize(
    "line",
    ["reviewdesk lst", "reviewdesk list --viw all", "reviewdesk list --view al", "cat x | reviewdesk poll x",
     "A=b; reviewdesk outbox settel 1", "reviewdesk init --nothing && reviewdesk"],
)  # fmt: skip
def test_what_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises((click.ClickException, AssertionError)):
        check_line(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_key_of_the_tour_does_what_it_says() -> None:
    """The README names keys; each is a default key of some command."""
    tour = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Five minutes")[2].partition("\n## ")[0]
    known = {key_label(key) for each in COMMANDS for key in each.keys} | {key for each in COMMANDS for key in each.keys}
    named = set(re.findall(r"`([^`]+)`", tour))
    assert named
    assert not named - known


def test_every_exit_code_is_in_the_table() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)} == set(Exit)


def test_the_files_that_the_readme_installs_from_are_there() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"-r (\S+)", page) + re.findall(r"python (benchmarks/\S+\.py)", page):
        assert (ROOT / name).is_file(), name


_SHOWN_BY = re.compile(r"`(?:kit: ([a-z-]+)|([\w/]+\.py)::(\w+))`")


def test_every_test_that_the_page_of_reliability_names_is_there() -> None:
    from reviewdesk.testing.rules import RULES

    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    rows = [
        line.rsplit("|", 2)[1] for line in page.splitlines() if line.startswith("| ") and "what the desk" not in line
    ]
    assert len(rows) > 30
    assert [row for row in rows if not _SHOWN_BY.search(row)] == [], "each case is shown by a test"
    unknown = []
    for row in rows:
        assert _SHOWN_BY.sub("", row).strip(" ,") == "", row
        for rule, file, name in _SHOWN_BY.findall(row):
            if rule:
                unknown += [rule] if rule not in RULES else []
                continue
            path = ROOT / "tests" / file
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            unknown += (
                [f"{file}::{name}"] if not re.search(rf"^ *(?:async def|def) {name}\(|^{name} = ", text, re.M) else []
            )
    assert unknown == []
