"""The frame of what lies on top of the desk for a moment: a question, a text to change, the templates."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content

from reviewdesk.text import cut

_TITLE_MOST = 60


class Frame(Vertical):
    """A box with its title in the upper edge, and in the lower one the keys that take and leave it.

    Args:
        title: what is asked, in a few words.
        keys: as people read them.
    """

    DEFAULT_CSS = """
    Frame {
        background: $surface;
        border: round $primary;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $faint;
        padding: 0 1;
    }
    """

    def __init__(self, title: str, keys: str = "") -> None:
        super().__init__()
        self.border_title = Content(cut(title, _TITLE_MOST))
        self.border_subtitle = Content(keys)
