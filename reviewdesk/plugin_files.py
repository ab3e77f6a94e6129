"""The single-file plugins of a folder `plugins/`: found, read and imported without packaging.

Whoever may write there may run code as the user of the desk. So a folder or a file that others may write to, or that
belongs to somebody else, is refused, and what is executed are the very bytes that were looked at.
"""

from __future__ import annotations

import ast
import os
import re
import stat
import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from reviewdesk.model import Record

FOLDER = "plugins"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_LARGEST = 5 << 20


class PluginFile(Record, frozen=True, kw_only=True):
    """A file in a plugins folder.

    Attributes:
        name: the plugin's, the file's name without `.py`.
        path: where it lies.
        code: what it holds; empty where it is refused.
        refused: why it is not executed, "" where it may be.
        hint: what to do about that.
    """

    name: str
    path: Path
    code: bytes = b""
    refused: str = ""
    hint: str = ""

    @property
    def shown(self) -> str:
        """Its name in messages: `plugins/acme.py`."""
        return f"{FOLDER}/{self.path.name}"

    @property
    def module_name(self) -> str:
        """The name of the module that it becomes: no other module's, and a new one when the file has changed."""
        told = blake2b(os.fsencode(self.path) + b"\0" + self.code, digest_size=6).hexdigest()
        return f"_reviewdesk_plugin_{self.name.replace('-', '_')}_{told}"

    @property
    def is_readable(self) -> bool:
        """True where the file may be executed and is Python."""
        return not self.refused and _tree(self.code) is not None

    def derives(self, base: str) -> bool:
        """Tells whether a class in the file derives from one of this name, without executing it."""
        tree = _tree(self.code)
        if tree is None:
            return False
        bases = [
            base.value if isinstance(base, ast.Subscript) else base
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        ]
        return any(base in (getattr(each, "id", ""), getattr(each, "attr", "")) for each in bases)

    def module(self) -> ModuleType:
        """Executes the file once in this process. Raises whatever the file raises."""
        known = sys.modules.get(self.module_name)
        if known is not None:
            return known
        module = ModuleType(self.module_name)
        module.__file__ = str(self.path)
        sys.modules[self.module_name] = module
        try:
            exec(compile(self.code, str(self.path), "exec"), vars(module))  # noqa: S102 - that is what a plugin is
        except BaseException:
            sys.modules.pop(self.module_name, None)
            raise
        return module


@cache
def _tree(code: bytes) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def files_beside(folder: Path) -> list[PluginFile]:
    """Gives the plugins in `plugins/` of a folder, by name; those that are refused with the reason.

    Files whose names begin with `_` or `.` are no plugins.
    """
    place = folder.absolute() / FOLDER
    try:
        paths = sorted(path for path in place.iterdir() if path.suffix == ".py" and path.name[0] not in "._")
    except OSError as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return []
        why = f"the folder {place} cannot be read ({error.strerror})"
        return [PluginFile(name=FOLDER, path=place, refused=why, hint="Look at its permissions.")]
    why, hint = _not_ours(place.stat(), f"the folder {place}", place)
    return [_refused(path, why, hint) if why else _read(path) for path in paths]


def _refused(path: Path, why: str, hint: str = "") -> PluginFile:
    return PluginFile(name=path.stem, path=path, refused=why, hint=hint)


def _read(path: Path) -> PluginFile:
    if not _NAME.fullmatch(path.stem):
        return _refused(path, "its name is to be at most 40 letters, digits, - and _", "Rename it.")
    try:
        # A named pipe would keep us waiting for somebody who writes.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            state = os.fstat(file.fileno())
            why, hint = _not_ours(state, "it", path)
            if not stat.S_ISREG(state.st_mode):
                why = "it is no regular file"
            elif state.st_size > _LARGEST:
                why = f"it is larger than {_LARGEST >> 20} MB"
            return _refused(path, why, hint) if why else PluginFile(name=path.stem, path=path, code=file.read())
    except OSError as error:
        return _refused(path, f"it cannot be read ({error.strerror})", "Look at where it points and its permissions.")


def _not_ours(state: os.stat_result, what: str, path: Path) -> tuple[str, str]:
    """Gives why others could make us execute what they like, and what to do; "" where they cannot."""
    if os.name != "posix":
        return "", ""
    if state.st_uid not in (os.geteuid(), 0):
        return f"{what} belongs to another user", f"Only your own plugins are executed: look at {path}."
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{what} can be written to by others, who could run code as you", f"Run: chmod go-w {path}"
    return "", ""
