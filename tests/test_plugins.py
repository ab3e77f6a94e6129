from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from reviewdesk import plugins
from reviewdesk.config import SourceConfig
from reviewdesk.connector import Connector
from reviewdesk.desk.survey import survey
from reviewdesk.errors import ConfigError, PluginError

GOOD = """
from reviewdesk.connector import Batch, Connector, Secret, Settings

class GoodSettings(Settings, frozen=True, kw_only=True):
    shop: str
    token: Secret

class Good(Connector[GoodSettings]):
    platform = "good"
    settings = GoodSettings

    async def poll(self, cursor):
        yield Batch()
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Gives what installs a package with one plugin: `install("acme", code, target="acme:Good")`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(
        package: str, code: str, *, name: str = "", target: str = "", group: str = plugins.CONNECTORS, dist: str = ""
    ) -> None:
        (tmp_path / f"{package}.py").write_text(dedent(code), encoding="utf-8")
        dist = dist or f"reviewdesk-{package}"
        info = tmp_path / f"{dist.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name or package} = {target or package + ':Good'}\n")
        monkeypatch.delitem(sys.modules, package, raising=False)

    return install


def fault_of(name: str) -> str:
    with pytest.raises(PluginError) as caught:
        plugins.load_connector(name)
    return str(caught.value)


def test_bundled_connectors_are_listed_like_any_other(install: Install) -> None:
    install("acme", GOOD)
    listed = {plugin.name: plugin for plugin in plugins.connectors()}
    assert {"acme", "facebook", "feed", "heureka", "reddit"} <= set(listed)
    assert (listed["acme"].distribution, listed["acme"].version) == ("reviewdesk-acme", "1.2")
    assert listed["heureka"].distribution == "reviewdesk"
    assert listed["acme"].target == "acme:Good"


def test_listing_imports_no_plugin_and_no_http() -> None:
    code = "import sys, reviewdesk.plugins as p; p.connectors(); p.emulators(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"reviewdesk.connector", "reviewdesk_connectors", "httpx", "praw", "stamina"} & set(loaded)


def test_a_good_one_loads(install: Install) -> None:
    install("acme", GOOD)
    assert issubclass(plugins.load_connector("acme"), Connector)


def test_an_unknown_name_is_told_with_what_was_meant(install: Install) -> None:
    install("acme", GOOD)
    assert 'Did you mean "acme"?' in fault_of("acmee")


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [("", set()), ("acme", {"acme"}), (" acme , nobody", {"acme"}), ("nobody", set())],
)
def test_environment_leaves_only_the_named(
    install: Install, monkeypatch: pytest.MonkeyPatch, allowed: str, expected: set[str]
) -> None:
    install("acme", GOOD)
    assert {plugin.name for plugin in plugins.connectors(environ={"REVIEWDESK_PLUGINS": allowed})} == expected
    monkeypatch.setenv("REVIEWDESK_PLUGINS", allowed)
    assert {each.plugin.name for each in asyncio.run(survey())} == expected


def test_two_packages_with_one_name(install: Install) -> None:
    install("acme", GOOD)
    install("acme2", GOOD, name="acme")
    fault = fault_of("acme")
    assert "reviewdesk-acme 1.2" in fault
    assert "reviewdesk-acme2 1.2" in fault


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f():\n    return 1 / 0\nf()", "ZeroDivisionError: division by zero"),
        ("import json\njson.loads('nonsense')", "JSONDecodeError"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("class Stop(BaseException): ...\nraise Stop", "Stop"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("def broken(:", "SyntaxError"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("Other = 1", "has no attribute 'Good'"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "E"),
        ("raise ValueError('a\\n\\x1b]0;owned\\x07b')", "b"),
        ("raise ValueError('x' * 100_000)", "xxx…"),
        ("def f(): return f()\nf()", "RecursionError"),
    ],
)
def test_whatever_happens_on_import_is_a_plugin_error(install: Install, code: str, expected: str) -> None:
    install("acme", code)
    fault = fault_of("acme")
    assert fault.startswith('The plugin "acme" of reviewdesk-acme 1.2 cannot be loaded: ')
    assert expected in fault
    assert "\x1b" not in fault
    assert "\n" not in fault
    assert len(fault) < 700


def test_the_fault_names_the_plugins_own_line(install: Install) -> None:
    install("acme", "import json\n\ndef read():\n    json.loads('nonsense')\n\nread()\n")
    assert "acme.py, line 4)" in fault_of("acme")


def test_a_keyboard_interrupt_is_the_users(install: Install) -> None:
    install("acme", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        plugins.load_connector("acme")


def test_what_a_plugin_prints_or_does_to_the_path_stays_out(
    install: Install, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    install("acme", "import sys\nprint('hello')\nsys.path.insert(0, '/nowhere')\n" + GOOD)
    plugins.load_connector("acme")
    assert capsys.readouterr().out == ""
    assert "/nowhere" not in sys.path
    assert "hello" in caplog.text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("class Good: ...", "no subclass"),
        ("Good = 5", "no subclass"),
        ("Good.platform = 'Good'", "lower case"),
        ("del Good.platform", "lower case"),
        ("Good.settings = dict", "`settings`"),
        ("del Good.settings", "`settings`"),
        ("class S(Settings):\n    x: 'Nothing'\nGood.settings = S", "cannot be told"),
        ("Good.sdk = 2", "version 2 of the SDK"),
        ("Good.sdk = 'one'", "version 'one' of the SDK"),
        ("Good.poll = Connector.poll", "`poll` is missing"),
        ("Good.tier = 'diamond'", "`tier`"),
        ("async def poll(self, cursor): return []\nGood.poll = poll", "coroutine"),
        ("Good.capabilities = {'reply': True}", "`capabilities`"),
        ("Good.capabilities = Capabilities(reply=ReplyMode.API)", "promise `reply`"),
        ("Good.capabilities = Capabilities(hide=True, like=True)", "promise `hide`"),
        ("Good.capabilities = Capabilities(import_file=True)", "promise `import_file`"),
    ],
)
def test_each_breach_of_the_contract_is_told(install: Install, change: str, expected: str) -> None:
    install("acme", GOOD + "\nfrom reviewdesk.connector import Capabilities, ReplyMode\n" + change)
    fault = fault_of("acme")
    assert "does not keep the contract" in fault
    assert expected in fault


def test_handing_off_promises_no_method(install: Install) -> None:
    install(
        "acme",
        GOOD + "\nfrom reviewdesk.connector import Capabilities, ReplyMode\n"
        "Good.capabilities = Capabilities(reply=ReplyMode.HAND_OFF)",
    )
    plugins.load_connector("acme")


def test_survey_goes_on_after_a_broken_one(install: Install) -> None:
    install("aaa", "raise SystemExit(3)")
    install("acme", GOOD)
    install("zzz", "def broken(:")
    faults = {each.plugin.name: each.fault for each in asyncio.run(survey())}
    assert isinstance(faults["aaa"], PluginError)
    assert faults["acme"] is None
    assert isinstance(faults["zzz"], PluginError)


def test_emulators_keep_their_contract(install: Install) -> None:
    install(
        "acme",
        """
        from reviewdesk.sandbox import Emulator

        class Good(Emulator):
            platform = "good"
        """,
        group=plugins.EMULATORS,
    )
    install("other", "Good = 5", group=plugins.EMULATORS)
    assert plugins.load_emulator("acme").__name__ == "Good"
    with pytest.raises(PluginError, match="Emulator"):
        plugins.load_emulator("other")
    with pytest.raises(PluginError, match='Did you mean "acme"'):
        plugins.load_emulator("acne")


class TestSource:
    def test_connector_and_settings(self, install: Install) -> None:
        install("acme", GOOD)
        source = SourceConfig(id="a", connector="acme", settings={"shop": "hrnce"})
        connector, settings = plugins.load_source(source)
        assert isinstance(settings, connector.settings)
        assert settings.token.where == "env:REVIEWDESK_A_TOKEN"  # type: ignore[attr-defined]

    def test_an_unknown_connector_is_a_mistake_in_the_configuration(self, install: Install) -> None:
        install("acme", GOOD)
        with pytest.raises(ConfigError) as caught:
            plugins.load_source(SourceConfig(id="a", connector="facebok"))
        (problem,) = caught.value.problems
        assert problem.endswith('key "connector": no connector is named "facebok"; did you mean "facebook"?')

    def test_mistakes_in_settings(self, install: Install) -> None:
        install("acme", GOOD)
        with pytest.raises(ConfigError, match='did you mean "shop"'):
            plugins.load_source(SourceConfig(id="a", connector="acme", settings={"shp": "x"}))


class TestSingleFile:
    """A file in the folder `plugins` beside the configuration."""

    @pytest.fixture
    def drop(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
        folder = tmp_path / "desk"
        (folder / "plugins").mkdir(parents=True, mode=0o700)
        (folder / "reviewdesk.toml").write_text("")
        monkeypatch.setenv("REVIEWDESK_CONFIG", str(folder / "reviewdesk.toml"))

        def drop(name: str, code: str) -> Path:
            path = folder / "plugins" / name
            path.write_text(dedent(code), encoding="utf-8")
            path.chmod(0o600)
            return path

        return drop

    def test_is_listed_without_being_run_and_loaded_like_any_other(self, drop: Callable[[str, str], Path]) -> None:
        drop("cornershop.py", GOOD + "\nprint('running')\n")
        listed = {plugin.name: plugin for plugin in plugins.connectors()}
        assert listed["cornershop"].distribution == "plugins/cornershop.py"
        assert not [name for name in sys.modules if "cornershop" in name]
        connector = plugins.load_connector("cornershop")
        assert connector.__name__ == "Good"
        assert plugins.load_connector("cornershop") is connector

    def test_brings_its_emulator_along(self, drop: Callable[[str, str], Path]) -> None:
        emulator = "from reviewdesk import sandbox\n\nclass Play(sandbox.Emulator):\n    platform = 'good'\n"
        drop("withplay.py", GOOD + emulator)
        assert plugins.load_emulator("withplay").__name__ == "Play"
        assert plugins.load_connector("withplay").__name__ == "Good"

    @pytest.mark.parametrize(("name", "code"), [("_helper.py", GOOD), ("tables.py", "x = 1"), ("notes.txt", GOOD)])
    def test_other_files_are_no_plugins(self, drop: Callable[[str, str], Path], name: str, code: str) -> None:
        drop(name, code)
        assert not [plugin for plugin in plugins.connectors() if plugin.file]

    @pytest.mark.parametrize(
        ("code", "fault"), [("def broken(:", "SyntaxError"), (GOOD + "\n1 / 0", "line 15)"), ("\0", "null bytes")]
    )
    def test_a_broken_one_is_named_with_its_line(self, drop: Callable[[str, str], Path], code: str, fault: str) -> None:
        drop("broken.py", code)
        drop("fine.py", GOOD)
        faults = {each.plugin.name: each.fault for each in asyncio.run(survey())}
        assert 'The plugin "broken" of plugins/broken.py cannot be loaded' in str(faults["broken"])
        assert fault in str(faults["broken"])
        assert faults["fine"] is None

    def test_is_sought_beside_the_configuration_that_is_named(
        self, drop: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = drop("cornershop.py", GOOD).parent.with_name("reviewdesk.toml")
        monkeypatch.delenv("REVIEWDESK_CONFIG")
        assert "cornershop" not in {plugin.name for plugin in plugins.connectors()}
        plugins.look_beside(there)
        try:
            assert "cornershop" in {plugin.name for plugin in plugins.connectors()}
        finally:
            plugins.look_beside(None)
