"""Writes a package to begin a connector with: plugin, payload types, emulator, tests, README, and a workflow."""

from __future__ import annotations

import re
from importlib.resources import files
from keyword import kwlist
from pathlib import Path
from typing import Literal

import jinja2

from reviewdesk import connector
from reviewdesk.errors import NotAllowed, StoreError
from reviewdesk.model import Record

NAME = re.compile(r"(?=.{2,31}\Z)[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".github/workflows/test.yml": "workflow.yml",
    "{package}/connector.py": "connector.py",
    "{package}/payloads.py": "payloads.py",
    "{package}/emulator.py": "emulator.py",
    "tests/test_{name}.py": "test_conformance.py",
}


class Plan(Record, frozen=True, kw_only=True):
    """What a new connector is like.

    Attributes:
        name: the platform's id, as in `connector = "…"`.
        data: what the platform answers in.
        login: how it wants to be shown who asks.
        paging: how its lists go on.
        reply: whether it takes replies.
    """

    name: str
    data: Literal["json", "xml"] = "json"
    login: Literal["none", "bearer", "header", "basic"] = "bearer"
    paging: Literal["none", "link", "cursor", "page"] = "link"
    reply: bool = False

    @property
    def package(self) -> str:
        """The name of the package to import."""
        return f"reviewdesk_{self.name}"

    @property
    def class_name(self) -> str:
        """The name of the connector's class."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def distribution(self) -> str:
        """The name of the package to install."""
        return self.package.replace("_", "-")


def check_name(name: str) -> str:
    """Gives the name of a platform back.

    Raises:
        NotAllowed: it is none.
    """
    if not NAME.fullmatch(name):
        raise NotAllowed(
            f"{name!r} is no name for a platform.",
            hint="Take small letters and digits in words joined by underscores, a letter first: mycrawler.",
        )
    if (made := Plan(name=name).class_name) in (*kwlist, *connector.__all__):
        raise NotAllowed(f"{name!r} is no name for a platform: {made} means something else.", hint="Take another.")
    return name


def begin(plan: Plan, into: Path) -> list[Path]:
    """Writes the package into a folder of its own, `into / plan.distribution`, and gives its files.

    Raises:
        NotAllowed: the name is none for a platform.
        StoreError: the folder is there already.
    """
    check_name(plan.name)
    folder = into / plan.distribution
    if folder.exists():
        raise StoreError(f"{folder} is there already.", hint="Choose another name, or another folder with --into.")
    environment = jinja2.Environment(  # noqa: S701 - Python and TOML are written, no HTML
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    words = {
        "name": plan.name, "package": plan.package, "distribution": plan.distribution, "data": plan.data,
        "login": plan.login, "paging": plan.paging, "reply": plan.reply,
        "title": plan.name.replace("_", " ").capitalize(),
        "name_class": plan.class_name,
    }  # fmt: skip
    templates = files("reviewdesk.testing") / "scaffold"
    written = {
        folder / place.format(package=plan.package, name=plan.name): environment.from_string(
            (templates / f"{template}.jinja").read_text(encoding="utf-8")
        ).render(words)
        for place, template in _FILES.items()
    }
    written[folder / plan.package / "__init__.py"] = f'"""{words["title"]} as a source of reviewdesk."""\n'
    written[folder / plan.package / "py.typed"] = ""
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return sorted(written)
