"""Folders that are their owner's alone."""

from __future__ import annotations

from pathlib import Path


def make_folder(path: Path) -> Path:
    """Makes a folder and those above it that are missing, each with mode 0700, and gives it.

    `Path.mkdir(parents=True)` would leave those above to the umask.

    Raises:
        OSError: one cannot be made.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path
