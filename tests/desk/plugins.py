"""Single-file plugins for tests: a good one, and what bad ones do instead."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

GOOD = """
from reviewdesk.connector import Batch, Connector, Finding, Kind, Level, Mention, Settings


class AcmeSettings(Settings, frozen=True, kw_only=True):
    shop: str = ""


class Acme(Connector[AcmeSettings]):
    platform = "acme"
    title = "Acme"
    settings = AcmeSettings

    async def poll(self, cursor):
        yield Batch(mentions=[Mention(id="1", kind=Kind.REVIEW, text="Nefunguje.")], cursor={"page": 1})

    async def check(self):
        return [Finding(level=Level.OK, sentence="Acme is there.")]
"""


def connector(*, top: str = "", init: str = "", poll: str = "", members: str = "") -> str:
    """Gives the text of a plugin: the good one, with other code in some places.

    Args:
        top: at the end of the module.
        init, poll: the bodies of `__init__` and `poll`.
        members: further members of the class.
    """
    code = GOOD
    if poll:
        begin, end = code.index("        yield Batch"), code.index("    async def check")
        code = code[:begin] + indent(dedent(poll).strip(), " " * 8) + "\n\n" + code[end:]
    if init:
        made = "    def __init__(self, context):\n        super().__init__(context)\n"
        code += "\n" + made + indent(dedent(init).strip(), " " * 8) + "\n"
    if members:
        code += "\n" + indent(dedent(members).strip(), " " * 4) + "\n"
    return code + "\n" + dedent(top)


def plugin(folder: Path, name: str, code: str = GOOD) -> Path:
    """Writes a plugin into `plugins/` of a folder."""
    place = folder / "plugins"
    place.mkdir(mode=0o700, exist_ok=True)
    file = place / f"{name}.py"
    file.write_text(dedent(code), encoding="utf-8")
    file.chmod(0o600)
    return file


def configuration(folder: Path, *names: str, more: str = "") -> Path:
    """Writes a reviewdesk.toml with a source for each plugin."""
    path = folder / "reviewdesk.toml"
    tables = "".join(f'[[source]]\nid = "{name}"\nconnector = "{name}"\nprivate_network = true\n' for name in names)
    path.write_text(f'[desk]\ndatabase = "desk.db"\nagent = "jana"\nhang_seconds = 2\n{more}\n{tables}')
    return path
