"""`reviewdesk correct`: a person's word over the desk's."""

from __future__ import annotations

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import show
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.model import Label


@click.command(
    "correct",
    cls=DeskCommand,
    examples=(
        "reviewdesk correct 17 neg",
        "reviewdesk correct 18 neg --not-complaint",
    ),
)
@click.argument("id", type=Number())
@click.argument("label", type=click.Choice([label.value for label in Label]))
@click.option("--complaint/--not-complaint", default=None, help="Without: a negative one is a complaint, others not.")
@pass_session
def correct_command(session: Session, id: int, label: str, complaint: bool | None) -> int:
    """Say how a mention should be read.

    That is neg, neu or pos, and whether it is a complaint. One that agrees with the desk confirms it, and is
    learned from as well. The next `reviewdesk poll` learns, as does the next `reviewdesk assess`.
    """
    from reviewdesk.desk.triage import Triage

    with session.store() as store:
        store.mentions.get(id)
        show(Triage(store, session.reading.agent).correct([id], Label(label), complaint).sentence)
    return Exit.OK
