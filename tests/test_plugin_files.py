"""Single files in a folder `plugins/` beside the configuration."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewdesk import plugins
from reviewdesk.config import SourceConfig, load
from reviewdesk.connector import Connector
from reviewdesk.desk.survey import survey
from reviewdesk.errors import PluginError
from tests.desk.plugins import GOOD, configuration, plugin

EMULATOR = """
from reviewdesk.sandbox import Emulator

class AcmeEmulator(Emulator):
    platform = "acme"
"""


def fault_of(name: str, folder: Path) -> str:
    with pytest.raises(PluginError) as caught:
        plugins.load_connector(name, folder)
    return str(caught.value)


def names(folder: Path | None) -> set[str]:
    return {each.name for each in plugins.connectors(folder) if each.foreign}


def test_a_file_is_a_connector_by_its_name(tmp_path: Path) -> None:
    plugin(tmp_path, "acme-shop")
    (listed,) = [each for each in plugins.connectors(tmp_path) if each.foreign]
    assert (listed.name, str(listed)) == ("acme-shop", '"acme-shop" of plugins/acme-shop.py')
    loaded = plugins.load_connector("acme-shop", tmp_path)
    assert issubclass(loaded, Connector)
    assert plugins.load_connector("acme-shop", tmp_path) is loaded, "it is executed once"
    assert loaded.__module__ not in ("acme-shop", "acme_shop")
    assert not list((tmp_path / "plugins").glob("__pycache__"))


def test_listing_executes_nothing(tmp_path: Path) -> None:
    plugin(tmp_path, "acme", "raise SystemExit(3)\nclass A(Connector): ...\nclass B(sandbox.Emulator): ...")
    assert names(tmp_path) == {"acme"}
    assert "acme" in {each.name for each in plugins.emulators(tmp_path)}


def test_without_a_configuration_no_folder_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, "acme")
    monkeypatch.chdir(tmp_path)
    assert names(None) == set()
    with pytest.raises(Exception, match="has no connector"):
        plugins.load_source(SourceConfig(id="a", connector="acme"))
    configuration(tmp_path, "acme")
    assert names(None) == {"acme"}


def test_a_changed_file_is_another_plugin(tmp_path: Path) -> None:
    plugin(tmp_path, "acme")
    first = plugins.load_connector("acme", tmp_path)
    plugin(tmp_path, "acme", GOOD.replace('"Acme"', '"New"'))
    assert (first.title, plugins.load_connector("acme", tmp_path).title) == ("Acme", "New")


def test_its_settings_are_checked_with_lines(tmp_path: Path) -> None:
    plugin(tmp_path, "acme")
    path = configuration(tmp_path, "acme")
    path.write_text(path.read_text() + "shp = 1\n")
    with pytest.raises(Exception, match='did you mean "shop"'):
        plugins.load_source(load(path).source("acme"))


@pytest.mark.parametrize("name", ["_shared", ".hidden"])
def test_what_is_no_plugin(name: str, tmp_path: Path) -> None:
    plugin(tmp_path, name, "1 / 0")
    plugin(tmp_path, "tables", "x = 1")
    (tmp_path / "plugins" / "notes.txt").write_text("hello")
    (tmp_path / "plugins" / "package").mkdir()
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1 / 0\n" + GOOD, "ZeroDivisionError: division by zero (plugins/acme.py, line 1)"),
        ("\n\nimport json\ndef f():\n    json.loads('x')\nf()\n" + GOOD, "(plugins/acme.py, line 5)"),
        ("def broken(:", "SyntaxError"),
        ("import sys\nsys.exit(3)\n" + GOOD, "SystemExit: 3"),
        (
            "class Connector: ...\nclass A(Connector): ...",
            "one file brings one subclass of reviewdesk.connector.Connector, and it holds none",
        ),
        (GOOD + "\nclass Other(Connector): ...", "it holds several: Acme, Other"),
        ("\0", "null bytes"),
        ("# coding: nonsense\nx = 1", "unknown encoding"),
    ],
)
def test_faults_are_told_like_those_of_packages(code: str, expected: str, tmp_path: Path) -> None:
    plugin(tmp_path, "acme", code)
    fault = fault_of("acme", tmp_path)
    assert fault.startswith('The plugin "acme" of plugins/acme.py ')
    assert expected in fault


def test_half_a_module_is_no_module(tmp_path: Path) -> None:
    plugin(tmp_path, "halfway", GOOD + "\n1 / 0")
    for _ in range(2):
        assert "ZeroDivisionError" in fault_of("halfway", tmp_path)
    assert not [name for name in sys.modules if "halfway" in name]


def test_a_base_class_in_the_file_does_not_count(tmp_path: Path) -> None:
    plugin(tmp_path, "acme", GOOD + "\nclass Better(Acme):\n    title = 'Better'\n")
    assert plugins.load_connector("acme", tmp_path).title == "Better"


def test_a_name_that_a_package_has_is_a_clash(tmp_path: Path) -> None:
    plugin(tmp_path, "heureka")
    fault = fault_of("heureka", tmp_path)
    assert '"heureka" of plugins/heureka.py' in fault
    assert '"heureka" of reviewdesk' in fault
    assert "Keep one of them." in fault
    assert "feed" in {each.plugin.name for each in asyncio.run(survey(tmp_path)) if not each.fault}


def test_emulators_come_from_the_same_file(tmp_path: Path) -> None:
    plugin(tmp_path, "acme", GOOD + EMULATOR)
    plugin(tmp_path, "plain", GOOD + "\n# no reviewdesk.sandbox here\n")
    found = {each.name for each in plugins.emulators(tmp_path)}
    assert "acme" in found
    assert "plain" not in found
    assert plugins.load_emulator("acme", tmp_path).__name__ == "AcmeEmulator"
    assert plugins.load_connector("acme", tmp_path).__name__ == "Acme"


def test_only_those_that_the_environment_names(tmp_path: Path) -> None:
    plugin(tmp_path, "acme")
    plugin(tmp_path, "other")
    listed = plugins.connectors(tmp_path, environ={"REVIEWDESK_PLUGINS": "acme"})
    assert [each.name for each in listed] == ["acme"]


def _folder_of_all(file: Path) -> None:
    file.parent.chmod(0o777)


def _folder_of_the_group(file: Path) -> None:
    file.parent.chmod(0o770)


def _file_of_all(file: Path) -> None:
    file.chmod(0o666)


def _link_to_a_file_of_all(file: Path) -> None:
    target = file.parent.parent / "elsewhere.py"
    file.rename(target)
    target.chmod(0o602)
    file.symlink_to(target)


def _link_to_nowhere(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere.py")


def _circle(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir(mode=0o700)


def _large(file: Path) -> None:
    with file.open("ab") as plugin:
        plugin.truncate(6 << 20)


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_folder_of_all, "plugins can be written to by others, who could run code as you. Run: chmod go-w"),
        (_folder_of_the_group, "can be written to by others"),
        (_file_of_all, "it can be written to by others, who could run code as you. Run: chmod go-w"),
        (_link_to_a_file_of_all, "it can be written to by others"),
        (_link_to_nowhere, "it cannot be read (No such file or directory)"),
        (_circle, "it cannot be read (Too many levels of symbolic links)"),
        (_pipe, "it is no regular file"),
        (_folder, "it cannot be read (Is a directory)"),
        (_large, "it is larger than 5 MB"),
    ],
)
def test_what_is_not_executed(spoil: Callable[[Path], None], expected: str, tmp_path: Path) -> None:
    spoil(plugin(tmp_path, "acme", f"open({str(tmp_path / 'ran')!r}, 'w')\n" + GOOD))
    assert names(tmp_path) == {"acme"}
    fault = fault_of("acme", tmp_path)
    assert fault.startswith('The plugin "acme" of plugins/acme.py was not read: ')
    assert expected in fault
    (surveyed,) = [each for each in asyncio.run(survey(tmp_path)) if each.plugin.foreign]
    assert expected in str(surveyed.fault)
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only the superuser can give files away")
def test_another_users_file_and_folder(tmp_path: Path) -> None:
    file = plugin(tmp_path, "acme")
    os.chown(file, 12345, 12345)
    assert "it belongs to another user" in fault_of("acme", tmp_path)
    os.chown(file, 0, 0)
    os.chown(file.parent, 12345, 12345)
    assert "plugins belongs to another user" in fault_of("acme", tmp_path)


@pytest.mark.parametrize("name", ["a b", "x" * 41, "č", "a\nb"])
def test_a_name_that_no_source_could_write(name: str, tmp_path: Path) -> None:
    plugin(tmp_path, name)
    fault = fault_of(name, tmp_path)
    assert "its name is to be" in fault
    assert "\n" not in fault


def test_a_link_to_ones_own_file_works(tmp_path: Path) -> None:
    file = plugin(tmp_path, "acme")
    target = file.rename(tmp_path / "acme_dev.py")
    file.symlink_to(target)
    assert plugins.load_connector("acme", tmp_path).title == "Acme"


def test_a_plugins_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "plugins").write_text("")
    assert names(tmp_path) == set()
