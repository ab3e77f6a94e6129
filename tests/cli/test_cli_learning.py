"""Corrections through the command line: said, learned, explained, reported, forgotten."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from reviewdesk.model import Label
from reviewdesk.store.db import Store
from reviewdesk.text import width
from tests.assess.test_assess_learning import slang
from tests.cli.conftest import Run


def labelled(count: int, seed: int = 0) -> bytes:
    rows = [{"text": text, "label": label.value, "lang": "cs"} for text, label in slang(count, seed)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_corrections_from_a_file_change_what_follows(run: Run, tmp_path: Path) -> None:
    (tmp_path / "told.jsonl").write_bytes(labelled(100))
    asked = labelled(40, seed=1)
    plain = run("assess", stdin=asked).json
    taught = run("assess", "--corrections", "told.jsonl", stdin=asked).json
    right = [json.loads(line)["label"] for line in asked.splitlines()]

    def hits(answers: list[dict[str, object]]) -> int:
        return sum(each["label"] == label for each, label in zip(answers, right, strict=True))

    assert hits(plain) < 20
    assert hits(taught) > 30


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"text": "a"}', "none of neg, neu and pos"),
        (b'{"text": "a", "label": "bad"}', "none of neg, neu and pos"),
        (b'{"text": "a", "label": "neg", "complaint": "yes"}', '"complaint" is neither'),
        (b"nonsense", "no JSON"),
    ],
)
def test_a_bad_correction_is_told_with_its_line(run: Run, tmp_path: Path, line: bytes, expected: str) -> None:
    (tmp_path / "told.jsonl").write_bytes(b'{"text": "ok", "label": "pos"}\n' + line + b"\n")
    told = run("assess", "--corrections", "told.jsonl", stdin=b'{"text": "a"}\n')
    assert told.code == 2
    assert "line 2" in told.err
    assert expected in told.err
    assert told.out == ""


def test_a_text_is_explained_within_80_columns(run: Run) -> None:
    told = run("assess", "--explain", "Balík ještě nedorazil, už týden čekám. " * 5 + "Ale cena je \x1b[31mskvělá!")
    lines = told.out.splitlines()
    assert told.code == 0
    assert max(map(width, lines)) <= 80
    marks = [(above, below) for above, below in pairwise(lines) if set(below) <= set(" -+.") and below]
    assert any(
        below[above.index("nedorazil") : above.index("nedorazil") + 9] == "-" * 9
        for above, below in marks
        if "nedorazil" in above
    )
    assert "complaint phrase" in told.out
    assert "sqrt(" in lines[-1]
    assert "complaint" in run("assess", "--explain", stdin="Balík nedorazil.".encode()).out
    assert run("assess", "--explain", stdin=b"").out.splitlines()[-1].startswith("Nothing could be read")


def test_the_text_to_explain_stands_before_or_after_any_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "told.jsonl").write_bytes(labelled(100))
    text = "objednal jsem u vás zmrkadlo"
    orders = [
        ("--explain", text, "--lang", "cs", "--corrections", "told.jsonl"),
        ("--explain", "--corrections", "told.jsonl", "--lang", "cs", text),
        ("--corrections", "told.jsonl", "--lang", "cs", "--explain", text),
        (text, "--corrections", "told.jsonl", "--lang", "cs", "--explain"),
    ]
    first, *others = [run("assess", *order) for order in orders]
    assert first.code == 0
    assert "learned" in first.out
    assert others == [first] * 3


@pytest.mark.parametrize("args", [["Balík nedorazil"], ["--report", "17"], ["--engine", "17"]])
def test_a_text_without_explain_is_told_what_to_do(run: Run, args: list[str]) -> None:
    told = run("assess", *args)
    assert (told.code, told.out) == (2, "")
    assert "--explain" in told.err
    unquoted = run("assess", "--explain", "Balík", "nedorazil")
    assert unquoted.code == 2


@pytest.mark.parametrize("text", ["", " ", "\n\n", "日本語 " * 60, "x" * 400, "a\tb\u202ec", "👍🏽 " * 50])
def test_any_text_can_be_explained(run: Run, text: str) -> None:
    told = run("assess", "--explain", stdin=text.encode())
    assert told.code == 0
    assert max(map(width, told.out.splitlines())) <= 80


def test_a_correction_holds_and_is_shown_and_reported(run: Run, db: Path) -> None:
    told = run("correct", 1, "pos", "--db", db)
    assert told.out == "1 mention positive, no complaint. The desk learns from it with the next poll.\n"
    assert run("correct", 1, "pos", "--db", db).out.startswith("Nothing to do")
    shown = run("show", 1, "--db", db).out
    assert "no complaint" in shown
    assert "jana has corrected it: pos, no complaint" in shown
    with Store(db) as store:
        stored = store.mentions.get(1)
        assert stored.assessment is not None
        assert not stored.assessment.complaint
        assert stored.correction is not None
        assert (stored.correction.label, stored.correction.agent) == (Label.POSITIVE, "jana")
    explained = run("assess", "--explain", 1, "--db", db)
    assert "jana has said of it: pos, no complaint" in explained.err
    (engine, learned) = run("assess", "--report", "--json", "--db", db).json
    assert (engine["lang"], engine["judge"], engine["corrections"]) == ("cs", "engine", 1)
    assert engine["complaint_precision"] == 0.0
    assert learned["judge"] == "learned"
    assert "macro-F1" in run("assess", "--report", "--db", db).out
    assert run("correct", 999, "neg", "--db", db).code == 5
    assert run("correct", 1, "bad", "--db", db).code == 2


def test_learning_is_shown_and_forgotten(run: Run, db: Path) -> None:
    assert "No corrections" in run("learning", "show", "--db", db).err
    assert "Nobody has corrected" in run("assess", "--report", "--db", db).err
    run("correct", 1, "neg", "--db", db)
    assert "corrections that wait for the next poll: 1." in run("learning", "show", "--db", db).err
    run("assess", "--db", db, stdin=b'{"text": "ok"}\n')
    (state,) = run("learning", "show", "--json", "--db", db).json
    assert (state["family"], state["corrections"], state["label_share"]) == ("cs", 1, 0.0)
    assert "cs sk" in run("learning", "show", "--db", db).out
    run("learning", "forget", "--yes", "--keep-corrections", "--db", db)
    assert run("learning", "show", "--json", "--db", db).out == ""
    assert "no corrections in 'czech'" in run("learning", "forget", "--yes", "--language", "czech", "--db", db).out
    assert "with 1 correction." in run("learning", "forget", "--yes", "--language", "cs", "--db", db).out
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM correction").fetchone() == (0,)


def test_one_line_switches_learning_off(run: Run, db: Path, tmp_path: Path) -> None:
    config = tmp_path / "reviewdesk.toml"
    config.write_text(config.read_text("utf-8") + "\n[assess]\nlearn = false\n", "utf-8")
    run("correct", 1, "neg", "--db", db)
    run("assess", "--db", db, stdin=b'{"text": "ok"}\n')
    assert "corrections that wait for the next poll: 1." in run("learning", "show", "--db", db).err
    assert "switched off" in run("assess", "--report", "--db", db).err
