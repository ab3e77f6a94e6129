from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.commands import (
    COMMANDS,
    Command,
    Context,
    Keys,
    clashes,
    command,
    in_context,
    key_label,
    key_name,
    with_keys,
)
from reviewdesk.errors import ConfigError
from reviewdesk.model import DeliveryState
from reviewdesk.tui.app import ReviewdeskApp
from reviewdesk.tui.composer import Composer
from reviewdesk.tui.help import help_text
from reviewdesk.tui.outbox import OutboxScreen
from reviewdesk.tui.palette import DeskCommands
from reviewdesk.tui.sources import SourcesScreen
from tests.tui.desks import CONFIG, LARGE, Fixture, desk


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


@pytest.mark.parametrize("row", ["ěščřžý", "ľščťžý"])
def test_the_number_row_of_a_czech_and_a_slovak_keyboard_changes_the_view(row: str) -> None:
    views = {key: each.id for each in COMMANDS if each.id.startswith("view.") for key in each.keys}
    assert [views[key] for key in row] == [views[key] for key in "234567"]


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


@pytest.mark.parametrize("key", ["ctl+e", "entr", "f99", "d d"])
def test_a_key_that_no_keyboard_has_is_a_mistake(key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        with_keys({"mention.close": [key]})
    assert raised.value.problems == (
        f'reviewdesk.toml: [keys] "mention.close": there is no key "{key}"; write one such as d, ctrl+d or f5',
    )


@pytest.mark.parametrize("key", ["ě", "Ctrl+E", "alt+shift+pgup", "f12", "shift+Down", "ctrl++", "ctrl+space", "ž"])
def test_a_key_that_a_keyboard_has_is_none(key: str) -> None:
    with_keys({"reply.send": [key]})


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


@pytest.mark.parametrize("width", [40, 72, 190])
def test_the_help_tells_every_command_and_breaks_its_sentences_within_their_column(width: int) -> None:
    lines = help_text(COMMANDS, width).plain.split("\n")
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    for each in COMMANDS:
        assert each.title in words
        assert key_label(each.keys[0]) in words
        if width > 100:
            assert each.help in words
    titles = {line.strip() for line in help_text([], 72).plain.split("\n")}
    if width < 100:
        broken = [line for line in lines if line and line.strip() not in titles and not line[15:].strip()]
        assert not broken


@given(st.sampled_from(COMMANDS), st.lists(st.sampled_from(["d", "ctrl+e", "f5", "plus"]), max_size=3))
def test_a_sentence_names_the_users_keys(changed: Command, keys: list[str]) -> None:
    named = Keys([msgspec.structs.replace(changed, keys=tuple(keys))])
    expected = key_label(keys[0]) if keys else f"“{changed.title}”"
    assert named.put_into("Press {" + changed.id + "} now, {braces} stay.") == f"Press {expected} now, {{braces}} stay."


async def test_sentences_and_screens_follow_the_users_keys(filled: Fixture) -> None:
    (id,) = filled.add_many(1, "byhand")
    filled.store.outbox.save_draft(id, "jana", "We are sorry.")
    changed = (
        '[keys]\n"reply.confirm" = ["f2"]\n"outbox.posted" = ["f2"]\n"outbox.missing" = ["f4"]\n"pane.back" = ["f9"]\n'
        '"help.show" = ["f8"]\n"reply.fill" = ["f7"]\n"cursor.down" = ["z"]\n"mention.take" = ["f6"]\n'
    )
    async with desk(filled.path, LARGE, config=CONFIG + changed) as running:
        await running.press("3")
        await running.until(lambda: "f6 to take it" in running.text())
        await running.press("1", "f8")
        await running.until(lambda: "Decides on a reply" in running.text())
        await running.press("f8")
        assert running.app.screen is running.inbox
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        assert "f7 Template" in running.text()
        await running.press("ctrl+s")
        await running.until(lambda: any("press f2 here" in toast for toast in running.toasts()))
        filled.store.outbox.save_draft(id, "jana", "")
        await running.press("O")
        await running.until(lambda: "f2 It is posted" in running.text())
        await running.press("z", "y")
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.HANDED_OFF
        await running.press("f2")
        await running.until(lambda: filled.store.outbox.replies_to(id)[0].state is DeliveryState.POSTED)
        await running.press("f9")
        assert running.app.screen is running.inbox


async def test_every_command_has_what_runs_it(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        app: ReviewdeskApp = running.app
        for each in COMMANDS:
            if each.contexts == (Context.COMPOSER,):
                ids = {binding.id for binding in Composer.BINDINGS if hasattr(binding, "id")}
                assert each.id in ids, each.id
            elif each.contexts in ((Context.SOURCES,), (Context.OUTBOX,)):
                screen = SourcesScreen if Context.SOURCES in each.contexts else OutboxScreen
                assert hasattr(screen, "do_" + each.id.replace(".", "_")), each.id
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
