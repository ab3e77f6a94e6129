"""The package to begin with: every shape of it is a connector that keeps the rules."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click import UsageError
from click.testing import CliRunner, Result

from reviewdesk.cli import cli
from reviewdesk.errors import NotAllowed, StoreError
from reviewdesk.testing import examine
from reviewdesk.testing.begin import Plan, begin
from reviewdesk.testing.rules import Tier

# The one of JSON, bearer, links and replies is tried where it is installed, in tests/flows/test_third_party_package.py.
SHAPES = [
    ("json", "header", "cursor", False),
    ("json", "none", "page", True),
    ("xml", "none", "none", False),
    ("xml", "basic", "page", True),
    ("xml", "bearer", "link", False),
]
EVERY = list(
    itertools.product(
        ("json", "xml"), ("none", "bearer", "header", "basic"), ("none", "link", "cursor", "page"), (0, 1)
    )
)


def plan(name: str, data: Any, login: Any, paging: Any, reply: Any) -> Plan:
    return Plan(name=name, data=data, login=login, paging=paging, reply=bool(reply))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))
def test_it_earns_platinum_as_it_stands(
    shape: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "_".join(map(str, shape)).lower()
    made = plan(name, *shape)
    begin(made, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / made.distribution))
    title = "".join(part.capitalize() for part in name.split("_"))
    connector = getattr(importlib.import_module(f"{made.package}.connector"), title)
    emulator = getattr(importlib.import_module(f"{made.package}.emulator"), f"{title}Emulator")
    report = examine(connector, emulator, items=1000)
    assert report.tier is Tier.PLATINUM, [str(verdict) for verdict in report.missing]


@pytest.mark.parametrize("shape", EVERY, ids=lambda shape: "-".join(map(str, shape)))
def test_every_shape_is_whole(shape: tuple[Any, ...], tmp_path: Path) -> None:
    for path in begin(plan("shop", *shape), tmp_path):
        text = path.read_text(encoding="utf-8")
        assert "{{" not in text.replace("${{", "")
        assert "{%" not in text
        assert all(line == line.rstrip() for line in text.splitlines())
        if path.suffix == ".py":
            assert max(map(len, text.splitlines()), default=0) <= 120
            ast.parse(text)
        if path.suffix == ".toml":
            assert tomllib.loads(text)["project"]["entry-points"]["reviewdesk.connectors"].keys() == {"shop"}


@pytest.mark.parametrize(
    "name", ["", "Shop", "my-shop", "9shop", "shop/..", "šop", "a" * 40, "shop\n", "shop_", "a__b", "none", "batch"]
)
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="is no name"):
        begin(plan(name, "json", "none", "none", False), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_none_is_refused_before_anything_is_asked() -> None:
    result = run("new", "my-shop")
    assert isinstance(result.exception, NotAllowed)
    assert result.output == ""


def test_nothing_is_written_over(tmp_path: Path) -> None:
    begin(plan("shop", "json", "none", "none", False), tmp_path)
    before = (tmp_path / "reviewdesk-shop" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(StoreError, match="is there already"):
        begin(plan("shop", "xml", "none", "none", False), tmp_path)
    assert (tmp_path / "reviewdesk-shop" / "README.md").read_text(encoding="utf-8") == before


def run(*args: str, input: str = "") -> Result:
    return CliRunner().invoke(cli, ["connector", *args], input=input, standalone_mode=False)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Gives the name of a new connector that is found as an installed one is."""
    result = run("new", "corner_shop", "--into", str(tmp_path), input="json\nnone\nlink\nn\n")
    assert result.exception is None, result.output
    folder = tmp_path / "reviewdesk-corner-shop"
    info = folder / "reviewdesk_corner_shop-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reviewdesk-corner-shop\nVersion: 0.1.0\n")
    points = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in each.items())
             for group, each in points.items()]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(folder))
    for module in [name for name in sys.modules if name.startswith("reviewdesk_corner_shop")]:
        monkeypatch.delitem(sys.modules, module)
    return "corner_shop"


def test_new_asks_and_what_it_writes_is_listed_and_tested(installed: str) -> None:
    assert installed in [plugin.split()[0] for plugin in CliRunner().invoke(cli, ["connectors"]).output.splitlines()]
    result = run("test", installed, "--items", "2000")
    assert result.return_value == 0, result.output
    assert "BRONZE: reads right" in result.output
    assert "kept      reads-what-is-written" in result.output
    assert result.output.rstrip().endswith("corner_shop: platinum")


def test_test_tells_what_is_missing_for_the_next_tier(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = importlib.import_module("reviewdesk_corner_shop.connector").CornerShop
    mention_of = importlib.import_module("reviewdesk_corner_shop.payloads").mentions_of
    monkeypatch.setattr(
        "reviewdesk_corner_shop.connector.mentions_of",
        lambda item: [each for each in mention_of(item) if len(each.text) < 5000],
    )
    monkeypatch.setattr(connector, "exempt", {"memory-bounded": "Nobody waits for it here."}, raising=False)
    result = run("test", installed)
    assert result.return_value == 5
    assert "corner_shop: bronze" in result.output
    assert "It says of itself that it has earned platinum, which is more than it keeps." in result.output
    assert "Missing for silver:" in result.output
    assert "long-texts (silver): A text of 10,000 characters arrives whole." in result.output
    assert "exempt    memory-bounded  (Nobody waits for it here.)" in result.output


@pytest.mark.parametrize("items", ["0", "-1"])
def test_no_items_are_no_test(installed: str, items: str) -> None:
    assert isinstance(run("test", installed, "--items", items).exception, UsageError)


def test_test_tries_one_rule(installed: str) -> None:
    assert run("test", installed, "--rule", "long-texts").output == "kept  long-texts\n"
    told = json.loads(run("test", installed, "--rule", "long-texts", "--json").output)
    assert told == {"rule": "long-texts", "tier": "silver", "outcome": "kept", "said": ""}
    result = run("test", installed, "--rule", "long-text")
    assert isinstance(result.exception, NotAllowed)
    assert "long-texts" in str(result.exception)
