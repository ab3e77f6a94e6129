"""`reviewdesk sandbox`: the emulated platforms on fixed ports, and a large database to try things on."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reviewdesk.cli.output import json_line, say, show
from reviewdesk.cli.session import DeskGroup, Session, pass_session
from reviewdesk.errors import StoreError

if TYPE_CHECKING:
    from reviewdesk.sandbox.customers import Customers

_WRITTEN_HERE = "# Written by `reviewdesk sandbox`, and written anew when it starts again."


@click.group(
    "sandbox",
    invoke_without_command=True,
    cls=DeskGroup,
    examples=(
        "reviewdesk sandbox --customers 5",
        "reviewdesk sandbox fill --mentions 100000 --db large.db",
    ),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_000),
    metavar="N",
    default=8801,
    show_default=True,
    help="The first port; the others follow. 0 takes free ones.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Only this emulator; may be repeated.")
@click.option(
    "--customers",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Scripted customers write every so many seconds.",
)
@click.option("--seed", default=0, metavar="N", show_default=True, help="The same seed plays the same customers.")
@click.option("--json", "as_json", is_flag=True, help="Tell addresses and secrets as one line of JSON.")
@click.option(
    "--configuration",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a reviewdesk.toml for these platforms here.",
)
@click.option("--while-stdin", is_flag=True, hidden=True, help="End with standard input, so with who started it.")
@click.pass_context
def sandbox_command(
    ctx: click.Context,
    port: int,
    only: tuple[str, ...],
    customers: float | None,
    seed: int,
    as_json: bool,
    configuration: Path | None,
    while_stdin: bool,
) -> None:
    """Run the emulated platforms on this machine.

    They run until Ctrl-C. The variables with their secrets are printed as a shell takes them. The reviewdesk.toml that
    `reviewdesk init` writes speaks to them.

    Each server has a stage door under /_sandbox/ to make it fail: POST /_sandbox/faults {"kind": "rate_limit",
    "times": 3}. A customer changes or deletes a text there: POST /_sandbox/edit {"id": "7", "text": "It works."},
    POST /_sandbox/delete {"id": "7"}.
    """
    if ctx.invoked_subcommand is not None:
        return
    if while_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    from reviewdesk.sandbox.customers import Customers
    from reviewdesk.sandbox.runner import environment, stage, toml_for

    with stage(only, first_port=port) as running:
        public = Customers([each.emulator for each in running], seed=seed)
        if customers is not None:
            public.open(3)
        if configuration is not None:
            for each in running:
                each.emulator.quicken()
            # What emulated customers write must never come into a shop's own database.
            toml = toml_for(running, shop="Shop Demo", poll_seconds=2, database=f"{configuration.stem}.db")
            _write_configuration(configuration, toml)
        if as_json:
            told = {each.emulator.platform: {"base": each.base} for each in running}
            json_line({"platforms": told, "environment": environment(running)})
            sys.stdout.flush()
        else:
            for each in running:
                show(f"# {each.emulator.platform} at {each.base}")
            for name, value in environment(running).items():
                show(f"export {name}={shlex.quote(value)}")
            say("The emulated platforms are running; Ctrl-C ends them.")
        # It is meant to be ended so, and has ended well.
        with suppress(KeyboardInterrupt):
            _play(public, customers)


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _write_configuration(path: Path, toml: str) -> None:
    """Writes a configuration, and over none but an earlier one of the sandbox: its ports may be others now."""
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(_WRITTEN_HERE):
        raise StoreError(f"{path} exists already and is not the sandbox's; it was left alone.", hint="Choose another.")
    path.write_text(f"{_WRITTEN_HERE}\n\n{toml}", encoding="utf-8")


def _play(public: Customers, every: float | None) -> NoReturn:
    while True:
        time.sleep(every or 3600)
        if every is not None:
            public.act()


@sandbox_command.command("fill", examples=("reviewdesk sandbox fill --mentions 1000000 --db large.db",))
@click.option(
    "--mentions",
    "count",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    default=100_000,
    show_default=True,
    help="How many.",
)
@click.option("--seed", default=0, metavar="N", show_default=True, help="The same seed gives the same mentions.")
@click.option("--assess/--no-assess", default=True, show_default=True, help="Assess them as a poll would.")
@pass_session
def fill_command(session: Session, count: int, seed: int, assess: bool) -> None:
    """Write a large realistic database.

    It goes to --db FILE, which must be new. Six languages, complaints and praise, answered and open, as a shop of some
    years has them.
    """
    if session.db_path is None and not os.environ.get("REVIEWDESK_DB"):
        raise click.UsageError("Say where with --db FILE.")
    from reviewdesk.sandbox.fill import fill
    from reviewdesk.store.db import remove

    config = session.reading
    if config.database.exists():
        raise StoreError(f"{config.database} exists already; it was left alone.", hint="Choose a new file.")
    started = time.monotonic()
    try:
        with (
            session.store(config, begin=True) as store,
            click.progressbar(length=count, label="Writing", file=sys.stderr) as bar,
        ):

            def tell(done: int) -> None:
                bar.update(done - bar.pos)

            fill(store, count, seed=seed, config=config if assess else None, tell=tell)
    except BaseException:
        remove(config.database)
        raise
    say(f"{count:,} mentions in {time.monotonic() - started:.1f} s in {config.database}.")
