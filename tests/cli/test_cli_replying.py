"""`reply`, `outbox` and `templates`."""

from __future__ import annotations

from pathlib import Path

import pytest

from reviewdesk.config import Config
from reviewdesk.model import Change, DeliveryState, What
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply
from tests.cli.conftest import CONFIG, Run

ANSWER = "Dobrý den, omlouváme se, balík hledáme. Jana, Hrnce"


def state(db: Path, reply: int = 1) -> DeliveryState:
    with Store(db, read_only=True) as store:
        return store.outbox.get(reply).state


class TestHeld:
    @pytest.fixture
    def held(self, run: Run, db: Path) -> int:
        run("reply", 1, ANSWER, "--db", db)
        change = Change(what=What.EDITED, who="Jana\x1b[31m", before="Dřív", after="Teď\n[bold]druhý řádek\x1b]0;x\x07")
        with Store(db) as store:
            reply = store.outbox.claim("1", lease_seconds=60) or _due(store)
            store.outbox.move(reply, DeliveryState.HELD, changes=(change,), fault="Held back.")
            return reply.id

    def test_it_shows_both_texts_and_goes_out_all_the_same(self, held: int, run: Run, db: Path) -> None:
        told = run("outbox", "--db", db)
        assert "held" in told.out
        assert "before │ Dřív" in told.out
        assert "now │ Teď\n    now │ [bold]druhý řádek" in told.out
        assert "\x1b" not in told.out
        told = run("outbox", "release", held, "--db", db)
        assert (told.code, state(db, held)) == (0, DeliveryState.QUEUED)
        told = run("outbox", "release", held, "--db", db)
        assert told.code == 5
        assert "is not held" in told.err

    def test_it_becomes_a_draft_again(self, held: int, run: Run, db: Path) -> None:
        assert run("outbox", "withdraw", held, "--db", db).code == 0
        assert state(db, held) is DeliveryState.WITHDRAWN


def _due(store: Store) -> Reply:
    store.db.conn.execute("UPDATE reply SET send_after = 0")
    claimed = store.outbox.claim("1", lease_seconds=60)
    assert claimed is not None
    return claimed


class TestReply:
    def test_text_is_queued_word_for_word_and_can_be_withdrawn(self, run: Run, db: Path) -> None:
        told = run("reply", 1, ANSWER, "--db", db)
        assert (told.code, told.out) == (0, "")
        assert "Reply 1 is queued" in told.err
        (reply,) = run("outbox", "--json", "--db", db).json
        assert (reply["text"], reply["state"], reply["agent"]) == (ANSWER, "queued", "jana")
        told = run("outbox", "withdraw", 1, "--db", db)
        assert (told.code, state(db)) == (0, DeliveryState.WITHDRAWN)
        assert run("outbox", "--db", db).err == "The outbox is empty.\n"
        assert len(run("outbox", "--all", "--json", "--db", db).json) == 1

    @pytest.mark.parametrize("words", [f"{ANSWER}\n".encode(), f"\n  {ANSWER}\n\n".encode()])
    def test_a_dash_reads_standard_input(self, words: bytes, run: Run, db: Path) -> None:
        assert run("reply", 1, "-", "--db", db, stdin=words).code == 0
        (reply,) = run("outbox", "--json", "--db", db).json
        assert reply["text"] == ANSWER

    def test_a_dash_is_no_new_text_of_a_reply(
        self, run: Run, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changed: list[str] = []

        async def change(config: Config, store: Store, agent: str, reply: int, text: str) -> None:
            changed.append(text)

        monkeypatch.setattr("reviewdesk.desk.moderate.edit_reply", change)
        (tmp_path / "reviewdesk.toml").write_text(CONFIG)
        told = run("edit-reply", 1, "-", "--db", db, stdin="Lépe.\n".encode())
        assert (told.code, changed) == (0, ["Lépe."])

    def test_what_is_not_utf_8_is_not_queued(self, run: Run, db: Path) -> None:
        for told in (
            run("reply", 1, "-", "--db", db, stdin="Dobrý den".encode("cp1250")),
            run("reply", 1, "Dobr\udcfd den", "--db", db),
        ):
            assert (told.code, told.out) == (5, "")
            assert "is not in UTF-8." in told.err
        assert run("outbox", "--json", "--db", db).json == []

    @pytest.mark.parametrize("nothing", ["", "  \n"])
    def test_an_empty_text_is_refused(self, nothing: str, run: Run, db: Path) -> None:
        told = run("reply", 1, nothing, "--db", db)
        assert told.code == 5
        assert "empty" in told.err
        assert run("outbox", "--json", "--db", db).json == []

    def test_a_text_that_is_too_long_is_refused(self, run: Run, db: Path) -> None:
        told = run("reply", 1, "Dobrý den. " * 40, "--db", db)
        assert told.code == 5
        assert "300" in told.err

    def test_a_dry_run_shows_and_queues_nothing(self, run: Run, db: Path) -> None:
        told = run("reply", 1, "Dobrý den, zavolejte na 777 123 456", "--dry-run", "--db", db)
        assert told.code == 5, "as without --dry-run"
        assert told.out == "Dobrý den, zavolejte na 777 123 456\n"
        assert "warning:" in told.err
        assert run("reply", 1, "Zavolejte na 777 123 456", "--dry-run", "--despite-warnings", "--db", db).code == 0
        assert run("reply", 1, "Dobrý den. " * 40, "--dry-run", "--despite-warnings", "--db", db).code == 5
        assert run("outbox", "--all", "--json", "--db", db).json == []

    def test_a_warning_must_be_waved_through(self, run: Run, db: Path) -> None:
        text = "Dobrý den, zavolejte na 777 123 456"
        told = run("reply", 1, text, "--db", db)
        assert told.code == 5
        assert run("outbox", "--json", "--db", db).json == []
        assert run("reply", 1, text, "--despite-warnings", "--db", db).code == 0
        assert len(run("outbox", "--json", "--db", db).json) == 1

    def test_two_on_their_way_to_one_mention_are_refused(self, run: Run, db: Path) -> None:
        assert run("reply", 1, ANSWER, "--db", db).code == 0
        for dry in ((), ("--dry-run",)):
            told = run("reply", 1, ANSWER + "!", "--db", db, "--despite-warnings", *dry)
            assert told.code == 5
            assert "You have a reply on its way" in told.err
        assert len(run("outbox", "--json", "--db", db).json) == 1

    def test_a_template_comes_in_the_customers_language_with_their_name(self, run: Run, db: Path) -> None:
        told = run("reply", 1, "--template", "apologise-delivery", "--dry-run", "--db", db)
        assert told.code == 0
        assert "Svobod" in told.out
        assert "{{" not in told.out
        assert run("reply", 1, "--template", "apologise-delivery", "--db", db).code == 0

    def test_a_template_that_is_not_there(self, run: Run, db: Path) -> None:
        told = run("reply", 1, "--template", "nothing", "--db", db)
        assert told.code == 5
        assert "There is no template 'nothing'." in told.err

    def test_a_hand_off_shows_page_and_text_and_waits_for_the_confirmation(self, run: Run, db: Path) -> None:
        told = run("reply", 3, "Děkujeme za hezká slova. Jana, Hrnce", "--db", db)
        assert told.code == 0
        assert told.out == "Děkujeme za hezká slova. Jana, Hrnce\n"
        assert "https://example.com/admin/h1" in told.err
        assert "reviewdesk outbox confirm 1" in told.err
        assert "handed off" in run("outbox", "--db", db).out
        assert run("outbox", "confirm", 1, "--db", db).code == 0
        assert state(db) is DeliveryState.POSTED
        again = run("outbox", "confirm", 1, "--db", db)
        assert again.code == 5
        assert again.err.startswith("Error: ")

    def test_a_source_that_takes_no_replies(self, run: Run, db: Path) -> None:
        told = run("reply", 4, "Thank you.", "--db", db)
        assert told.code == 5
        assert "takes no replies" in told.err

    def test_a_mention_that_is_not_there(self, run: Run, db: Path) -> None:
        told = run("reply", 99, ANSWER, "--db", db)
        assert told.code == 5
        assert "There is no mention 99." in told.err


class TestOutbox:
    @pytest.mark.parametrize("what", [["withdraw"], ["confirm"], ["settle", "--posted"]])
    def test_a_reply_that_is_not_there(self, what: list[str], run: Run, db: Path) -> None:
        told = run("outbox", *what, 99, "--db", db)
        assert told.code == 5
        assert told.err.startswith("Error: There is no reply 99.")

    @pytest.mark.parametrize("seen", ["--posted", "--not-posted"])
    def test_what_is_clear_is_not_settled(self, seen: str, run: Run, db: Path) -> None:
        run("reply", 1, ANSWER, "--db", db)
        told = run("outbox", "settle", seen, 1, "--db", db)
        assert told.code == 5
        assert state(db) is DeliveryState.QUEUED

    @pytest.mark.parametrize(
        ("seen", "expected"), [("--posted", DeliveryState.POSTED), ("--not-posted", DeliveryState.QUEUED)]
    )
    def test_an_unclear_one_is_settled_by_what_was_seen(
        self, seen: str, expected: DeliveryState, run: Run, db: Path
    ) -> None:
        run("reply", 1, ANSWER, "--db", db)
        with Store(db) as store:
            store.db.conn.execute("UPDATE reply SET state = 'unknown', attempted_at = created_at")
        assert run("outbox", "settle", 1, "--db", db).code == 2
        assert state(db) is DeliveryState.UNKNOWN
        assert run("outbox", "settle", 1, seen, "--db", db).code == 0
        assert state(db) is expected


class TestTemplates:
    OURS = """
[[template]]
name = "{name}"
purpose = "thank"
title = "Naše"
body = "{body}"
"""

    def write(self, tmp_path: Path, name: str = "ours", body: str = "{{ greeting }} Děkujeme.") -> Path:
        file = tmp_path / "ours.toml"
        file.write_text(self.OURS.format(name=name, body=body), encoding="utf-8")
        return file

    def test_the_box_is_full_in_every_language(self, run: Run, db: Path) -> None:
        listed = run("templates", "--json", "--db", db).json
        assert {each["language"] for each in listed} >= {"cs", "sk", "pl", "uk", "de", "en", "hu", "ru"}
        only = run("templates", "--lang", "cs", "--json", "--db", db).json
        assert {each["language"] for each in only} == {"cs"}
        assert len(run("templates", "--lang", "cs", "--db", db).out.splitlines()) == len(only) + 1

    def test_one_is_shown(self, run: Run, db: Path) -> None:
        told = run("templates", "show", "thank-short", "--lang", "cs", "--db", db)
        assert told.code == 0
        assert told.out.startswith("[cs] ")
        assert run("templates", "show", "nothing", "--db", db).code == 5

    def test_ones_own_come_and_go(self, run: Run, db: Path, tmp_path: Path) -> None:
        told = run("templates", "add", self.write(tmp_path), "--lang", "cs", "--db", db)
        assert told.code == 0, told.err
        assert "Děkujeme" in run("templates", "show", "ours", "--db", db).out
        assert "you" in next(line for line in run("templates", "--db", db).out.splitlines() if " ours " in line)
        assert run("templates", "remove", "ours", "--lang", "cs", "--db", db).code == 0
        assert run("templates", "show", "ours", "--db", db).code == 5
        assert run("templates", "remove", "ours", "--lang", "cs", "--db", db).code == 5

    def test_ones_own_stands_in_for_the_one_in_the_box_until_it_goes(self, run: Run, db: Path, tmp_path: Path) -> None:
        before = run("templates", "show", "thank-short", "--lang", "cs", "--db", db).out
        run("templates", "add", self.write(tmp_path, "thank-short"), "--lang", "cs", "--db", db)
        assert run("templates", "show", "thank-short", "--lang", "cs", "--db", db).out != before
        run("templates", "remove", "thank-short", "--lang", "cs", "--db", db)
        assert run("templates", "show", "thank-short", "--lang", "cs", "--db", db).out == before

    @pytest.mark.parametrize(
        "content", [b"nonsense", b"[[template]]\n", "jméno = 'ř'".encode("cp1250"), b"[[template]]\nname = 5\n"]
    )
    def test_a_bad_file_changes_nothing(self, content: bytes, run: Run, db: Path, tmp_path: Path) -> None:
        before = run("templates", "--json", "--db", db).json
        file = tmp_path / "bad.toml"
        file.write_bytes(content)
        told = run("templates", "add", file, "--lang", "cs", "--db", db)
        assert told.code in (3, 5)
        assert told.err.startswith("Error: ")
        assert "fault in reviewdesk" not in told.err
        assert run("templates", "--json", "--db", db).json == before


class TestColleagues:
    def test_who_writes_is_told_and_what_is_written_is_not(self, run: Run, db: Path) -> None:
        with Store(db) as store:
            store.outbox.keep_open(1, "petr", "elsewhere:1:x", seconds=60)
            store.outbox.save_draft(1, "petr", "A secret thought")
            store.outbox.save_draft(1, "eva", "Another one")
        told = run("show", 1, "--db", db)
        assert "petr is writing a reply; began now." in told.out
        assert "eva has a draft of a reply, last changed now." in told.out
        told_as_json = run("show", 1, "--json", "--db", db)
        assert {writer["agent"] for writer in told_as_json.json[0]["writers"]} == {"petr", "eva"}
        assert "secret" not in told.out + told_as_json.out
        told = run("reply", 1, ANSWER, "--dry-run", "--db", db)
        assert "petr is writing a reply to it as well; began now." in told.err
        assert "eva" not in told.err
        told = run("reply", 1, ANSWER, "--db", db)
        assert (told.code, state(db)) == (0, DeliveryState.QUEUED), "the shell is told, not stopped"

    def test_a_colleagues_reply_on_its_way_is_named_with_its_words(self, run: Run, db: Path) -> None:
        with Store(db) as store:
            store.outbox.put(1, "Petr's own words", agent="petr")
        told = run("reply", 1, ANSWER, "--despite-warnings", "--db", db)
        assert told.code
        assert "petr has a reply on its way: “Petr's own words”" in told.err
