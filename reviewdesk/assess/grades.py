"""Grades that customers write into their texts in figures and stars, the same in every language. Pure.

"10/10", "4,5/5", "5*", "1 ★", "★★☆☆☆", and "100 %" or "A+++" where nothing else is said. Words ("ten out of ten", "one
star") are phrases of the languages' files.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from reviewdesk.assess import weights
from reviewdesk.assess.reading import Hit
from reviewdesk.assess.tokens import Tokens

NOTE = "grade"
_GRADES_MOST, _STARS_LEAST = 3, 3
_MOST = 5.0
_STARS, _HOLLOW = "★⭐✩✭🌟", "☆✰⚝"
_HINT = re.compile(f"[/*%+{_STARS}{_HOLLOW}]")
# "24/7", "1/5/2024", "5*3", "1/5 l" and "4* hotel" are no grades: a date, a sum, a measure, a class of hotels. Two
# stars are one where there is nothing else; beside words they adorn.
_GRADE = re.compile(
    rf"(?<![\w/.,:+-])(?P<points>\d{{1,4}}(?:[.,]\d)?)\s?/\s?(?P<of>5|10|100)(?![\w/*]|[.,:]\d|\s?(?:mm|cm|l|kg|g|h)\b)"
    rf"|(?<![\w/.,*])(?<!hotel )(?<!Hotel )(?P<stars>[0-5](?:[.,]5)?)\s?[*{_STARS}]\ufe0f?(?![\w*{_STARS}]|\s?hotel)"
    rf"|(?P<full>[{_STARS}]\ufe0f?(?:\s?[{_STARS}]\ufe0f?){{0,4}})?\s?(?P<hollow>[{_HOLLOW}](?:\s?[{_HOLLOW}]){{0,4}})"
    rf"|\A\s*(?P<two>[{_STARS}]\ufe0f?\s?[{_STARS}])\ufe0f?\s*\Z"
    rf"|(?<![{_STARS}\ufe0f])(?P<run>[{_STARS}](?:\ufe0f?[{_STARS}]){{2,4}})(?!\ufe0f?[{_STARS}])"
    r"|\A\s*(?P<whole>100\s?%|[Aa]\+{1,3})[\s!.]*\Z"
)


def star_share(rating: float) -> float:
    """Gives the share of a rating from 1 to 5; between two whole stars it lies on the line between them."""
    steps = sorted(weights.STARS)
    rating = min(max(rating, steps[0]), steps[-1])
    above = steps[bisect_left(steps, rating)]
    below = steps[max(bisect_left(steps, rating) - 1, 0)] if above != rating else above
    part = (rating - below) / (above - below) if above != below else 0.0
    return weights.STARS[below] + part * (weights.STARS[above] - weights.STARS[below])


_MORE_THAN_ALL = {("11", "10"), ("100", "10"), ("1000", "10"), ("6", "5"), ("110", "100")}
# A low one within a sentence is rather a date ("ordered 3/10 at your shop").
_OPENS, _CLOSES = re.compile(r"(?:\A|[.!?…:\n])\s*\Z"), re.compile(r"[\s.!]*(?:\Z|\n)")
_LOW = 0.5
_ORDERED = re.compile(
    r"\b(?:objedn|dora[zž]i|doru[cč]|ordered|delivered|arrived|bestellt|geliefert|zam[oó]wi|dotar|замов|заказ|rendel)\w*\s+\Z",
    re.IGNORECASE,
)
# What is numbered in parts: "part 1/5", "2/5. lépés".
_NUMBERED = (
    r"(?:parts?|pages?|thread|steps?|photo|pic|image|chapter|episode|slide|lesson"
    r"|d[ií]l|diel|[cč][aá]s[tť]|stran[ay]|krok|fot(?:[oó]|ka|ografi[ea])|obr|obr[aá]zek|obr[aá]zok|kapitola|lekc[ei]"
    r"|teil|seite|schritt|folge|kapitel|cz[eę][sś][cć]|strona|zdj[eę]cie|odcinek|rozdzia[lł]"
    r"|r[eé]sz|l[eé]p[eé]s|oldal|fejezet|крок|шаг|част[ьи]|частина|фото|стр|сторінка|страница|глава|розділ|урок)\b"
)
# What is measured or counted: "1/5 Tasse", "2* Batterie", "1/5 of the bottle", "2* denně".
_MEASURED = (
    r"(?:of|(?:cups?|spoon|tbsp|tsp|hrn[eíkčc]|š[aá]l[ek]|lži[cč]|ly[zž]i[cč]|litr|liter|tasse|becher|löffel"
    r"|szklan|łyż|filiżan|csésze|bögr|kanál|стакан|склянк|чашк|ложк|ложеч|литр|літр"
    r"|batter|bat[eé]ri|bater[kií]|elem|батаре|kusy?|szt|st(?:ü|ue)ck|stk|pcs|pieces?|darab|шт|kabel|k[aá]bl|cable"
    r"|denn|týdn|týžd|täglich|daily|dziennie|naponta|щодня|ежедневно|в день|на день)\w*|ks|db|aaa?)\b"
)
# Any is one after "since" and the like.
_DATED_OR_NUMBERED = re.compile(
    rf"\b(?:od|do|dne|dňa|dnia|am|vom|bis|ab|seit|on|by|since|until|till|від|до|от|{_NUMBERED})[.:]?\s+\Z",
    re.IGNORECASE,
)
_GOES_ON = re.compile(rf"[.]?\s?(?:{_NUMBERED}|{_MEASURED})", re.IGNORECASE)
_LOOK_BACK = 20


def grades_in(tokens: Tokens) -> list[Hit]:
    """Gives the grades of a text, each with the share that its stars have as a field, lessened by `weights.GRADE`."""
    text = tokens.text
    if not _HINT.search(text):
        return []
    hits: list[Hit] = []
    for match in _GRADE.finditer(text):
        stars = _stars(match)
        if stars is not None and len(hits) < _GRADES_MOST:
            share = star_share(stars) * weights.GRADE
            hits.append(Hit(*match.span(), share, NOTE, sentence=tokens.sentence_at(match.start())))
    return hits


def _stars(match: re.Match[str]) -> float | None:
    """Gives a grade as stars from 0 to 5; None for what is rather something else."""
    found = match.groupdict()
    if found["points"] or found["stars"]:
        stars = _of_scale(match) if found["points"] else _number(found["stars"])
        counts = stars is not None and stars < _MOST and _GOES_ON.match(match.string, match.end())
        return None if counts else stars
    if found["whole"]:
        return _MOST
    full = _count(found["full"] or found["run"] or found["two"] or "", _STARS)
    hollow = _count(found["hollow"] or "", _HOLLOW)
    if full + hollow < _STARS_LEAST and not found["two"]:
        return None
    return full * _MOST / (full + hollow) if hollow else float(full)


def _of_scale(match: re.Match[str]) -> float | None:
    points, of = match["points"], match["of"]
    if (points, of) in _MORE_THAN_ALL:
        return _MOST
    part = _number(points) / _number(of)
    text = match.string
    start, end = match.span()
    if _DATED_OR_NUMBERED.search(text, max(start - _LOOK_BACK, 0), start):
        return None
    if part < _LOW and not _OPENS.search(text[:start]) and not _closes(text, start, end):
        return None
    return part * _MOST if part <= 1 else None


def _closes(text: str, start: int, end: int) -> bool:
    ordered = _ORDERED.search(text, max(start - _LOOK_BACK, 0), start)
    return not ordered and _CLOSES.match(text, end) is not None


def _number(written: str) -> float:
    return float(written.replace(",", "."))


def _count(written: str, signs: str) -> int:
    return sum(written.count(sign) for sign in signs)


def without_graded(hits: list[Hit], grades: list[Hit]) -> list[Hit]:
    """Gives the hits that no grade takes the place of: of "5/5" the words, of "★★☆" the stars as emoji."""
    if not grades:
        return hits
    return [hit for hit in hits if not any(hit.start < grade.end and grade.start < hit.end for grade in grades)]
