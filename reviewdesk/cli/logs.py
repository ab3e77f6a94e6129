"""The log: a file of its own, rotated, readable by its owner alone, without secrets. Never the terminal."""

from __future__ import annotations

import logging
import os
from functools import cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from reviewdesk.errors import ConfigError
from reviewdesk.folders import make_folder


@cache
def log_file() -> Path:
    """Gives the log file, made with mode 0600 where it is missing: `REVIEWDESK_LOG`, or in the user's state folder.

    Raises:
        ConfigError: it cannot be written.
    """
    named = os.environ.get("REVIEWDESK_LOG")
    if named:
        path = Path(named)
    else:
        import platformdirs

        path = platformdirs.user_state_path("reviewdesk", appauthor=False) / "reviewdesk.log"
    try:
        make_folder(path.parent)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(
            f"The log {path} cannot be written: {error.strerror}.", hint="Name another one with REVIEWDESK_LOG."
        ) from None
    return path


class _OwnFile(RotatingFileHandler):
    """Makes each new file of the rotation readable by its owner alone, as the first one is."""

    def _open(self) -> Any:
        return open(
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            errors="backslashreplace",
            opener=lambda name, flags: os.open(name, flags, 0o600),
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Loses a line that cannot be written, on a full disk: Python would write a traceback to the terminal."""


def log_to_file(level: int = logging.INFO) -> None:
    """Sends every log record of this process to the log file, redacted.

    Raises:
        ConfigError: as `log_file`.
    """
    from reviewdesk.secrets import RedactingFilter

    handler = _OwnFile(log_file(), maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
