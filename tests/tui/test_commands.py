from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.commands import COMMANDS, Command, Context, clashes, command, in_context, key_label, key_name, with_keys
from reviewdesk.errors import ConfigError
from reviewdesk.tui.app import ReviewdeskApp
from reviewdesk.tui.composer import Composer
from reviewdesk.tui.help import help_text
from reviewdesk.tui.palette import DeskCommands
from reviewdesk.tui.sources import SourcesScreen
from tests.tui.desks import CONFIG, Fixture, desk


def test_each_command_is_a_noun_and_a_verb_told_once_in_a_sentence() -> None:
    assert len({each.id for each in COMMANDS}) == len(COMMANDS)
    for each in COMMANDS:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", each.id)
        assert each.title
        assert each.help.endswith(".")
        assert each.keys
        assert each.contexts
        assert command(each.id) is each


def test_no_two_commands_share_a_key_in_one_context() -> None:
    assert clashes(COMMANDS) == []


def test_a_clash_is_found_wherever_contexts_meet() -> None:
    twice = [*COMMANDS, Command(id="a.b", title="x", help="x.", keys=("e",), contexts=(Context.LIST,))]
    assert len(clashes(twice)) == 1
    elsewhere = [*COMMANDS, Command(id="a.b", title="x", help="x.", keys=("e",), contexts=(Context.SOURCES,))]
    assert clashes(elsewhere) == []


def test_the_users_keys_replace_the_own_ones() -> None:
    changed = {each.id: each for each in with_keys({"mention.close": ["d", "Ctrl+E", "!"], "mention.note": []})}
    assert changed["mention.close"].keys == ("d", "ctrl+e", "exclamation_mark")
    assert changed["mention.note"].keys == ()
    assert changed["mention.snooze"] == command("mention.snooze")


def test_two_commands_may_exchange_their_keys() -> None:
    changed = {each.id: each.keys for each in with_keys({"mention.close": ["s"], "mention.snooze": ["e"]})}
    assert (changed["mention.close"], changed["mention.snooze"]) == (("s",), ("e",))


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        with_keys({"mention.clsoe": ["d"], "nonsense": ["x"], "mention.close": ["s"], "mention.note": [" "]})
    problems = "\n".join(raised.value.problems)
    assert len(raised.value.problems) == 4
    assert "did you mean mention.close" in problems
    assert "nonsense" in problems
    assert '"s" is both mention.close and mention.snooze' in problems
    assert "mention.note" in problems


@given(st.text(min_size=1, max_size=12))
def test_any_key_has_one_name(key: str) -> None:
    assert key_name(key_name(key)) == key_name(key) or "+" in key
    assert isinstance(key_label(key), str)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("+", "plus"),
        ("?", "question_mark"),
        ("Ctrl+S", "ctrl+s"),
        ("esc", "escape"),
        ("G", "G"),
        ("shift+Down", "shift+down"),
    ],
)
def test_keys_are_named_as_the_screen_names_them(written: str, name: str) -> None:
    assert key_name(written) == name


def test_the_help_tells_every_command() -> None:
    text = help_text(COMMANDS).plain
    for each in COMMANDS:
        assert each.title in text
        assert each.help in text
        assert key_label(each.keys[0]) in text


async def test_every_command_has_what_runs_it(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        app: ReviewdeskApp = running.app
        for each in COMMANDS:
            if each.contexts == (Context.COMPOSER,):
                ids = {binding.id for binding in Composer.BINDINGS if hasattr(binding, "id")}
                assert each.id in ids, each.id
            elif each.contexts == (Context.SOURCES,):
                assert hasattr(SourcesScreen, "do_" + each.id.replace(".", "_")), each.id
            else:
                assert app.handler(each.id), each.id


async def test_the_palette_offers_every_command_where_it_works(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        offered = {each.id for each in running.app.commands_for(running.app.screen)}
        assert offered == {each.id for each in in_context(Context.LIST)}
        hits = [hit async for hit in DeskCommands(running.app.screen).discover()]
        assert len(hits) == len(offered) - 1  # the palette itself
        await running.press("colon")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press(*"overdue")
        await running.until(lambda: "Overdue" in running.text())
        await running.press("enter")
        await running.press("enter")
        await running.until(lambda: running.inbox.view == "overdue")


async def test_the_users_keys_work_and_the_old_ones_do_not(filled: Fixture, tmp_path: Path) -> None:
    filled.add_many(3)
    async with desk(filled.path, config=CONFIG + '[keys]\n"cursor.down" = ["z"]\n"mention.close" = ["j"]\n') as running:
        await running.press("z")
        assert running.list._at == 1
        await running.press("j")
        await running.until(lambda: len(running.list.ids) == 2)


def test_wrong_keys_are_told_before_the_screen_opens(tmp_path: Path) -> None:
    from reviewdesk.config import load

    file = tmp_path / "reviewdesk.toml"
    file.write_text('[keys]\n"mention.clos" = "d"\n', encoding="utf-8")
    with pytest.raises(ConfigError):
        ReviewdeskApp(load(file, db=tmp_path / "x.db"), db=tmp_path / "x.db", agent="jana")


async def test_the_views_show_the_users_keys(filled: Fixture) -> None:
    async with desk(filled.path, config=CONFIG + '[keys]\n"view.mine" = ["f3"]\n') as running:
        shown = running.text().replace(" ", "")
        assert "f3Mine" in shown
        assert "4Overdue" in shown
        await running.press("f3")
        await running.until(lambda: running.inbox.view == "mine")
