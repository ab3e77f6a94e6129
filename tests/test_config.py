from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reviewdesk.config import BusinessHours, Config, Opening, SourceConfig, check_settings, load
from reviewdesk.errors import ConfigError, MissingSecret
from reviewdesk.secrets import Secret
from reviewdesk.typed_toml import Document, suggestion

SOURCE = '[[source]]\nid = "fb"\nconnector = "facebook"\n'


def write(folder: Path, text: str, name: str = "reviewdesk.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environ={})
    return caught.value.problems


class Column(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    path: str = ""


class FakeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    page_id: str
    token: Annotated[Secret, msgspec.Meta(description="of the page")]
    kind: Literal["shop", "product"] = "shop"
    columns: tuple[Column, ...] = ()
    pages: Annotated[tuple[str, ...], msgspec.Meta(max_length=2)] = ()
    fields: dict[str, str | Column] = {}
    file: Path | None = None
    timezone: ZoneInfo = msgspec.field(default_factory=lambda: ZoneInfo("UTC"))
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 7

    def __post_init__(self) -> None:
        if self.kind == "product" and not self.columns:
            raise ValueError("products need columns")


def settings_problems(folder: Path, table: str) -> tuple[str, ...]:
    config = load(write(folder, SOURCE + table), environ={})
    with pytest.raises(ConfigError) as caught:
        check_settings(config.sources[0], FakeSettings)
    return caught.value.problems


class TestFinding:
    def test_nothing_there_names_the_two_ways_to_begin(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigError, match=r"reviewdesk init.*reviewdesk demo"):
            load()

    def test_order_argument_environment_folder_user(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobodys_machine: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        import platformdirs

        users = platformdirs.user_config_path("reviewdesk", appauthor=False)
        users.mkdir(parents=True)
        write(users, '[shop]\nname = "user"\n')
        assert load(environ={}).shop.name == "user"
        write(tmp_path, '[shop]\nname = "folder"\n')
        assert load(environ={}).shop.name == "folder"
        named = write(tmp_path, '[shop]\nname = "environment"\n', "env.toml")
        environ = {"REVIEWDESK_CONFIG": str(named)}
        assert load(environ=environ).shop.name == "environment"
        assert load(write(tmp_path, '[shop]\nname = "argument"\n', "arg.toml"), environ=environ).shop.name == "argument"

    def test_a_named_file_that_is_not_there_is_not_replaced_by_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path, "")
        with pytest.raises(ConfigError, match=r"other\.toml"):
            load(environ={"REVIEWDESK_CONFIG": "other.toml"})

    def test_database_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobodys_machine: Path) -> None:
        monkeypatch.chdir(tmp_path)
        shop = tmp_path / "shop"
        shop.mkdir()
        empty = write(tmp_path, "")
        assert nobodys_machine in load(empty, environ={}).database.parents
        path = write(shop, '[desk]\ndatabase = "data/desk.db"\n')
        assert load(path, environ={}).database == shop / "data/desk.db"
        environ = {"REVIEWDESK_DB": "from-environment.db"}
        assert load(path, environ=environ).database == tmp_path / "from-environment.db"
        assert load(path, db=Path("argument.db"), environ=environ).database == tmp_path / "argument.db"
        assert load(path, environ={"REVIEWDESK_DB": ""}).database == shop / "data/desk.db"

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"REVIEWDESK_AGENT": "eva", "USER": "root"}, "eva"),
            ({"USER": "root"}, "jana"),
        ],
    )
    def test_agent(self, tmp_path: Path, environ: dict[str, str], expected: str) -> None:
        assert load(write(tmp_path, '[desk]\nagent = "jana"\n'), environ=environ).agent == expected

    def test_agent_is_who_is_logged_in_where_nobody_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "")
        assert load(path, environ={"LOGNAME": "petr"}).agent == "petr"
        assert load(path, environ={}).agent


class TestUnreadable:
    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            load(tmp_path)

    def test_not_utf8_tells_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "reviewdesk.toml"
        path.write_bytes('[shop]\nname = "Žluťoučký"\n'.encode("cp1250"))
        with pytest.raises(ConfigError, match=r"reviewdesk\.toml:2: .*UTF-8"):
            load(path)

    def test_byte_order_mark_and_windows_line_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "reviewdesk.toml"
        path.write_bytes(b'\xef\xbb\xbf[shop]\r\nname = "A"\r\nlangage = "cs"\r\n')
        with pytest.raises(ConfigError, match=r"reviewdesk\.toml:3: "):
            load(path)

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("[shop]\nname = \n", "reviewdesk.toml:2: "),
            ("[shop\n", "reviewdesk.toml:1: "),
            ("a = 1\n\na = 2\n", "reviewdesk.toml:3: "),
            ('[shop]\nname = """\nnever closed\n', "reviewdesk.toml:3: "),
            ("[[source]]\n[source]\n", "reviewdesk.toml:2: "),
            ("a = " + "[" * 20_000, "reviewdesk.toml: "),
        ],
    )
    def test_syntax(self, tmp_path: Path, text: str, place: str) -> None:
        (problem,) = problems(tmp_path, text)
        assert problem.startswith(place)

    @pytest.mark.parametrize(
        ("line", "meant"),
        [
            ("b = „text“", "straight quotes"),
            ("b = True", "small letters"),
            ("b = 4,5", "a number with a point"),
            (r'b = "C:\users"', "stands twice"),
            (r'b = "C:\q"', "stands twice"),
            ("[a]", "the table stands there twice"),
            ("b = 1\nb = 2", "the key stands there twice"),
        ],
    )
    def test_common_errors_of_syntax_say_what_is_meant(self, tmp_path: Path, line: str, meant: str) -> None:
        (problem,) = problems(tmp_path, f"[a]\n{line}\n")
        assert meant in problem

    def test_syntax_errors_show_no_value(self, tmp_path: Path) -> None:
        (problem,) = problems(tmp_path, '[[source]]\ntoken = "EAAB-secret-token\n')
        assert "token = …" in problem
        assert "EAAB" not in problem

    @given(st.text())
    def test_any_text_is_a_config_or_a_config_error(self, tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
        path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.toml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
        try:
            load(path, environ={})
        except ConfigError as error:
            assert error.problems  # noqa: PT017 - it may as well be a configuration


WRONG = """\
[shop]
name = 5
langage = "cs"
timezone = "Europe/Pragu"
signature = "{agnt}"

[dsk]
undo_seconds = 1
[desk]
undo_seconds = 3.5
[deadlines]
complaint_hours = 0
holidays = [
  2026-12-24,
  "Christmas",
]
[deadlines.business_hours]
monday = "9-17"
sonday = "9:00-12:00"
[[agent]]
id = "a b"
name = true
[keys]
reply = "R"
close = ["e", 1]
[[source]]
id = "fb"
poll_seconds = 0
[[source]]
id = "fb"
connector = "facebook"
"""


class TestMistakes:
    def test_all_at_once_with_line_key_and_what_would_be_right(self, tmp_path: Path) -> None:
        told = problems(tmp_path, WRONG)
        expected = [
            (2, '[shop], key "name"', "expected a text, found the number 5"),
            (3, '[shop], key "langage"', 'unknown key; did you mean "language"?'),
            (4, '[shop], key "timezone"', 'did you mean "Europe/Prague"?'),
            (5, '[shop], key "signature"', "{agent} and {shop}"),
            (7, "[dsk]", 'unknown table; did you mean "desk"?'),
            (10, '[desk], key "undo_seconds"', "expected a whole number from 0 to 600, found the number 3.5"),
            (12, '[deadlines], key "complaint_hours"', "expected a number of more than 0 and at most 8760"),
            (
                13,
                '[deadlines], key "holidays", item 2',
                'expected a date such as 2026-12-24, found the text "Christmas"',
            ),
            (18, '[deadlines], key "business_hours.monday"', '"9-17" are no hours'),
            (19, '[deadlines], key "business_hours.sonday"', 'did you mean "sunday"?'),
            (21, '[[agent]] "a b", key "id"', "letters, digits, - and _"),
            (22, '[[agent]] "a b", key "name"', "expected a text, found true"),
            (25, '[keys], key "close", item 2', "found the number 1"),
            (26, '[[source]] "fb"', 'key "connector" is missing'),
            (28, '[[source]] "fb", key "poll_seconds"', "expected a whole number from 1"),
            (30, '[[source]] "fb", key "id"', "the source in line 27 has this id already"),
        ]
        assert len(told) == len(expected)
        for problem, (line, place, right) in zip(told, expected, strict=True):
            assert problem.startswith(f"reviewdesk.toml:{line}: {place}: "), problem
            assert right in problem

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ('[keys]\n"mention.close" = 7', '[keys], key "mention.close": expected a list that is not empty'),
            (
                '[desk]\nagent = "eva"\n[[agent]]\nid = "eva"\nnme = "Eva"',
                'key "nme": unknown key; did you mean "name"?',
            ),
            ('[[source]]\nid = "a"\nconnectr = "feed"', 'key "connectr": unknown key; did you mean "connector"?'),
            ('[shop]\nlanguage = "cz"', '"cz" is a country'),
            ("[shop]\ncontact = 777123456", 'found the number 777123456; write it in quotes, "777123456"'),
        ],
    )
    def test_one_mistake_is_told_as_one(self, tmp_path: Path, text: str, told: str) -> None:
        def also(sources: object, keys: Mapping[str, object], document: Document) -> list[str]:
            assert keys == {}
            return []

        with pytest.raises(ConfigError) as caught:
            load(write(tmp_path, text), environ={}, also=also)
        (problem,) = caught.value.problems
        assert told in problem

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("source = 5", "[[source]]"),
            ('[source]\nid = "fb"\n', "[[source]]"),
            ("source = [1]", "expected a table"),
            ("agent = {}", "[[agent]]"),
            ("keys = 5", "expected a table"),
            ("shop = []", "expected a table"),
            ('[desk]\nagent = "jan"\n[[agent]]\nid = "jana"', 'did you mean "jana"?'),
            ("[deadlines]\ncomplaint_hours = nan", "found the number nan"),
            ("[deadlines]\nother_hours = inf", "found the number inf"),
            ("[deadlines]\nother_hours = true", "found true"),
            ('[assess]\nlearn = "yes"', 'expected true or false, found the text "yes"'),
            ("[desk]\npoll_seconds = 99999999999999999999999", "a whole number"),
            ('[deadlines]\nbusiness_hours = ""', "no day has any hours"),
            ("[deadlines]\nbusiness_hours = {}", "no day has any hours"),
            ('[deadlines]\nbusiness_hours = "17:00-9:00"', "ends before it begins"),
            ('[deadlines]\nbusiness_hours = "9:00-25:00"', "0:00 to 24:00"),
            ('[deadlines]\nbusiness_hours = "9:00-12:00, 11:00-17:00"', "overlaps"),
            ('[shop]\ntimezone = "../../etc/passwd"', "there is no time zone"),
            ('[shop]\ntimezone = ""', "there is no time zone"),
            ('[shop]\nlanguage = "cz-CZ"', 'two small letters such as "cs"'),
            ("[deadlines]\nholidays = [2026-12-24T00:00:00Z]", "found the moment"),
        ],
    )
    def test_one(self, tmp_path: Path, text: str, expected: str) -> None:
        (problem,) = problems(tmp_path, text)
        assert expected in problem
        assert problem.startswith("reviewdesk.toml:")

    def test_hostile_values_are_harmless_in_messages(self, tmp_path: Path) -> None:
        for problem in problems(tmp_path, '[shop]\nlanguage = "\\u001b]0;owned\\u0007\\n\\u202e' + "x" * 9000 + '"'):
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", problem)
            assert len(problem) < 300

    @given(
        st.dictionaries(
            st.sampled_from(["shop", "desk", "deadlines", "agent", "keys", "source", "other"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["id", "connector", "name", "database", "holidays", "business_hours", "x"]),
                        inner,
                        max_size=3,
                    )
                ),
                max_leaves=8,
            ),
        )
    )
    def test_any_document_is_a_config_or_tells_each_problem_with_a_line(
        self, tmp_path_factory: pytest.TempPathFactory, tables: dict[str, object]
    ) -> None:
        text = "".join(f"{name} = {toml(value)}\n" for name, value in tables.items())
        path = tmp_path_factory.getbasetemp() / f"document-{os.getpid()}.toml"
        path.write_text(text, encoding="utf-8")
        try:
            assert isinstance(load(path, environ={}), Config)
        except ConfigError as error:
            for problem in error.problems:
                assert re.match(rf"{path.name}:\d+: ", problem), problem


def toml(value: object) -> str:
    """Writes a value as TOML, on one line."""
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case str():
            return '"' + "".join(f"\\U{ord(char):08x}" for char in value if not 0xD800 <= ord(char) < 0xE000) + '"'
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{name} = {toml(each)}" for name, each in value.items()) + "}"
        case _:
            return repr(value)


class TestGood:
    def test_an_empty_file_has_the_defaults(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, ""), environ={})
        assert config.shop.timezone.key == "Europe/Prague"
        assert config.deadlines.business_hours.week == (((540, 1020),),) * 5 + ((), ())
        assert config.sources == ()
        assert config.warnings == ()

    def test_everything(self, tmp_path: Path) -> None:
        config = load(
            write(
                tmp_path,
                """
[shop]
name = "Krásné hrnce"
signature = "{agent} z {shop}"
[deadlines]
complaint_hours = 2
holidays = [2026-12-24, "2026-12-25"]
[deadlines.business_hours]
monday = "8:00-12:00, 13:00-17:30"
sunday = "0:00-24:00"
[[agent]]
id = "jana"
name = "Jana"
[keys]
reply = "R"
close = ["e", "ctrl+e"]
[[source]]
id = "fb"
connector = "facebook"
enabled = false
response_hours = 1.5
timezone = "Europe/Kyiv"
page_id = "1"
nested.key = [1]
""",
            ),
            environ={},
        )
        assert config.deadlines.complaint_hours == 2.0
        assert config.deadlines.holidays == (date(2026, 12, 24), date(2026, 12, 25))
        assert config.deadlines.business_hours.week[0] == ((480, 720), (780, 1050))
        assert config.deadlines.business_hours.week[6] == ((0, 1440),)
        assert config.deadlines.business_hours.week[1] == ()
        assert config.keys == {"reply": ("R",), "close": ("e", "ctrl+e")}
        assert config.agents[0].name == "Jana"
        source = config.source("fb")
        assert source.settings == {"page_id": "1", "nested": {"key": [1]}}
        assert (source.enabled, source.response_hours) == (False, 1.5)
        assert source.timezone == ZoneInfo("Europe/Kyiv")

    def test_a_source_that_is_not_there(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, SOURCE), environ={})
        with pytest.raises(ConfigError, match='Did you mean "fb"'):
            config.source("fbb")

    @given(st.lists(st.integers(0, 1440), min_size=2, max_size=8, unique=True).map(sorted))
    def test_hours_are_read_as_they_are_written(self, minutes: list[int]) -> None:
        spans = tuple(zip(minutes[::2], minutes[1::2], strict=False))
        text = ", ".join(f"{a // 60}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans)
        assert Opening.from_text(text).spans == spans

    @given(st.text(alphabet="0123456789:-, –x"))
    @example("9:00-17:00,")
    def test_hours_are_in_order_or_refused(self, text: str) -> None:
        try:
            flat = [minute for span in BusinessHours.from_text(text).week[0] for minute in span]
        except ValueError:
            return
        assert flat == sorted(flat)
        assert all(0 <= minute <= 1440 for minute in flat)


class TestSettings:
    def test_typed(self, tmp_path: Path) -> None:
        table = """\
page_id = "1"
token = "env:T"
file = "reviews.xml"
timezone = "Europe/Kyiv"
columns = [{name = "a"}]
fields.text = "body"
fields.id.name = "number"
"""
        config = load(write(tmp_path, SOURCE + table), environ={})
        settings = check_settings(config.sources[0], FakeSettings)
        assert settings.token == Secret("env:T")
        assert settings.file == tmp_path / "reviews.xml"
        assert settings.timezone == ZoneInfo("Europe/Kyiv")
        assert settings.columns == (Column(name="a"),)
        assert settings.fields == {"text": "body", "id": Column(name="number")}
        assert config.warnings == ()

    def test_all_at_once(self, tmp_path: Path) -> None:
        table = """\
page_idd = "x"
token = 123456789
kind = "shp"
pages = ["a", "b", "c"]
days = 31
[[source.columns]]
name = 5
[[source.columns]]
nam = "a"
[source.fields]
text = 5
id = {name = "a", pth = "b"}
"""
        told = settings_problems(tmp_path, table)
        expected = [
            (4, '[[source]] "fb", key "page_idd": unknown key; did you mean "page_id"?'),
            (5, '[[source]] "fb", key "token": expected a reference to a secret ("env:NAME"'),
            (6, '[[source]] "fb", key "kind": expected one of "product", "shop", found the text "shp"'),
            (
                7,
                '[[source]] "fb", key "pages": expected a list of at most 2 items, each item a text, found a list',
            ),
            (8, '[[source]] "fb", key "days": expected a whole number from 1 to 30, found the number 31'),
            (10, '[[source]] "fb", key "columns", item 1, key "name": expected a text, found the number 5'),
            (12, '[[source]] "fb", key "columns", item 2, key "nam": unknown key; did you mean "name"?'),
            (14, '[[source]] "fb", key "fields.text": expected a text or a table, found the number 5'),
            (15, '[[source]] "fb", key "fields.id.pth": unknown key; did you mean "path"?'),
        ]
        assert len(told) == len(expected)
        for problem, (line, words) in zip(told, expected, strict=True):
            assert problem.startswith(f"reviewdesk.toml:{line}: {words}"), problem
        assert "123456789" not in "".join(told)

    def test_what_the_type_itself_refuses(self, tmp_path: Path) -> None:
        (problem,) = settings_problems(tmp_path, 'page_id = "1"\nkind = "product"\n')
        assert problem == 'reviewdesk.toml:1: [[source]] "fb": products need columns'

    def test_missing_key(self, tmp_path: Path) -> None:
        assert settings_problems(tmp_path, "") == (
            'reviewdesk.toml:1: [[source]] "fb": key "page_id" is missing; it needs a text',
        )

    def test_a_secret_left_out_is_looked_for_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = SourceConfig(id="fb-cz", connector="facebook", settings={"page_id": "1"})
        token = check_settings(source, FakeSettings).token
        with pytest.raises(MissingSecret, match=r"fb-cz.*token.*REVIEWDESK_FB_CZ_TOKEN"):
            token.reveal()
        monkeypatch.setenv("REVIEWDESK_FB_CZ_TOKEN", "value-of-it")
        assert token.reveal() == "value-of-it"

    def test_a_secret_file_lies_beside_the_configuration_wherever_one_works(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "fb.key").write_text("value-in-file")
        (tmp_path / "fb.key").chmod(0o600)
        config = load(write(tmp_path, SOURCE + 'page_id = "1"\ntoken = "file:fb.key"\n'), environ={})
        monkeypatch.chdir("/")
        assert check_settings(config.sources[0], FakeSettings).token.reveal() == "value-in-file"

    def test_a_folder_of_nobody_is_a_file_that_is_missing(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, SOURCE + 'page_id = "1"\ntoken = "file:~no-such-user/key"\n'), environ={})
        with pytest.raises(MissingSecret, match="~no-such-user/key"):
            check_settings(config.sources[0], FakeSettings).token.reveal()

    def test_a_secret_in_clear_works_and_is_warned_about_once(self, tmp_path: Path) -> None:
        config = load(write(tmp_path, SOURCE + 'page_id = "1"\ntoken = "EAAB-in-clear"\n'), environ={})
        for _ in range(2):
            assert check_settings(config.sources[0], FakeSettings).token.reveal() == "EAAB-in-clear"
        (warning,) = config.warnings
        assert warning.startswith('reviewdesk.toml:5: [[source]] "fb", key "token": ')
        assert "env:NAME" in warning
        assert "EAAB" not in warning + repr(config)

    @pytest.mark.parametrize("reference", ["", "  ", "env:", "keyring: "])
    def test_a_reference_to_nowhere(self, tmp_path: Path, reference: str) -> None:
        (problem,) = settings_problems(tmp_path, f'page_id = "1"\ntoken = "{reference}"\n')
        assert "env:NAME" in problem


class TestDocument:
    TEXT = 'a = 1\n\n# b = 2\nb = [\n  1,\n  2,\n]\n[c]\nd.e = """\nx = 1\n"""\n[[f]]\n[[f]]\ng = 1\n'

    @pytest.mark.parametrize(
        ("where", "line"),
        [
            (("a",), 1),
            (("b",), 4),
            (("b", 1), 4),
            (("c",), 8),
            (("c", "d", "e"), 9),
            (("c", "absent"), 8),
            (("f", 0), 12),
            (("f", 1), 13),
            (("f", 1, "g"), 14),
            (("f", 7), 12),
            (("absent",), 0),
            ((), 0),
            (("a", "b"), 1),
        ],
    )
    def test_lines(self, where: tuple[str | int, ...], line: int) -> None:
        assert Document("x", text=self.TEXT).line(where) == line

    @given(st.lists(st.sampled_from(["", "# c", "multi = [\n 1,\n]", 's = """\n=\n"""']), max_size=12), st.data())
    def test_the_line_is_where_the_key_is_written(self, parts: list[str], data: st.DataObject) -> None:
        tables = [f"[t{index}]\n{part}" for index, part in enumerate(parts)]
        place = data.draw(st.integers(0, len(tables)))
        text = "\n".join([*tables[:place], "[wanted]\nkey = [\n1]", *tables[place:]])
        lines = text.split("\n")
        assert Document("x", text=text).line(("wanted", "key")) == lines.index("key = [") + 1


def test_suggestion_names_all_where_none_is_near() -> None:
    assert suggestion("zzz", ["a", "b"]) == "there are: a, b"
    assert suggestion("zzz", []) == "there are none"
    assert suggestion("Page_ID", ["page_id"]) == 'did you mean "page_id"?'


def test_loading_pulls_in_little() -> None:
    code = "import sys, reviewdesk.config; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"platformdirs", "difflib", "html.parser", "importlib.metadata", "asyncio"} & set(loaded)
