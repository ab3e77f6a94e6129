"""The log: a file of its own, rotated, readable by its owner alone, without secrets. Never the terminal."""

from __future__ import annotations

import logging
import os
from functools import cache
from logging.handlers import RotatingFileHandler
from pathlib import Path


@cache
def log_file() -> Path:
    """Gives the log file, made with mode 0600 where it is missing: `REVIEWDESK_LOG`, or in the user's state folder."""
    named = os.environ.get("REVIEWDESK_LOG")
    if named:
        path = Path(named)
    else:
        import platformdirs

        path = platformdirs.user_state_path("reviewdesk", appauthor=False) / "reviewdesk.log"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    return path


def log_to_file(level: int = logging.INFO) -> None:
    """Sends every log record of this process to the log file, redacted."""
    from reviewdesk.secrets import RedactingFilter

    handler = RotatingFileHandler(log_file(), maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
