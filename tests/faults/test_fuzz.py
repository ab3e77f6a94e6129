"""Damaged answers of each platform and damaged configurations: the desk's own errors, or items set aside; never more.

What is damaged is what the emulators really answer. It goes through the whole of `import_file`: the connector's parser,
the border, the store. A `PluginError` would be an exception that the connector did not foresee.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewdesk.config import load
from reviewdesk.desk.importing import import_file
from reviewdesk.errors import ConfigError, PluginError, ReviewdeskError
from reviewdesk.plugins import load_emulator
from reviewdesk.sandbox import CustomerText, serve
from reviewdesk.sandbox.runner import toml_for
from reviewdesk.store.db import Store
from reviewdesk_connectors.facebook.polling import COMMENT_FIELDS, POST_FIELDS, RATING_FIELDS
from tests.faults.kill import in_memory

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
"""Of each parser; more by hand, before a release."""
WORDS = CustomerText(
    author="Jana Nováková",
    text="Přišlo to rozbité & pozdě.",
    language="cs",
    rating=2,
    pros=("cena",),
    cons=("doprava",),
    product="Konvice",
    order_id="12345",
)
FEEDS = ("xml", "json", "jsonl", "csv", "rss", "atom", "json_feed")
NASTY: list[Any] = [
    None, True, -1, 0, 2**31, 2**63,
    2**64, -(2**70), 1e308, float("inf"), float("nan"), "", "\x00", "\ud800", "x" * 5000,
    "NaN", "9" * 400, "1e999", "0000-00-00T99:99:99", "99999-12-31", "\u202eabc", [], {}, [[]], {"": None}, [None] * 3,
    "<b>", "]]>", "http://[::1", "javascript:alert(1)", "2024-05-01T00:00:00+9999", {"id": {"id": {}}}, 10**400,
]  # fmt: skip
BYTES = [
    b"\x00", b"\xff\xfe",
    b"\xef\xbb\xbf", b"<", b">", b"&", b"&#0;", b"&#xD800;", b"&x;", b"\"", b"{", b"}", b"[", b"]",
    b"]]>", b"<!--", b"<![CDATA[", b'<!DOCTYPE a [<!ENTITY x "y">]>', b"\\ud800", b"\\u0000", b"9" * 400, b"-", b"e999",
    b"null", b"\r", b"\n\n", b";;;", b"," * 50, b"<a>" * 300, b"[" * 3000, b"{\"a\":" * 1500, b"\xc3\x28",
]  # fmt: skip


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=in_memory()) as folder:
        yield Path(folder)


def _facebook(running: Any) -> Iterator[bytes]:
    shop = running.emulator.shop
    post = next(iter(shop.posts))
    top = shop.comment(post, "Kde je můj balík?", "Eva")
    shop.comment(post, "Taky čekám.", "Petr", under=top.id)
    shop.recommend("Doporučuji.", "Ota", positive=True)
    for path, fields in (
        (f"{top.id.partition('_')[0]}", ""),
        ("1015550001/feed", POST_FIELDS),
        (f"{post}/comments", COMMENT_FIELDS),
        ("1015550001/ratings", RATING_FIELDS),
    ):
        if fields:
            yield _get(
                running, f"/v21.0/{path}?{urlencode({'fields': fields, 'filter': 'stream'})}", running.emulator.token
            )


def _reddit(running: Any) -> Iterator[bytes]:
    emulator = running.emulator
    emulator.post("eva", "Zkušenosti?", "Kde je můj balík?")
    emulator._tokens["fuzz"] = emulator.ACCOUNT
    for path in ("/r/eshopy/comments/?raw_json=1", "/r/eshopy/new?raw_json=1", "/message/mentions?raw_json=1"):
        answer = _get(running, path, "fuzz")
        if json.loads(answer)["data"]["children"]:
            yield answer


def _heureka(running: Any) -> Iterator[bytes]:
    key = next(iter(running.emulator.secrets().values()))
    for path in ("export-review", "export-product-review"):
        yield _get(running, f"/direct/dotaznik/{path}.php?key={key}")


def _feed(running: Any) -> Iterator[bytes]:
    key = next(iter(running.emulator.secrets().values()))
    open = {"rss": "/rss.xml", "atom": "/atom.xml", "json_feed": "/feed.json"}
    variant = running.emulator.variant
    yield _get(running, open.get(variant, f"/reviews.{variant}?key={key}"))


def _get(running: Any, path: str, token: str = "") -> bytes:
    request = Request(running.base + path, headers={"authorization": f"bearer {token}" if token else "none"})
    if token.startswith("EAA"):
        request.headers["Authorization"] = f"Bearer {token}"
    with urlopen(request, timeout=10) as answer:
        content: bytes = answer.read()
        return content


ANSWERS: dict[str, Callable[[Any], Iterator[bytes]]] = {
    "facebook": _facebook,
    "feed": _feed,
    "heureka": _heureka,
    "reddit": _reddit,
}


@st.composite
def damaged(draw: st.DrawFn, answers: list[bytes]) -> bytes:
    content = draw(st.sampled_from(answers))
    if content[:1] in b"[{" and draw(st.booleans()):
        value = json.loads(content)
        for _ in range(draw(st.integers(1, 3))):
            value = _replaced(draw, value)
        content = json.dumps(value).encode()
        if draw(st.integers(0, 3)):
            return content
    damaged = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(damaged)))
        match draw(st.integers(0, 3)):
            case 0:
                damaged[at:at] = draw(st.sampled_from(BYTES))
            case 1:
                del damaged[at : at + draw(st.integers(1, 200))]
            case 2:
                damaged[at : at + 1] = draw(st.binary(min_size=1, max_size=3))
            case 3:
                piece = damaged[at : at + draw(st.integers(1, 400))]
                damaged[at:at] = piece
    return bytes(damaged)


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    """Puts something nasty in the place of one thing somewhere in the value."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: _replaced(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at]), *value[at + 1 :]]
    return draw(st.sampled_from(NASTY))


@pytest.mark.parametrize(
    ("platform", "variant"),
    [("facebook", ""), ("reddit", ""), ("heureka", ""), *(("feed", each) for each in FEEDS)],
)
@pytest.mark.timeout(120)
# Hypothesis counts the collector's time in a callback of its own, which deep recursion may hit.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*gc_callback:pytest.PytestUnraisableExceptionWarning")
def test_damaged_answers(place: Path, platform: str, variant: str) -> None:
    room = place / f"{platform}-{variant}"
    room.mkdir()
    make = load_emulator(platform)
    emulator = make(variant=variant) if variant else make()
    with serve(emulator) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.secrets().items():
            patch.setenv(name, value)
        emulator.write(WORDS)
        answers = list(ANSWERS[platform](running))
        assert answers
        path = room / "reviewdesk.toml"
        path.write_text(toml_for([running], shop="Obchod", poll_seconds=1), encoding="utf-8")
        config = load(path, db=room / "desk.db")
    (source,) = config.sources

    with Store(config.database) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.secrets().items():
            patch.setenv(name, value)
        store.db.conn.execute("PRAGMA synchronous = OFF")

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(damaged(answers))
        def try_one(content: bytes) -> None:
            file = room / "answer"
            file.write_bytes(content)
            try:
                asyncio.run(import_file(config, store, source, file))
            except PluginError:
                raise
            except ReviewdeskError:
                # One sentence for a person, and nothing that was not foreseen.
                return

        for answer in answers:
            (room / "answer").write_bytes(answer)
            asyncio.run(import_file(config, store, source, room / "answer"))
        try_one()
        assert store.health.damage() == []


EXAMPLE = (Path(__file__).parents[2] / "reviewdesk.toml").read_text(encoding="utf-8")
VALID = """[shop]
name = "Obchod"
[desk]
agent = "jana"
undo_seconds = 5
[[agent]]
id = "jana"
name = "Jana"
[[source]]
id = "fb"
connector = "facebook"
page_id = "1"
token = "env:TOKEN"
[[source]]
id = "rss"
connector = "feed"
url = "https://example.com/rss.xml"
format = "json"
fields = { id = "id", rating = { select = "stars", scale = [0, 100], to = [1, 5] } }
"""
TOML = ["=", "[", "]", "[[", '"', "'''", "\n", "#", "{", "}", "nan", "-inf", "9" * 30, "1979-05-27", "\x00", "\\u0000",
        "true", "0x", "[[source]]\n", "[desk]\n",
        "a.b.c = 1\n", "id = 1\n", '"\\ud800"', "poll_seconds = -1\n"]  # fmt: skip


@st.composite
def damaged_toml(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from([VALID, EXAMPLE]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:at] + draw(st.sampled_from(TOML)) + text[at:]
            case 1:
                text = text[:at] + text[at + draw(st.integers(1, 60)) :]
            case 2:
                text = text[:at] + draw(st.text(max_size=3)) + text[at + 1 :]
            case 3:
                lines = text.splitlines(keepends=True)
                line = draw(st.sampled_from(lines)) if lines else ""
                text = text[:at] + line + text[at:]
    content = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(min_size=1, max_size=3)) + content[at:]
    return content


@settings(max_examples=EXAMPLES * 4, suppress_health_check=list(HealthCheck))
@given(damaged_toml())
def test_damaged_configurations(place: Path, content: bytes) -> None:
    from reviewdesk.cli.session import _mistakes_above

    path = place / "reviewdesk.toml"
    path.write_bytes(content)
    with suppress(ConfigError):
        load(path, environ={}, also=_mistakes_above)
