"""What a source remembers between polls and is too large for the cursor: files of JSON lines, replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from reviewdesk.connector import ConnectorError

T = TypeVar("T")


def recall(path: Path | None, type: type[T]) -> Iterator[T]:
    """Gives the lines of a file, one after the other; nothing where there is none, or from where it is damaged."""
    if path is None or not path.exists():
        return
    decoder = msgspec.json.Decoder(type)
    with path.open("rb") as file:
        for line in file:
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError:
                return


def replace(path: Path, lines: Iterable[object]) -> None:
    """Writes a file anew; killed at any moment, either the old or the new one is there.

    Raises:
        ConnectorError: it cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    encoder = msgspec.json.Encoder()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            for line in lines:
                file.write(encoder.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise ConnectorError(
            f"What the source has to remember could not be written to {path.parent} ({error.strerror}).",
            hint="Make room there, and see that it may be written to.",
        ) from None
