"""Opens a page in the desktop's browser; never one that would take the terminal over."""

from __future__ import annotations

import os
import sys
import webbrowser

from reviewdesk.text import is_web_link


def open_page(url: str) -> bool:
    """Opens a page. Gives False where it is no web page, or where there is no desktop to open it on."""
    if not is_web_link(url) or not _has_desktop():
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def _has_desktop() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
