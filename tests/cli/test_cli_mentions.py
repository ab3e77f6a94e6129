"""`list`, `show` and `export`: data on stdout, harmless, and what was asked for."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reviewdesk.model import Kind, Mention
from reviewdesk.store.db import Store
from tests.cli.conftest import HOSTILE, NOW, Run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"f1", "f2", "h1", "p1"}),
        (["--source", "facebook"], {"f1", "f2"}),
        (["--complaints"], {"f1"}),
        (["--no-complaints"], {"f2", "h1", "p1"}),
        (["--view", "complaints"], {"f1"}),
        (["--view", "mine"], {"h1"}),
        (["--assignee", "jana"], {"h1"}),
        (["--status", "closed"], {"p1"}),
        (["--tag", "vip"], {"f2"}),
        (["--search", "balik nedorazil"], {"f1"}),
        (["--search", "BALÍK"], {"f1"}),
        (["--search", '"'], set()),
        (["--search", "OR AND NOT *"], set()),
        (["--since", (NOW - timedelta(days=1)).isoformat()], {"f1", "f2", "p1"}),
        (["--until", (NOW - timedelta(days=1)).date().isoformat()], {"h1"}),
        (["--source", "facebook", "--no-complaints"], {"f2"}),
    ],
)
def test_filters_choose_the_same_in_list_and_export(options: list[str], expected: set[str], run: Run, db: Path) -> None:
    with Store(db) as store:
        ids = {key: stored.id for source, key in (("heureka", "h1"), ("feed", "p1"), ("facebook", "f2"))
               if (stored := store.mentions.find(source, key))}  # fmt: skip
        store.mentions.change([ids["h1"]], {"assignee": "jana"}, agent="jana", what="assigned")
        store.mentions.change([ids["p1"]], {"status": "closed"}, agent="jana", what="closed")
        store.people.tag([ids["f2"]], "vip", agent="jana")
    exported = run("export", "--db", db, *options)
    assert exported.code == 0
    assert {each["mention"]["id"] for each in exported.json} == expected
    listed = run("list", "--db", db, "--json", *options)
    assert listed.code == 0
    assert [each["id"] for each in listed.json] == [each["id"] for each in exported.json]
    assert run("list", "--db", db, *options).err == ("" if expected else "No mentions.\n")


def test_the_list_as_csv_names_who_writes_and_the_tags(run: Run, db: Path) -> None:
    with Store(db) as store:
        stored = store.mentions.find("facebook", "f2")
        assert stored is not None
        store.people.tag([stored.id], "vip", agent="jana")
        store.outbox.save_draft(stored.id, "jana", "Dobrý den")
        store.outbox.save_draft(stored.id, "petr", "Dobrý den")
    told = run("list", "--csv", "--db", db, "--tag", "vip")
    (row,) = csv.DictReader(io.StringIO(told.out))
    assert (row["writers"], row["tags"]) == ("jana petr", "vip")


def test_a_day_is_the_shops_day(run: Run, db: Path) -> None:
    with Store(db) as store:
        for hour in (21, 22):  # of UTC, before and after midnight in Prague
            written = datetime(2025, 6, 10, hour, 30, tzinfo=UTC)
            store.mentions.ingest("feed", [Mention(id=f"at {hour}", kind=Kind.POST, text="x", created_at=written)])

    def listed(*options: str) -> set[str]:
        return {each["mention"]["id"] for each in run("export", "--db", db, *options).json}

    assert listed("--since", "2025-06-11", "--until", "2025-06-12") == {"at 22"}
    assert listed("--since", "2025-06-10", "--until", "2025-06-11") == {"at 21"}
    assert listed("--since", "2025-06-10T22:00+00:00", "--until", "2025-06-11T00:31") == {"at 22"}
    assert listed("--since", "0001-01-01", "--until", "2025-06-11T00:31") >= {"at 21", "at 22"}


def test_the_list_shows_complaints_with_marks_and_what_is_not_there(run: Run, db: Path) -> None:
    told = run("list", "--db", db, "--view", "needs_reply")
    header, first, *others = told.out.splitlines()
    assert header.split() == ["ID", "★", "SOURCE", "AUTHOR", "WRITTEN", "DUE", "STATUS", "TEXT"]
    assert "!" in first
    assert "Petr Svoboda" in first
    assert all("!" not in line.split("  ")[1] for line in others)


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_source_that_is_not_there_is_no_empty_answer(command: str, run: Run, db: Path) -> None:
    told = run(command, "--source", "facebok", "--db", db)
    assert (told.code, told.out) == (5, "")
    assert "There is no source 'facebok'" in told.err


def test_limit_tells_how_many_more_there_are(run: Run, db: Path) -> None:
    told = run("list", "--db", db, "--limit", 2, "--json")
    assert len(told.json) == 2
    told = run("list", "--db", db, "--limit", 2)
    assert told.err == "2 of 4; --limit shows more.\n"
    assert run("list", "--db", db, "--limit", 4).err == ""


def test_narration_is_never_on_stdout(run: Run, db: Path) -> None:
    assert run("list", "--db", db, "--tag", "nothing", "--json").out == ""
    assert run("list", "--db", db, "--tag", "nothing", "--csv").out.startswith("id,source,")


@pytest.mark.parametrize("args", [["list", "--csv"], ["export", "--csv"]])
def test_no_cell_of_a_csv_is_a_formula_and_each_text_is_one_cell(args: list[str], run: Run, db: Path) -> None:
    told = run(*args, "--db", db)
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert len(rows) == 4
    assert all(len(row) == len(rows[0]) and None not in row for row in rows)
    cells = [cell for row in rows for cell in row.values() if not cell.replace(".", "").lstrip("-").isdigit()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    (hostile,) = [row for row in rows if "HYPERLINK" in (row.get("text") or row.get("excerpt") or "")]
    assert (hostile.get("text") or hostile.get("excerpt") or "").startswith("'=HYPERLINK")


def test_the_publics_text_is_whole_in_json_and_obeyed_by_nobody(run: Run, db: Path) -> None:
    told = run("export", "--db", db, "--search", "HYPERLINK")
    (line,) = told.json
    assert line["mention"]["text"].endswith("{{ 7*7 }}\nsecond line")
    assert "[@click=app.quit]x[/]" in line["mention"]["text"]
    assert "\u202e" not in told.out
    assert "\x07" not in told.out


class TestShow:
    def test_a_mention_with_its_reasons(self, run: Run, db: Path) -> None:
        told = run("show", 1, "--db", db)
        assert told.code == 0
        assert "Petr Svoboda" in told.out
        assert "complaint" in told.out
        assert "nedorazil" in told.out.partition("sentiment")[2]

    def test_hostile_text_stands_there_as_text(self, run: Run, db: Path) -> None:
        told = run("show", 2, "--db", db)
        assert "[@click=app.quit]x[/]" in told.out
        assert "    second line" in told.out
        assert not set(told.out) & set("\x1b\x07\u202e")
        assert len(HOSTILE) > 0

    def test_json_is_one_line(self, run: Run, db: Path) -> None:
        (told,) = run("show", 1, "--db", db, "--json").json
        assert told["focus"]["mention"]["id"] == "f1"
        assert told["focus"]["assessment"]["complaint"] is True

    def test_raw_is_what_the_platform_sent(self, run: Run, db: Path) -> None:
        assert run("show", 1, "--db", db, "--raw").json == [{"id": "f1"}]
        assert run("show", 3, "--db", db, "--raw").json == [None]

    @pytest.mark.parametrize("option", [[], ["--json"], ["--raw"]])
    def test_one_that_is_not_there(self, option: list[str], run: Run, db: Path) -> None:
        told = run("show", 99, "--db", db, *option)
        assert (told.code, told.out) == (5, "")
        assert told.err == "Error: There is no mention 99. `reviewdesk list` shows the ids.\n"

    @pytest.mark.parametrize("id", [-1, 0, 2**63, 10**30])
    def test_strange_numbers(self, id: int, run: Run, db: Path) -> None:
        told = run("show", "--db", db, "--", id)
        assert told.code in (2, 5)
        assert told.err.startswith(("Error: There is no mention", "Usage:"))


class TestExport:
    def test_a_new_file_for_its_owner_alone(self, run: Run, db: Path, tmp_path: Path) -> None:
        old = os.umask(0)
        try:
            told = run("export", "--db", db, "out.jsonl")
        finally:
            os.umask(old)
        assert (told.code, told.out) == (0, "")
        assert told.err == "4 mentions written to out.jsonl.\n"
        file = tmp_path / "out.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]) == 4

    def test_never_over_another(self, run: Run, db: Path, tmp_path: Path) -> None:
        (tmp_path / "out.csv").write_text("mine")
        (tmp_path / "link.csv").symlink_to("elsewhere.csv")
        for name in ("out.csv", "link.csv"):
            told = run("export", "--db", db, "--csv", name)
            assert (told.code, told.out) == (6, "")
            assert told.err == f"Error: The file {name} exists already; choose another name.\n"
        assert (tmp_path / "out.csv").read_text() == "mine"
        assert not (tmp_path / "elsewhere.csv").exists()

    def test_a_folder_that_is_not_there(self, run: Run, db: Path) -> None:
        told = run("export", "--db", db, "nowhere/out.csv")
        assert told.code == 6
        assert told.err == "Error: The file nowhere/out.csv cannot be written: No such file or directory.\n"
