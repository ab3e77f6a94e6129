"""Opens the desk itself."""

from __future__ import annotations

from reviewdesk.cli.logs import log_to_file
from reviewdesk.cli.session import Session


def open_desk(session: Session, *, demo: bool = False) -> int:
    """Runs the TUI until it is left, and gives its exit code.

    Args:
        demo: the platforms are emulated, and the header says so.

    Raises:
        ConfigError: there is no configuration, or it has mistakes.
        StoreError: the database cannot be opened.
    """
    log_to_file()
    config = session.config
    session.store(config).close()
    from reviewdesk.tui.app import run

    return run(config, db=config.database, agent=config.agent, demo=demo)
