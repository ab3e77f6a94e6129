"""What the desk thinks of a mention: its language, sentiment, complaint, severity, topics, and the reasons.

`Assessor` is all that other rooms use. Everything here is pure computing over the data files in `languages/`; a
language's words are read when its first text is met, and vaderSentiment is imported with the first English one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewdesk.assess import weights
from reviewdesk.assess.assessable import Assessable
from reviewdesk.assess.combine import combine
from reviewdesk.assess.language import OTHER, Heard, code_of, hear, known_languages
from reviewdesk.assess.sentiment import read_parts, read_tokens
from reviewdesk.assess.tokens import Tokens, tokens_of
from reviewdesk.model import Assessment

__all__ = ["Assessable", "Assessor"]


class Assessor:
    """Assesses mentions in bulk.

    Attributes:
        version: name and version, written into each assessment; a new one makes the desk assess anew.
    """

    version = "desk/6"

    def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
        """Gives one assessment for each item, in order, one at a time. Never raises for anything the public can write.

        Args:
            items: mentions; very long texts are read in part (`weights.TEXT_MOST`).
        """
        for item in items:
            yield self._assessed(item)[0]

    def _assessed(self, item: Assessable) -> tuple[Assessment, Tokens]:
        """Gives one assessment, and the words of the text from which it came."""
        tokens = tokens_of(item.text[: weights.TEXT_MOST])
        heard = _heard(item, tokens)
        text = read_parts(tokens, heard.language) if heard.mixed else read_tokens(tokens, heard.language)
        return combine(item, text, heard.language, self.version), tokens


def _heard(item: Assessable, tokens: Tokens) -> Heard:
    """Gives the platform's word for it, unless the text itself clearly speaks another language."""
    if tokens.words:
        return _believed(item, hear(tokens, item.language or item.prior))
    shown = item.title or " ".join((*item.cons[:3], *item.pros[:3])) or item.text
    heard = hear(tokens_of(shown[: weights.TEXT_MOST]), item.language or item.prior)
    return _believed(item, Heard(heard.language))


def _believed(item: Assessable, heard: Heard) -> Heard:
    told = code_of(item.language) if item.language else None
    if told is None:
        return heard
    if told not in known_languages():
        return Heard(OTHER)
    return Heard(told, heard.mixed) if heard.language == OTHER else heard
