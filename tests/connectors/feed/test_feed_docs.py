"""The worked examples of the manual give what the manual says they give."""

import json
import re
import tomllib
from datetime import datetime
from pathlib import Path

import httpx
import pytest

PAGE = Path(__file__).parents[3] / "docs" / "platforms" / "feed.md"
BLOCK = r"```\w+\n(.*?)```\s*"
EXAMPLES = {
    name: (sample, table, result)
    for name, sample, table, result in re.findall(
        r"<!-- example: (\w+) -->\s*" + BLOCK * 3, PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
}


def shown(mention, name: str):
    value = mention.author.name if name == "author" else getattr(mention, name)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", ["xml", "json", "csv", "rss"])
async def test_worked_example(name, feed, poll, tmp_path, monkeypatch):
    sample, written, result = EXAMPLES[name]
    monkeypatch.setenv("PORTAL_X_KEY", "key-of-portal-x")
    monkeypatch.setenv("PORTAL_Y_TOKEN", "token-of-portal-y")
    [table] = tomllib.loads(written)["source"]
    body = sample.encode(table.get("encoding", "utf-8"))
    if "file" in table:
        (tmp_path / "export").write_bytes(body)
        table["file"] = str(tmp_path / "export")
    told = await poll(feed(table, lambda _: httpx.Response(200, content=body)))
    assert told.set_aside == []
    expected = json.loads(result)
    found = [
        {name: shown(mention, name) for name in wanted} for mention, wanted in zip(told.mentions, expected, strict=True)
    ]
    assert found == expected


def test_every_key_and_target_is_in_the_manual():
    from reviewdesk_connectors.feed.mapping import TARGETS
    from reviewdesk_connectors.feed.settings import FeedSettings, FieldMap, Paging

    page = PAGE.read_text(encoding="utf-8")
    for struct in (FeedSettings, FieldMap, Paging):
        for key in struct.__struct_encode_fields__:
            assert f"{key}`" in page or f"`{key}" in page or f"[source.{key}]" in page, key
    for target in TARGETS:
        assert f"`{target}`" in page, target
