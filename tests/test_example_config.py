"""The example that the project ships: it loads, its sources fit their connectors, and it speaks to the sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reviewdesk.config import Config, load
from reviewdesk.plugins import emulators, load_emulator, load_source
from reviewdesk.sandbox.runner import FIRST_PORT

EXAMPLE = Path(__file__).parent.parent / "reviewdesk.toml"
BUNDLED = ("facebook", "feed", "heureka", "reddit")


@pytest.fixture
def config() -> Config:
    return load(EXAMPLE, environ={})


def test_every_bundled_connector_is_shown(config: Config) -> None:
    assert {source.connector for source in config.sources} == set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_settings_fit_the_connector(config: Config, name: str) -> None:
    (source,) = [source for source in config.sources if source.connector == name]
    connector, settings = load_source(source)
    assert connector.platform == name
    assert isinstance(settings, connector.settings)
    assert config.warnings == ()


@pytest.mark.parametrize("name", BUNDLED)
def test_it_says_what_the_emulator_says_of_itself(config: Config, name: str) -> None:
    """`reviewdesk sandbox` serves the emulators in the order of their names."""
    port = FIRST_PORT + sorted(BUNDLED).index(name)
    (source,) = [source for source in config.sources if source.connector == name]
    theirs = load_emulator(name)().source(f"http://127.0.0.1:{port}")
    del theirs["connector"]
    for tuned in ("rebuild_seconds", "recheck_minutes"):
        theirs.pop(tuned, None)
    assert theirs.items() <= source.settings.items()


def test_its_variables_are_those_that_the_sandbox_prints() -> None:
    referred = set(re.findall(r'^[^#\n]*"env:(\w+)"', EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    printed = {variable for plugin in emulators() for variable in load_emulator(plugin.name)().secrets()}
    assert referred == printed


@pytest.mark.parametrize("name", ["facebook", "heureka", "reddit"])
def test_the_commented_lines_for_the_real_platforms_fit_too(tmp_path: Path, name: str) -> None:
    """Takes what a reader would have after following the comments of a source."""
    text = EXAMPLE.read_text(encoding="utf-8")
    (block,) = [block for block in text.split("[[source]]") if f'\nconnector = "{name}"\n' in block]
    _, real = re.split(r"\n# The real [^\n]*\n", block)
    lines = [line.removeprefix("# ") for line in real.splitlines() if line.startswith("# ")]
    path = tmp_path / "reviewdesk.toml"
    path.write_text(f'[[source]]\nid = "real"\nconnector = "{name}"\n' + "\n".join(lines), encoding="utf-8")
    (source,) = load(path, environ={}).sources
    load_source(source)


def test_the_agents_that_are_commented_out_fit_too(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    agents = text[text.index("# [[agent]]") : text.index("# Other keys")]
    path = tmp_path / "reviewdesk.toml"
    path.write_text(agents.replace("\n# ", "\n").removeprefix("# ").replace("\n#\n", "\n"), encoding="utf-8")
    assert [agent.id for agent in load(path, environ={}).agents] == ["jana", "petr"]
