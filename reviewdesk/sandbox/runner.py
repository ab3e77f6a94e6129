"""Puts the installed emulators on a stage: each on its own port, with their secrets and a configuration for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from reviewdesk.errors import NotAllowed
from reviewdesk.plugins import emulators, load_emulator
from reviewdesk.sandbox.emulator import Emulator
from reviewdesk.sandbox.server import Running, serve

FIRST_PORT = 8801


@contextmanager
def stage(
    names: Sequence[str] = (),
    *,
    first_port: int = FIRST_PORT,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[list[Running]]:
    """Serves emulators while the block runs, in the order of their names.

    Args:
        names: which; empty for every installed one.
        first_port: the first one's port, the others follow; 0 takes free ones.

    Raises:
        NotAllowed: a port is taken.
        PluginError: an emulator cannot be loaded.
    """
    with ExitStack() as stack:
        running: list[Running] = []
        for number, name in enumerate(sorted(set(names) or {plugin.name for plugin in emulators()})):
            emulator: Emulator = load_emulator(name)(clock=clock)
            port = first_port and first_port + number
            try:
                running.append(stack.enter_context(serve(emulator, port)))
            except OSError as error:
                raise NotAllowed(
                    f"The port {port} for the emulated {name} is taken ({error.strerror}).",
                    hint="Is another sandbox running? Choose other ports with --port.",
                ) from None
        yield running


def environment(running: Sequence[Running]) -> dict[str, str]:
    """Gives the environment variables with the emulated platforms' secrets."""
    return {name: value for each in running for name, value in each.emulator.secrets().items()}


def toml_for(running: Sequence[Running], *, shop: str, poll_seconds: int, database: str = "") -> str:
    """Gives a reviewdesk.toml whose sources are the emulated platforms.

    Args:
        database: beside the file; "" leaves it to whoever opens it.
    """
    lines = [
        "[shop]",
        f"name = {_toml(shop)}",
        'contact = "podpora@example.com"',
        "",
        "[desk]",
        *([f"database = {_toml(database)}"] if database else []),
        f"poll_seconds = {poll_seconds}",
        "undo_seconds = 5",
        'agent = "jana"',
        "",
        "[[agent]]",
        'id = "jana"',
        'name = "Jana"',
        "",
        "[[agent]]",
        'id = "petr"',
        'name = "Petr"',
    ]
    for each in running:
        emulator = each.emulator
        table = {
            "id": emulator.platform,
            "connector": emulator.platform,
            "private_network": True,
            **emulator.source(each.base),
        }
        lines += ["", "[[source]]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Gives a value of a `[[source]]` table in TOML; tables are written inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # A JSON string, number or boolean is the same in TOML.
    return json.dumps(value, ensure_ascii=False)
