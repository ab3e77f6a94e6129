"""What a terminal sends that is no UTF-8: a sign that stands for it, not the end of the desk."""

from __future__ import annotations

import codecs
from functools import partial
from typing import Any


def forgive() -> None:
    """Lets the window read a byte that is no UTF-8 as `�`, as of a paste or a terminal in another encoding.

    Textual reads strictly, has no setting for it, and ends with a traceback.
    """
    try:
        from textual.drivers import linux_driver
    except ImportError:  # Windows reads letters, not bytes
        return
    driver: Any = linux_driver
    driver.getincrementaldecoder = _forgiving


def _forgiving(encoding: str) -> partial[codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")
