"""Writes a package to begin a connector with: plugin, payload types, emulator, tests, README, and a workflow."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Literal

import jinja2

from reviewdesk.errors import NotAllowed, StoreError
from reviewdesk.model import Record

NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
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
            hint="Take small letters, digits and underscores, a letter first: mycrawler.",
        )
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
        "name_class": "".join(part.capitalize() for part in plan.name.split("_")),
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
