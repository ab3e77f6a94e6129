"""How the command line is called: options, environment, helps, mistakes, streams."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reviewdesk.cli import COMMANDS, cli
from reviewdesk.cli.logs import log_file
from reviewdesk.cli.reference import contexts
from reviewdesk.store.db import Store
from tests.cli.conftest import Run, process
from tests.store.test_migrations import old

HERE = Path(__file__).parent
ALL = dict(contexts())


def test_help_imports_click_and_nothing_else_that_is_installed() -> None:
    code = "import sys\nfrom reviewdesk.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    outside = {name.partition(".")[0] for name in done.stderr.split()} - set(sys.stdlib_module_names)
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    outside -= {name.partition(".")[0] for name in bare.stdout.split()}
    assert outside <= {"click", "reviewdesk", "__main__", "__mp_main__"}
    ours = {name for name in done.stderr.split() if name.startswith("reviewdesk.")}
    assert ours == {"reviewdesk.cli", "reviewdesk.cli.exits", "reviewdesk.errors"}


@pytest.mark.parametrize("command", ["list", "poll", "sources", "templates", "outbox"])
def test_what_looks_at_the_database_alone_imports_no_network(command: str, db: Path) -> None:
    code = "import sys\nfrom reviewdesk.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--db", str(db)], capture_output=True, text=True, cwd=db.parent
    )
    assert done.returncode == 0, done.stderr
    assert not {"httpx", "textual", "praw", "vaderSentiment", "lxml", "starlette", "uvicorn"} & set(done.stderr.split())


@pytest.mark.parametrize(
    "args", [("--db", "", "list"), ("list", "--db", ""), ("--config", " ", "list"), ("poll", "--config", "")]
)
def test_a_script_without_its_variable_gets_no_other_file(args: tuple[str, ...], run: Run, db: Path) -> None:
    told = run(*args)
    assert (told.code, told.out) == (2, "")
    assert "is empty. Name a file, or leave it out." in told.err


@pytest.mark.parametrize(("option", "code"), [("--db", 6), ("--config", 3)])
def test_the_home_of_nobody_is_told_as_a_file_that_is_not_there(option: str, code: int, run: Run) -> None:
    told = run(option, "~nobody-here/desk", "list")
    assert told.code == code
    assert "~nobody-here/desk" in told.err


def test_a_folder_that_is_gone_is_told_as_that(db: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'cd "{gone}" && rmdir "{gone}" && exec {sys.executable} -P -m reviewdesk list --db "{db}"'
    done = subprocess.run(["sh", "-c", command], capture_output=True)
    assert done.returncode == 6
    assert done.stderr.startswith(b"Error: The folder that this runs in is not there any more.")


def test_every_command_is_listed_with_the_first_sentence_of_its_own_help(run: Run) -> None:
    told = run("--help")
    assert told.code == 0
    listed = dict(re.findall(r"^  ([a-z-]+)  +(\S.*)$", told.out.partition("Commands:")[2], re.M))
    assert set(listed) == set(COMMANDS)
    for name, sentence in listed.items():
        own = ALL[f"reviewdesk {name}"].command.help or ""
        assert " ".join(own.split("\n\n")[0].split()) == sentence == COMMANDS[name][1]


@pytest.mark.parametrize("path", [path for path in ALL if path != "reviewdesk"])
def test_help_reads_well(path: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for option in ("--help", "-h"):
        told = run(*path.split()[1:], option)
        assert told.code == 0
        assert told.out.startswith(f"Usage: {path} ")
        assert max(map(len, told.out.splitlines())) <= 80
        assert "..." not in told.out.replace("[ARGS]...", "")
        assert "--config FILE" in told.out
        assert "--db FILE" in told.out
    options = [each for each in ALL[path].command.params if each.param_type_name == "option"]
    assert all(getattr(each, "help", "") for each in options)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples(name: str) -> None:
    assert getattr(ALL[f"reviewdesk {name}"].command, "examples", ())


@pytest.mark.parametrize("first", [("--db", "{db}", "list"), ("list", "--db", "{db}"), ("--config", "{toml}", "list")])
def test_options_stand_before_and_after_the_command(first: tuple[str, ...], run: Run, db: Path) -> None:
    toml = db.with_name("other.toml")
    toml.write_text(f'[desk]\ndatabase = "{db.name}"\n')
    told = run(*(word.format(db=db, toml=toml) for word in first))
    assert told.code == 0
    assert "Petr Svoboda" in told.out


def test_the_later_option_wins(run: Run, db: Path) -> None:
    assert run("--db", "nothing.db", "list", "--db", db).code == 0
    assert run("--db", db, "list", "--db", "nothing.db").code == 6
    assert run("outbox", "--db", "nothing.db", "withdraw", 1, "--db", db).code == 5


def test_environment_names_the_files(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWDESK_DB", str(db))
    assert "Petr Svoboda" in run("list").out
    assert run("list", "--db", "nothing.db").code == 6
    monkeypatch.setenv("REVIEWDESK_CONFIG", "nowhere.toml")
    told = run("list")
    assert told.code == 3
    assert "nowhere.toml" in told.err


@pytest.mark.parametrize("args", [["show", "1"], ["list"], ["export"], ["outbox"], ["learning", "show"]])
def test_the_first_command_after_an_update_reads_the_database(args: list[str], run: Run, tmp_path: Path) -> None:
    old(tmp_path / "old.db", "m001_the_desk")
    told = run(*args, "--db", tmp_path / "old.db")
    assert told.code == 0, told.err


@pytest.mark.parametrize("args", [["show", "1"], ["list"], ["export"], ["outbox"], ["sources"]])
def test_a_command_that_only_reads_leaves_a_newer_database_alone(args: list[str], run: Run, tmp_path: Path) -> None:
    with Store(tmp_path / "desk.db") as store:
        store.db.conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('reviewdesk', 'm999_later', 'x')"
        )
    told = run(*args, "--db", tmp_path / "desk.db")
    assert told.code == 6
    assert "newer version" in told.err


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["list", "--tag", "\udcff"], "--tag"),
        (["sources", "enable", "\udcff"], "ID"),
        (["erase", "\udcff"], "WHO"),
    ],
)
def test_words_that_are_not_in_utf_8_are_told(args: list[str], what: str, run: Run) -> None:
    told = run(*args, "--db", "desk.db")
    assert (told.code, told.err) == (5, f"Error: {what} is not in UTF-8. Send it as UTF-8; nothing was done.\n")


def test_a_backup_after_an_update_is_of_what_was_there_before(run: Run, tmp_path: Path) -> None:
    old(tmp_path / "old.db", "m001_the_desk")
    assert run("backup", tmp_path / "copy.db", "--db", tmp_path / "old.db").code == 0
    for name in ("old.db", "copy.db"):
        with Store(tmp_path / name, read_only=True) as store:
            assert store.is_behind, name


@pytest.mark.parametrize(("typed", "meant"), [("lst", "list"), ("repyl", "reply"), ("source", "sources")])
def test_an_unknown_command_is_told_with_what_was_meant(typed: str, meant: str, run: Run) -> None:
    told = run(typed)
    assert (told.code, told.out) == (2, "")
    assert f"There is no command '{typed}'. Did you mean '{meant}'?" in told.err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["xyzzy"], "`reviewdesk --help` lists the commands"),
        (["list", "--viw", "all"], "--view"),
        (["list", "--view", "al"], "'al' is not one of 'complaints'"),
        (["list", "--since", "yesterday"], "'yesterday' is no date; write 2026-11-23"),
        (["list", "--limit", "0"], "0 is not in the range"),
        (["list", "--limit", "1" + "0" * 30], "is not in the range"),
        (["show"], "Missing argument 'ID'"),
        (["show", "x"], "'x' is no such number; lists show them"),
        (["show", "9" * 5000], "is no such number"),
        (["assess", "--explain", "9" * 30], "is no such number"),
        (["show", "1", "2"], "unexpected extra argument"),
        (["list", "--db"], "requires an argument"),
        (["outbox", "settle", "1"], "--posted or --not-posted"),
        (["templates", "add", "nothing.toml", "--lang", "cs"], "'nothing.toml' does not exist"),
        (["import", "heureka", "nothing.xml"], "'nothing.xml' does not exist"),
        (["sandbox", "--customers", "0"], "0.0 is not in the range"),
        (["demo", "--every", "-1"], "-1.0 is not in the range"),
        (["sandbox", "fill"], "Say where with --db FILE"),
        (["reply", "1"], "Give either TEXT or --template NAME"),
        (["reply", "1", "a", "--template", "b"], "Give either TEXT or --template NAME"),
        (["list", "--csv", "--json"], "--json and --csv exclude each other; give one of them."),
        (["show", "1", "--json", "--raw"], "--json and --raw exclude each other"),
        (["quarantine", "retry", "1", "--source", "x"], "NUMBER and --source exclude each other"),
        (["assess", "--explain", "--report"], "--report and --explain exclude each other"),
        (["assess", "--engine", "--corrections", "-"], "--engine and --corrections exclude each other"),
        (["erase", "--source", "x", "--mention", "1"], "--source and --mention exclude each other"),
        (["import", "heureka", __file__, "--set", "x"], "--set takes KEY=VALUE, not 'x'"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_wrong(args: list[str], expected: str, run: Run) -> None:
    told = run(*args)
    assert (told.code, told.out) == (2, "")
    assert expected in told.err


@pytest.mark.parametrize("args", [["poll"], ["send"], ["doctor"], ["hide", "1"], []])
def test_what_needs_a_configuration_says_how_to_begin(args: list[str], run: Run) -> None:
    told = run(*args)
    assert told.code == 3
    assert "`reviewdesk init`" in told.err
    assert "`reviewdesk demo`" in told.err


def test_all_mistakes_of_a_configuration_are_told_with_their_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reviewdesk.toml").write_text('[shop]\nnmae = "x"\n[desk]\nundo_seconds = -1\n')
    told = run("poll")
    assert told.code == 3
    assert "reviewdesk.toml:2" in told.err
    assert "reviewdesk.toml:4" in told.err


@pytest.mark.parametrize(
    "args",
    [
        *(["list"], ["export"], ["show", "1"], ["outbox"], ["backup", "x.db"], ["coverage"], ["quarantine"]),
        *(["erase", "Jana", "--yes"], ["correct", "1", "neg"], ["reply", "1", "Hi"], ["outbox", "confirm", "1"]),
        ["doctor", "--repair"],
        ["sources", "disable", "feed"],
    ],
)
def test_a_database_that_is_not_there_is_6(args: list[str], run: Run, tmp_path: Path) -> None:
    told = run(*args, "--db", "nothing.db")
    assert (told.code, told.out) == (6, "")
    assert "There is no database at" in told.err
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize(
    "args", [["sources"], ["templates"], ["templates", "show", "thank-short"], ["templates", "--lang", "cz"]]
)
def test_what_can_be_told_without_a_database_makes_none(args: list[str], run: Run, tmp_path: Path) -> None:
    assert run(*args, "--db", "nothing.db").code == 0
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize("args", [["list"], ["poll"], ["sources"], ["templates"], ["doctor"]])
def test_a_damaged_database_is_6(args: list[str], run: Run, db: Path) -> None:
    db.write_bytes(b"This is no database. " * 1000)
    told = run(*args, "--db", db)
    assert (told.code, told.out) == (6, "")
    assert "is damaged or not a reviewdesk database" in told.err


def test_a_fault_of_the_program_is_one_line_and_the_log_has_the_rest(
    run: Run, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("with\n\x1b[31m colours")

    monkeypatch.setattr(Store, "__init__", fail)
    told = run("list", "--db", db)
    assert told.code == 1
    assert told.err.startswith("Error: a fault in reviewdesk: ZeroDivisionError: with")
    assert str(log_file()) in told.err
    assert "Traceback" in log_file().read_text(encoding="utf-8")
    assert log_file().stat().st_mode & 0o777 == 0o600


def test_a_fault_without_a_log_is_still_told(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWDESK_LOG", str(db / "below-a-file" / "x.log"))
    monkeypatch.setattr(Store, "__init__", lambda *_, **__: 1 / 0)
    told = run("list", "--db", db)
    assert told.code == 1
    assert "division by zero" in told.err
    assert "REVIEWDESK_LOG" in told.err


def test_a_log_that_cannot_be_written_is_a_mistake_to_mend(run: Run, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWDESK_LOG", str(db / "below-a-file" / "x.log"))
    told = run("poll", "--db", db)
    assert told.code == 3
    assert "cannot be written" in told.err


class TestStreams:
    @pytest.mark.parametrize("args", [["list"], ["list", "--json"], ["list", "--csv"], ["--help"], ["templates"]])
    def test_a_reader_that_has_gone_is_no_fault(self, args: list[str], db: Path) -> None:
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "reviewdesk", "--db", str(db), *args], stdout=write, stderr=subprocess.PIPE
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_head_takes_what_it_wants_of_an_endless_filter(self) -> None:
        command = f'yes \'{{"text": "ok"}}\' | {sys.executable} -m reviewdesk assess | head -2; echo ${{PIPESTATUS[1]}}'
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
        assert done.stdout.splitlines()[2] == "0"
        assert done.stderr == ""

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    @pytest.mark.parametrize("args", [["list"], ["list", "--json"]])
    def test_a_full_disk_is_a_sentence(self, args: list[str], db: Path) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "reviewdesk", *args, "--db", str(db)], stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 6
        assert done.stderr == b"Error: No space left on device.\n"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_log_on_a_full_disk_says_nothing_on_the_terminal(self) -> None:
        code = "import logging; from reviewdesk.cli.logs import log_to_file; log_to_file(); logging.error('lost')"
        env = {**os.environ, "REVIEWDESK_LOG": "/dev/full"}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    @pytest.mark.parametrize("closed", ["1", "2"])
    def test_a_closed_stream_is_nobodys_fault(self, closed: str, db: Path) -> None:
        command = f"{sys.executable} -m reviewdesk list --db {db} {closed}>&-"
        done = subprocess.run(["bash", "-c", command], capture_output=True)
        assert done.returncode == 0
        assert b"Error" not in done.stderr

    @pytest.mark.parametrize(("args", "code"), [(["outbox"], 0), (["show", "999"], 5), (["list", "--nope"], 2)])
    @pytest.mark.parametrize("to", ["/dev/full", "/dev/null", "gone"])
    def test_a_narration_that_nobody_takes_changes_nothing(self, to: str, args: list[str], code: int, db: Path) -> None:
        read, write = os.pipe()
        os.close(read)
        told = write if to == "gone" else os.open(to, os.O_WRONLY)
        done = subprocess.run([sys.executable, "-m", "reviewdesk", *args, "--db", str(db)], stderr=told)
        assert done.returncode == code

    def test_a_poll_whose_log_is_on_a_full_disk_asks_every_source(self, tmp_path: Path) -> None:
        ours = tmp_path / "reviewdesk.toml"
        table = '[[source]]\nid = "{}"\nconnector = "feed"\nprivate_network = true\nurl = "http://127.0.0.1:9/"\n'
        ours.write_text("".join(table.format(name) for name in ("one", "two")), "utf-8")
        here = ("--config", str(ours), "--db", str(tmp_path / "desk.db"))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([sys.executable, "-m", "reviewdesk", "poll", *here], stderr=full)
        assert done.returncode == 4
        told = process("coverage", *here).stdout.decode()
        assert told.count("No connection to 127.0.0.1") >= 2
        assert "not ended" not in told

    @pytest.mark.parametrize("args", [["delete-reply", "1"], ["learning", "forget"], ["connector", "new", "mine"]])
    def test_a_question_that_nobody_answers_is_wrong_usage(self, args: list[str], db: Path) -> None:
        done = process(*args, "--db", db, stdin=subprocess.DEVNULL, cwd=db.parent)
        assert done.returncode == 2
        assert b"There is nobody here to answer that, and nothing was done." in done.stderr

    @pytest.mark.parametrize("args", [["list", "--json"], ["export"], ["show", "1", "--json"]])
    def test_data_in_a_pipe_is_utf_8_in_every_locale(self, args: list[str], db: Path) -> None:
        plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
        done = process(*args, "--db", db, env=plain)
        assert done.returncode == 0
        assert "Balík nedorazil" in done.stdout.decode("utf-8")

    def test_a_terminal_without_unicode_gets_escapes_that_are_json(self, db: Path) -> None:
        plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        shown = on_a_terminal(["list", "--json", "--db", str(db)], env=plain)
        assert rb"Bal\u00edk nedorazil" in shown

    @pytest.mark.parametrize("columns", ["20", "40", "80", "200"])
    def test_a_table_is_cut_to_the_terminal(self, columns: str, db: Path) -> None:
        shown = on_a_terminal(["list", "--db", str(db)], env={"COLUMNS": columns, "LC_ALL": "C.UTF-8"})
        text = re.sub(r"\x1b\[[\d;]*m", "", shown.decode("utf-8"))
        assert "\x1b" not in text
        assert "owned" not in text or int(columns) > 40
        if int(columns) >= 80:
            assert max(map(len, text.splitlines())) <= int(columns)

    def test_ctrl_c_is_130_without_a_traceback(self) -> None:
        command = [sys.executable, "-m", "reviewdesk", "assess"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
            assert asked.stdin is not None
            assert asked.stdout is not None
            asked.stdin.write(b'{"text": "ok"}\n')
            asked.stdin.flush()
            assert asked.stdout.readline()  # It answers at once, and is waiting for more now.
            asked.send_signal(2)
            _, said = asked.communicate(timeout=20)
        assert asked.returncode == 130
        assert said.strip() == b"Interrupted."


def on_a_terminal(args: list[str], *, env: dict[str, str]) -> bytes:
    """Gives what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "reviewdesk", *args], stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, **env}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert asked.wait(20) == 0
    return shown


def test_the_version(run: Run) -> None:
    told = run("--version")
    assert told.code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", told.out)


def test_the_page_of_commands_is_up_to_date() -> None:
    from reviewdesk.cli.reference import reference

    page = HERE.parents[1] / "docs/commands.md"
    assert page.read_text(encoding="utf-8") == reference(), "run: python -m reviewdesk.cli.reference > docs/commands.md"


def test_the_group_itself_is_the_door() -> None:
    assert cli.name == "cli"
    assert sorted(COMMANDS) == list(COMMANDS)
