"""Opens the desk itself."""

from __future__ import annotations

import codecs
import os
import sys

from reviewdesk.cli.logs import log_to_file
from reviewdesk.cli.session import Session
from reviewdesk.config import find
from reviewdesk.errors import ConfigError, NotAllowed

_ALONE = "`reviewdesk list`, `show` and `export` need the database alone."
_WITHOUT = "`reviewdesk list`, `show` and `reply` do the same without a window."


def open_desk(session: Session, *, demo: bool = False) -> int:
    """Runs the TUI until it is left, and gives its exit code.

    Args:
        demo: the platforms are emulated, and the header says so.

    Raises:
        ConfigError: there is no configuration, or it has mistakes.
        StoreError: the database cannot be opened.
        NotAllowed: there is no terminal, or none that could show the desk.
    """
    log_to_file()
    if session.db_path is not None and find(session.config_path, required=False) is None:
        hint = f"Write one with `reviewdesk init`. {_ALONE}"
        raise ConfigError("The window needs a configuration beside the database, and there is none.", hint=hint)
    config = session.config
    session.store(config, begin=True).close()
    require_terminal()
    from reviewdesk.tui.app import run

    return run(config, db=config.database, agent=config.agent, demo=demo)


def require_terminal() -> None:
    """Makes sure that a window can be shown.

    Raises:
        NotAllowed: input or output is no terminal, it cannot move its cursor, or it has no letters but a few.
    """
    if not (sys.__stdin__ and sys.__stdin__.isatty() and sys.__stderr__ and sys.__stderr__.isatty()):
        raise NotAllowed("The desk needs a terminal, and there is none here.", hint=_WITHOUT)
    if codecs.lookup(sys.__stderr__.encoding).name != "utf-8":
        hint = f"Where the terminal can, start it so: LC_ALL=C.UTF-8 reviewdesk. {_WITHOUT}"
        raise NotAllowed(f"The locale is for {sys.__stderr__.encoding}, and the desk needs UTF-8.", hint=hint)
    if os.environ.get("TERM") == "dumb":
        raise NotAllowed("This terminal (TERM=dumb) cannot show the desk.", hint=_WITHOUT)
