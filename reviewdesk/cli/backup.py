"""`reviewdesk backup`."""

from __future__ import annotations

from pathlib import Path

import click

from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session


@click.command(
    "backup",
    cls=DeskCommand,
    examples=("reviewdesk backup ~/backups/reviewdesk-2026-11-23.db",),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def backup_command(session: Session, file: Path) -> None:
    """Write a whole copy of the database while others use it.

    FILE must be new; it is readable by you alone.
    """
    from reviewdesk.store.db import Store

    # As it is: a copy is what one makes before an update changes the original.
    with Store(session.reading.database, read_only=True) as store:
        store.backup(file)
    say(f"Written to {file}.")
