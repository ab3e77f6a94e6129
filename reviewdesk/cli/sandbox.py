"""`reviewdesk sandbox`: the emulated platforms on fixed ports, and a large database to try things on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reviewdesk.cli.output import json_line, say, show
from reviewdesk.cli.session import DeskCommand, DeskGroup, Session, pass_session
from reviewdesk.errors import NotAllowed

if TYPE_CHECKING:
    from reviewdesk.sandbox.customers import Customers


@click.group("sandbox", cls=DeskGroup, invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65_000), default=8801, show_default=True, help="The first port.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this emulator; may be repeated.")
@click.option("--customers", type=float, metavar="SECONDS", help="Scripted customers write every so many seconds.")
@click.option("--seed", default=0, show_default=True, help="Of the customers.")
@click.option("--json", "as_json", is_flag=True, help="Tell addresses and secrets as one line of JSON.")
@click.option(
    "--configuration",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a reviewdesk.toml for these platforms here.",
)
@click.pass_context
def sandbox_command(
    ctx: click.Context,
    port: int,
    only: tuple[str, ...],
    customers: float | None,
    seed: int,
    as_json: bool,
    configuration: Path | None,
) -> None:
    """Run the emulated platforms on this machine until it is interrupted. reviewdesk.toml as it ships speaks to them.

    The variables with their secrets are printed, ready to be taken over by a shell. Each server has a stage door under
    /_sandbox/ to make it fail: POST /_sandbox/faults {"kind": "rate_limit", "times": 3}.
    """
    if ctx.invoked_subcommand is not None:
        return
    from reviewdesk.sandbox.customers import Customers
    from reviewdesk.sandbox.runner import environment, stage, toml_for

    with stage(only, first_port=port) as running:
        public = Customers([each.emulator for each in running], seed=seed)
        if customers is not None:
            public.open(3)
        if configuration is not None:
            configuration.write_text(toml_for(running, shop="Shop Demo", poll_seconds=2), encoding="utf-8")
        if as_json:
            told = {each.emulator.platform: {"base": each.base} for each in running}
            json_line({"platforms": told, "environment": environment(running)})
            sys.stdout.flush()
        else:
            for each in running:
                show(f"# {each.emulator.platform} at {each.base}")
            for name, value in environment(running).items():
                show(f"export {name}={value}")
            say("The emulated platforms are running; Ctrl-C ends them.")
        _play(public, customers)


def _play(public: Customers, every: float | None) -> NoReturn:
    while True:
        time.sleep(every or 3600)
        if every is not None:
            public.act()


@sandbox_command.command("fill", cls=DeskCommand)
@click.option("--mentions", "count", type=click.IntRange(1, 10_000_000), default=100_000, show_default=True)
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same mentions.")
@click.option("--assess/--no-assess", default=True, show_default=True, help="Assess them as a poll would.")
@pass_session
def fill_command(session: Session, count: int, seed: int, assess: bool) -> None:
    """Write a large realistic database to --db FILE, which must be a new one."""
    if session.db_path is None and not os.environ.get("REVIEWDESK_DB"):
        raise click.UsageError("Say where with --db FILE.")
    from reviewdesk.sandbox.fill import fill

    config = session.reading
    if config.database.exists():
        raise NotAllowed(f"{config.database} exists already; it was left alone.", hint="Choose a new file.")
    started = time.monotonic()
    with (
        session.store(config) as store,
        click.progressbar(length=count, label="Writing", file=sys.stderr) as bar,
    ):

        def tell(done: int) -> None:
            bar.update(done - bar.pos)

        fill(store, count, seed=seed, config=config if assess else None, tell=tell)
    say(f"{count:,} mentions in {time.monotonic() - started:.1f} s in {config.database}.")
