"""Emoji and emoticons, the same in every language. Pure."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib import resources

import msgspec
import tomli

from reviewdesk.assess.folding import fold
from reviewdesk.assess.reading import Hit
from reviewdesk.assess.tokens import Tokens

_SAME_SIGN_MOST = 3
# What each emoticon has, so that most texts are spared the search for all of them.
_SIGN = re.compile("[:;=()<>^_xX\u203c-\U0010ffff]")
_HINT = (
    r"[:;=>][-'^()\[\]\\|/<dpxDPX*@o3]|[xX][dD]|[cCdD]:|\(:|<[/3]|\^_?\^|-_-|\(\(|\)\)"
    r"|[\u2600-\U0010ffff\u203c\u2049\u2122]"
)


class Signs(msgspec.Struct, frozen=True):
    """The emoji and emoticons that every language shares.

    Attributes:
        emoji: value by character.
        emoticons: value by folded sign.
        found: finds them in a folded text, each by the name of its group.
        hint: finds a character without which there is none of them, but for "xd".
    """

    emoji: dict[str, float]
    emoticons: dict[str, float]
    found: re.Pattern[str]
    hint: re.Pattern[str]


@cache
def signs() -> Signs:
    """Gives the emoji and emoticons of `languages/neutral.toml`."""
    data = tomli.loads((resources.files("reviewdesk.assess") / "languages" / "neutral.toml").read_text("utf-8"))
    emoji = {sign[0]: group["valence"] for group in data["emoji"] for sign in group["signs"].split()}
    emoticons = {fold(sign).text: group["valence"] for group in data["emoticons"] for sign in group["signs"].split()}
    by_length = sorted(emoticons, key=len, reverse=True)
    alternatives = "|".join(
        ("(?<!\\w)" if one[0].isalnum() else "") + re.escape(one) + ("(?!\\w)" if one[-1].isalnum() else "")
        for one in by_length
    )
    every = re.escape("".join(emoji))
    found = re.compile(
        rf"(?P<emoticon>{alternatives})|(?P<emoji>[{every}])|(?P<smile>\)\)+)|(?P<frown>\(\(+)",
    )
    return Signs(emoji, emoticons, found, re.compile(_HINT))


def signs_in(tokens: Tokens) -> list[Hit]:
    """Gives emoji, emoticons and runs of brackets; the same sign counts three times at most."""
    shared = signs()
    text = tokens.text if tokens.folded is None else tokens.folded.text
    if not _SIGN.search(text) or not shared.hint.search(text):
        return []
    seen: Counter[str] = Counter()
    hits = []
    for match in shared.found.finditer(text.lower() if len(text.lower()) == len(text) else text):
        kind, sign = str(match.lastgroup), match.group()
        seen[sign] += 1
        if seen[sign] > _SAME_SIGN_MOST:
            continue
        if kind in ("smile", "frown"):
            value = min(len(sign) * 0.5, 2.0) * (1 if kind == "smile" else -1)
        else:
            value = shared.emoji[sign] if kind == "emoji" else shared.emoticons[sign]
        start, end = match.span() if tokens.folded is None else tokens.folded.span(*match.span())
        note = "emoji" if kind == "emoji" else "emoticon"
        hits.append(Hit(start, end, value, note, sentence=tokens.sentence_at(match.start())))
    return hits
