"""What the public writes is shown as text, whatever it is; and the desk stays fast whatever comes."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from datetime import timedelta

import pytest

from reviewdesk.model import Author, Mention
from reviewdesk.store.db import Store
from tests.tui.desks import LARGE, SMALL, Desk, Fixture, desk, mention

HOSTILE = {
    "markup": "[red]Boo[/red] [/nope] [bold",
    "click": "[@click=app.quit]click me[/]",
    "ansi": "\x1b[2J\x1b[31mred\x1b[0m \x9b31m",
    "osc": "\x1b]0;owned\x07 \x1b]52;c;aGVsbG8=\x07",
    "bidi": "\u202eevil\u202c \u2066x\u2069",
    "nul": "a\x00b",
    "controls": "".join(map(chr, range(32))),
    "long": "word " * 200_000,
    "one word": "x" * 1_000_000,
    "zalgo": "Z\u0351\u0352\u0353" * 200,
    "wide": "很差" * 5_000,
    "emoji": "👨‍👩‍👧‍👦🏳️‍🌈" * 2_000,
    "newlines": "\n" * 5_000 + "end",
    "format": "%s {0} {{ x }} {% raw %} $x",
}


def hostile_mention(number: int, text: str) -> Mention:
    return mention(
        number,
        text,
        author=Author(id=text[:50], name=text[:2000], url=text[:200]),
        title=text[:3000],
        pros=(text[:500],),
        cons=(text[:500], ""),
        order_id=text[:200],
        product=text[:200],
        url=text[:200],
        rating_raw=text[:200],
        fields={"field": text[:500]},
    )


def assert_harmless(running: Desk) -> None:
    shown = running.text()
    bad = [char for char in shown if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]
    assert not bad
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x40"])
async def test_hostile_text_in_every_field_is_only_text(filled: Fixture, size: tuple[int, int]) -> None:
    for number, text in enumerate(HOSTILE.values()):
        (id,) = filled.add([hostile_mention(number, text)])
        filled.store.mentions.change([id], {"assignee": text[:100]}, agent=text[:100], what="assigned")
        filled.store.people.tag([id], text[:80].replace("\n", " "), agent="petr")
        filled.store.people.add_note([id], text[:100], text[:5000] or "x")
    filled.store.sources.register("shop", "shop", HOSTILE["ansi"], {"reply": "api"})
    async with desk(filled.path, size) as running:
        assert_harmless(running)
        for id in list(running.list.ids):
            # In the narrow window one goes into the conversation; in the wide one it follows the cursor.
            if size == SMALL:
                await running.pilot.press("enter")
            await running.until(lambda wanted=id: running.inbox.shown and running.inbox.shown.focus.id == wanted)
            assert_harmless(running)
            if size == LARGE:
                await running.pilot.press("r")
                await running.until(lambda: running.inbox.context == "composer")
                assert_harmless(running)
                await running.pilot.press("escape")
            await running.press("escape", "j")
            assert running.inbox.context == "list"
        assert running.app.return_value is None


async def test_hostile_names_of_shop_and_agents(filled: Fixture) -> None:
    filled.add_many(1)
    config = '[shop]\nname = "[red]Shop[/x] \\u001b[31m"\n[[agent]]\nid = "jana"\nname = "[@click=app.quit]J[/]"\n'
    async with desk(filled.path, config=config) as running:
        assert "[red]Shop[/x]" in running.text()
        assert_harmless(running)
        await running.press("a")
        await running.until(lambda: running.app.screen is not running.inbox)
        assert_harmless(running)


async def test_a_hundred_thousand_mentions_are_there_at_once(filled: Fixture) -> None:
    filled.add_bulk(100_000)
    async with desk(filled.path) as running:
        await running.press("7")
        await running.until(lambda: "Mention number" in "".join(running.lines()))
        await running.until(lambda: len(running.list.ids) == 100_000)
        await running.press("G", "g", "pagedown", "G", "k", "j", "pageup")
        await running.until(lambda: "Customer" in running.lines()[0])
        await running.press("asterisk")
        assert not running.list.selected
        assert any("At most 10,000" in toast for toast in running.toasts())


async def test_the_cursor_stays_while_another_process_writes_without_pause(filled: Fixture) -> None:
    filled.add_many(300)
    async with desk(filled.path) as running:
        await running.press(*["j"] * 20)
        held = running.list.cursor
        other = Store(filled.path)
        try:
            for batch in range(20):
                other.mentions.ingest("byhand", [mention(batch * 50 + number) for number in range(50)])
                filled.assess(True, due=timedelta(minutes=1))
                await running.pilot.pause(0.02)
                assert running.list.cursor == held
        finally:
            other.close()
        await running.until(lambda: len(running.list.ids) == 1300)
        assert running.list.cursor == held


async def test_a_locked_database_is_a_sentence_and_no_end(filled: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewdesk.store.db._BUSY_SECONDS", 0.05)
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        filled.store.db.conn.execute("BEGIN IMMEDIATE")
        await running.press("A")
        await running.until(lambda: any("kept busy by another program" in toast for toast in running.toasts()))
        filled.store.db.conn.execute("ROLLBACK")
        await running.press("A")
        await running.until(lambda: filled.store.mentions.get(id).assignee == "jana")


async def test_a_failing_command_is_a_sentence_and_no_end(filled: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.add_many(1)
    async with desk(filled.path) as running:
        monkeypatch.setattr("reviewdesk.desk.triage.Triage.close", lambda *_: 1 / 0)
        monkeypatch.setattr(running.inbox, "do_cursor_down", lambda: 1 / 0)
        await running.press("e", "j")
        await running.until(lambda: sum("did not work" in toast for toast in running.toasts()) == 2)
        await running.press("x")
        assert running.list.selected


def test_the_desk_imports_nothing_that_fetches_parses_or_assesses() -> None:
    code = (
        "import sys, reviewdesk.tui.app\n"
        "bad = ('reviewdesk.http', 'reviewdesk.connector', 'reviewdesk.plugins', 'reviewdesk.assess', 'httpx',\n"
        "       'praw', 'vaderSentiment', 'jinja2', 'lxml', 'feedparser', 'reviewdesk_connectors', 'starlette')\n"
        "print([name for name in sys.modules if name.startswith(bad)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
