"""`reviewdesk init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.errors import StoreError

_EXAMPLE = "reviewdesk.toml"


def example() -> str:
    """Gives the commented example configuration that the project ships."""
    package = Path(__file__).parent.parent
    # Built into the package in a wheel; beside the package in a checkout.
    found = next(path for path in (package / "example.toml", package.parent / _EXAMPLE) if path.exists())
    return found.read_text(encoding="utf-8")


@click.command(
    "init",
    cls=DeskCommand,
    examples=(
        "reviewdesk init",
        "reviewdesk init --config shop.toml",
    ),
)
@pass_session
def init_command(session: Session) -> None:
    """Write a commented reviewdesk.toml to begin with.

    It goes to --config FILE or to the current folder, and never over another file. As it stands it speaks to the
    emulated platforms of `reviewdesk sandbox`.
    """
    path = session.config_path or Path(os.environ.get("REVIEWDESK_CONFIG") or _EXAMPLE)
    text = example()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StoreError(f"{path} exists already; it was left alone.") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    say(f"Written to {path}. As it stands it speaks to the emulated platforms of `reviewdesk sandbox`.")
