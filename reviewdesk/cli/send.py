"""`reviewdesk send`: the outbox to the platforms."""

from __future__ import annotations

import asyncio

import click

from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session


@click.command(
    "send",
    cls=DeskCommand,
    examples=(
        "reviewdesk send",
        "reviewdesk send --source facebook",
    ),
)
@click.option("--source", "only", multiple=True, metavar="ID", help="Only replies to this source; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Tell each step as a line of JSON on stdout.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
@pass_session
def send_command(session: Session, only: tuple[str, ...], as_json: bool, quiet: bool) -> int:
    """Take the outbox to the platforms.

    Each reply that is due goes out once; those of which nobody knows whether they arrived are looked for.

    Exit code 0 when all is well, 4 when a platform is out of reach for now, 5 when a reply waits for a person.
    """
    from reviewdesk.cli.logs import log_to_file

    log_to_file()
    config = session.config
    for id in only:
        config.source(id)
    with session.store(config, begin=True) as store:
        if not store.outbox.waits():
            if not quiet and not as_json:
                say("Nothing in the outbox is due.")
            return 0
        from reviewdesk.cli.narrate import Narrator
        from reviewdesk.desk.deliver import deliver

        with Narrator(as_json=as_json, quiet=quiet, terminal=False) as narrator:
            asyncio.run(deliver(config, store, only=only, tell=narrator))
        return narrator.exit_code
