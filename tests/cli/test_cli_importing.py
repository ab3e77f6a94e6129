"""`import`: saved exports and answers, among them recorded ones that strangers saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

REAL = Path(__file__).parents[3] / "shared/real"
recorded = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded exports are not beside this checkout")
EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<reviews><review><rating_id>1</rating_id><unix_timestamp>1700000000</unix_timestamp><total_rating>1.5</total_rating>
<summary><![CDATA[Balík nedorazil. <b>Hanba</b> &amp; zklamání]]></summary><order_id>77</order_id></review></reviews>
"""


@recorded
@pytest.mark.parametrize(
    ("connector", "file", "options", "count"),
    [
        ("heureka", "heureka/eshop-reviews.xml", [], 5),
        ("heureka", "heureka/product-reviews.xml", [], 4),
        ("heureka", "heureka/product-reviews-null.xml", [], 3),
        ("facebook", "facebook/comments_p1.json", ["--set", "page_id=1"], 10),
        ("facebook", "facebook/comments_p2.json", ["--set", "page_id=1"], None),
        ("facebook", "facebook/feed_fields_p1.json", ["--set", "page_id=1"], None),
        ("facebook", "facebook/feed_fields_p2.json", ["--set", "page_id=1"], None),
        ("feed", "feeds/example.json", [], 2),
        ("feed", "feeds/item_content_encoded.xml", [], 1),
    ],
)
def test_recorded_files_come_in_once(
    connector: str, file: str, options: list[str], count: int | None, run: Run
) -> None:
    args = ("import", connector, REAL / file, *options, "--db", "new.db")
    told = run(*args)
    assert told.code == 0, told.err
    assert told.out == ""
    exported = run("export", "--db", "new.db").json
    assert len(exported) == count if count is not None else exported
    assert f" {len(exported)} new, 0 changed" in told.err
    assert all(each["assessment"] for each in exported)
    again = run(*args)
    assert " 0 new, 0 changed" in again.err
    assert run("export", "--db", "new.db").json == exported


@recorded
def test_one_review_that_stands_in_two_files_is_one_mention(run: Run) -> None:
    for name in ("product-reviews.xml", "product-reviews-null.xml"):
        assert run("import", "heureka", REAL / "heureka" / name, "--db", "new.db").code == 0
    keys = [each["mention"]["id"] for each in run("export", "--db", "new.db").json]
    assert len(keys) == len(set(keys)) == 5


@recorded
@pytest.mark.parametrize(
    ("connector", "file", "options", "expected"),
    [
        ("heureka", "feeds/item_content_encoded.xml", [], "is not an export of reviews from Heureka"),
        ("heureka", "facebook/comments_p1.json", [], "Heureka"),
        ("facebook", "heureka/eshop-reviews.xml", ["--set", "page_id=1"], "eshop-reviews.xml"),
        ("facebook", "facebook/error.json", ["--set", "page_id=1"], "holds an error of the Graph API"),
    ],
)
def test_a_file_of_another_platform_is_a_sentence(
    connector: str, file: str, options: list[str], expected: str, run: Run
) -> None:
    told = run("import", connector, REAL / file, *options, "--db", "new.db")
    assert (told.code, told.out) == (5, "")
    assert expected in told.err
    assert "fault in reviewdesk" not in told.err
    assert run("export", "--db", "new.db").out == ""


@recorded
def test_what_cannot_be_read_is_set_aside_and_told_of(run: Run) -> None:
    told = run("import", "feed", REAL / "feeds/rss_incomplete_cdata.xml", "--db", "new.db")
    assert told.code == 5
    assert "1 set aside" in told.err
    assert "`reviewdesk quarantine list --source feed`" in told.err
    assert len(run("quarantine", "list", "--source", "feed", "--json", "--db", "new.db").json) == 1


@pytest.fixture
def export(tmp_path: Path) -> Path:
    file = tmp_path / "eshop-reviews.xml"
    file.write_text(EXPORT, encoding="utf-8")
    return file


def test_it_belongs_to_the_only_source_of_the_connector(run: Run, export: Path, tmp_path: Path) -> None:
    toml = tmp_path / "reviewdesk.toml"
    toml.write_text('[[source]]\nid = "our-shop"\nconnector = "heureka"\nkey = "env:X"\n')
    assert run("import", "heureka", export, "--db", "new.db").code == 0
    (row,) = run("list", "--db", "new.db", "--json").json
    assert (row["source"], row["complaint"], row["rating"]) == ("our-shop", True, 1.5)
    toml.write_text(toml.read_text() + '[[source]]\nid = "other"\nconnector = "heureka"\nkey = "env:X"\n')
    told = run("import", "heureka", export, "--db", "new.db")
    assert told.code == 2
    assert "our-shop, other. Choose one with --source" in told.err
    assert run("import", "heureka", export, "--source", "other", "--db", "new.db").code == 0
    told = run("import", "facebook", export, "--source", "other", "--db", "new.db")
    assert told.code == 2
    assert "is of another connector" in told.err


def test_a_connector_that_is_not_there(run: Run, export: Path) -> None:
    told = run("import", "heurka", export, "--db", "new.db")
    assert told.code == 2
    assert """No connector is named 'heurka'; did you mean "heureka"?""" in told.err


def test_a_file_that_cannot_be_read_leaves_no_source(run: Run, export: Path) -> None:
    assert run("import", "feed", export, "--db", "new.db").code == 5
    assert run("sources", "--db", "new.db", "--json").out == ""


def test_a_key_of_the_desk_that_would_count_for_nothing_is_told(run: Run, export: Path) -> None:
    told = run("import", "heureka", export, "--set", "title=Our reviews", "--set", "guard=off", "--db", "new.db")
    assert told.code == 3
    assert 'key "title": it is the desk\'s own key and counts in the configuration alone' in told.err
    assert 'key "guard"' in told.err


def test_a_language_that_is_given_counts_before_the_configured_one(run: Run, export: Path, tmp_path: Path) -> None:
    (tmp_path / "reviewdesk.toml").write_text('[[source]]\nid = "shop"\nconnector = "heureka"\nlanguage = "cs"\n')
    assert run("import", "heureka", export, "--set", "language=sk", "--db", "new.db").code == 0
    assert {each["mention"]["language"] for each in run("export", "--db", "new.db").json} == {"sk"}


def test_a_setting_that_is_missing_says_how_to_give_it(run: Run, export: Path) -> None:
    told = run("import", "facebook", export, "--db", "new.db")
    assert told.code == 3
    assert '"page_id" is missing' in told.err
    assert "--set KEY=VALUE" in told.err


PLUGIN = """
from reviewdesk.connector import Batch, Capabilities, Connector, Kind, Mention, Settings

class AcmeSettings(Settings, frozen=True, kw_only=True):
    says: str

class Acme(Connector[AcmeSettings]):
    platform = "acme"
    settings = AcmeSettings
    capabilities = Capabilities(import_file=True)

    async def poll(self, cursor):
        yield Batch(mentions=[])

    async def import_file(self, path):
        yield Batch(mentions=[Mention(id="a1", kind=Kind.POST, text=self.context.settings.says)])
"""
FEED = """[[source]]
id = "reviews"
connector = "feed"
url = "https://example.com/rss"
language = "cs"
"""
CSV = ("--set", "format=csv", "--set", 'fields={id="Id", text="Text"}')


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "reviews.csv"
    file.write_text("Id,Text\n1,Bal\u00edk nedorazil\n2,Super obchod\n", encoding="utf-8")
    (tmp_path / "reviewdesk.toml").write_text(FEED, encoding="utf-8")
    return file


def test_a_setting_that_is_given_counts_before_the_configured_one(run: Run, table: Path) -> None:
    told = run("import", "feed", table, *CSV, "--db", "new.db")
    assert (told.code, told.out) == (0, "")
    assert "reviews: 2 new" in told.err
    assert {each["source"] for each in run("list", "--db", "new.db", "--json").json} == {"reviews"}
    assert run("import", "feed", table, "--db", "new.db").code == 5, "the configuration itself is as it was"


def test_it_counts_for_connectors_of_others_too(run: Run, table: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir(mode=0o700)
    (tmp_path / "plugins" / "acme.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "reviewdesk.toml").write_text('[[source]]\nid = "acme"\nconnector = "acme"\nsays = "configured"\n')
    assert run("import", "acme", table, "--set", "says=given", "--db", "new.db").code == 0
    assert [each["mention"]["text"] for each in run("export", "--db", "new.db").json] == ["given"]


def test_a_mistake_in_what_is_given_over_the_configuration_says_where_it_comes_from(run: Run, table: Path) -> None:
    told = run("import", "feed", table, "--set", "format=xsv", "--db", "new.db")
    assert told.code == 3
    assert "Given with --set and not in the configuration: format." in told.err
    assert "xsv" in told.err


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00", b"<", b"<eshop>", b"<eshop><review>", b"{}", b"[]", b"\xff\xfe", b"<!DOCTYPE html><html></html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><eshop>&a;</eshop>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("connector", ["heureka", "feed", "facebook", "reddit"])
def test_rubbish_is_a_sentence(connector: str, content: bytes, run: Run, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_bytes(content)
    settings = {
        "facebook": ["--set", "page_id=1"],
        "reddit": [
            "--set",
            "client_id=1",
            "--set",
            "user_agent=linux:shop-desk:1.0 (by /u/shop)",
            "--set",
            'subreddits=["eshops"]',
        ],
    }
    told = run("import", connector, "rubbish", *settings.get(connector, []), "--db", "new.db")
    assert told.code in (0, 5)
    assert told.out == ""
    assert "fault in reviewdesk" not in told.err
    assert "failed:" not in told.err


def test_a_cut_export_keeps_what_was_whole(run: Run, export: Path) -> None:
    export.write_text(EXPORT.replace("</reviews>", "<review><rating_id>2</rating_id>"), encoding="utf-8")
    told = run("import", "heureka", export, "--db", "new.db")
    assert told.code == 5
    assert len(run("export", "--db", "new.db").json) == 1


def test_mistakes_in_settings_stand_before_what_to_do_about_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "comments.json").write_text("{}")
    told = run("import", "facebook", str(tmp_path / "comments.json"), "--db", str(tmp_path / "new.db"))
    assert told.code == 3
    _, mistake, way = told.err.splitlines()
    assert 'key "page_id" is missing' in mistake
    assert way.startswith("Give them with --set")
