"""A person is erased: nothing of theirs is found in any file of the database, and no poll brings it back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reviewdesk.config import load
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.desk.erase import erase, plan
from reviewdesk.desk.learning import refresh
from reviewdesk.desk.triage import Triage
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Author, DeliveryState, Kind, Label, Mention, SetAside
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "Květoslava Říčanská"
WORDS = "Strakapoud"  # stands in everything that she wrote, and nowhere else
EARLIER = "Hýlrudý"
ADDRESS = "kvetoslava@pošta.example"


def written(id: str, text: str, *, name: str = NAME, author: str = "4711", **more: object) -> Mention:
    told = {"id": id, "from": {"name": name, "id": author}, "message": text}
    given = {"raw": told, "created_at": NOW, "author": Author(id=author, name=name, url=f"https://fb.example/{author}")}
    return Mention(id=id, kind=Kind.COMMENT, text=text, **(given | more))


@pytest.fixture
def store(tmp_path: Path):
    """Gives a shop in which she wrote a lot, and others as well."""
    with Store(tmp_path / "desk.db", clock=lambda: NOW) as store:
        for id in ("fb", "heureka"):
            store.sources.register(id, "facebook", id)
        others = [written(f"o{n}", f"Kolo číslo {n} je rozbité.", name=f"Jan {n}", author=str(n)) for n in range(300)]
        store.mentions.ingest("fb", others)
        store.mentions.ingest("fb", [written("a", f"{EARLIER} a {ADDRESS}")])
        answer = Mention(
            id="r1", kind=Kind.COMMENT, text=f"Dobrý den, paní {NAME}", parent_id="a", thread_id="a", ours=True,
            raw={"message": NAME},
        )  # fmt: skip
        post = written("p", "Příspěvek obchodu", name="Obchod", author="1", thread_id="p")
        comment = written("c", f"{WORDS} pod cizím příspěvkem", thread_id="p", parent_id="p")
        nested = {"message": "x", "comments": [{"from": {"name": NAME}, "message": WORDS}]}
        store.mentions.ingest(
            "fb",
            [
                written(
                    "a", f"{WORDS} {ADDRESS}", title=WORDS, pros=(WORDS,), order_id="OBJ-99", url="https://x/" + WORDS
                ),
                answer,
                Mention(**{name: getattr(post, name) for name in post.__struct_fields__} | {"raw": nested}),
                comment,
            ],
            set_aside=[SetAside(id="bad", reason=f"no time for {NAME}", raw=json.dumps({"name": NAME, "m": WORDS}))],
        )
        store.mentions.ingest("heureka", [written("h", f"{WORDS} z Heureky", name="KVETOSLAVA ŘÍČANSKÁ", author="")])
        her = store.mentions.ids(Filter(search=WORDS))
        assert len(her) == 3
        store.people.add_note(her, "jana", f"{WORDS}: volat {NAME}")
        for id in her:
            store.outbox.save_draft(id, "jana", f"Vážená paní {NAME}")
        yield store


def files(store: Store) -> bytes:
    return b"".join(each.read_bytes() for each in store.path.parent.iterdir() if each.name.startswith(store.path.name))


def forms(word: str) -> set[bytes]:
    return {word.encode(), json.dumps(word)[1:-1].encode(), word.encode("utf-16-le"), word.lower().encode()}


def terms(store: Store) -> set[str]:
    conn = store.db.conn
    conn.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'mention_fts', 'row')")
    found = {term for (term,) in conn.execute("SELECT term FROM temp.terms")}
    conn.execute("DROP TABLE temp.terms")
    return found


def test_nothing_is_left_in_any_file(store: Store) -> None:
    before = files(store)
    assert any(form in before for form in forms(WORDS))
    assert {"kvetoslava", "ricanska", "strakapoud"} <= terms(store)
    count = len(store.mentions.ids(Filter()))
    planned = plan(store, who="kvetoslava ricanska")
    assert planned.found.mentions == 3
    assert planned.found.versions >= 4
    assert (planned.found.drafts, planned.found.notes, planned.found.set_aside) == (3, 3, 1)
    assert erase(store, planned.person, agent="jana")
    left = files(store)
    for word in (NAME, WORDS, EARLIER, ADDRESS, "Květoslava", "KVETOSLAVA", "Říčanská", "ŘÍČANSKÁ", "OBJ-99", "4711"):
        assert [form for form in forms(word) if form in left] == [], word
    assert not {"kvetoslava", "ricanska", "strakapoud", "hylrudy"} & terms(store)
    assert store.health.damage() == []
    store.db.conn.execute("INSERT INTO mention_fts (mention_fts, rank) VALUES ('integrity-check', 1)")
    assert len(store.mentions.ids(Filter())) == count, "counts stay"
    assert len(store.mentions.ids(Filter(search="Kolo"))) == 300, "others stay"
    assert not store.erasing.unclean()
    with pytest.raises(NotAllowed, match="Nobody"):
        plan(store, who=NAME)


def test_in_quarantine_others_of_a_longer_name_or_number_stay(tmp_path: Path) -> None:
    hers = [
        '{"from": "Eva"}',
        "<name>Eva</name>",
        json.dumps({"m": "Zdraví\nEva"}),
        '{"m": "\\u00a0Eva"}',
        '{"id": 12}',
    ]
    theirs = ['{"from": "Evangelína"}', '{"from": "Meva", "m": "Seva"}', '{"id": 1234}', '{"id": 912}']
    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "")
        aside = [SetAside(reason="odd", raw=raw) for raw in (*hers, *theirs)]
        store.mentions.ingest("fb", [written("a", "x", name="Eva", author="12")], set_aside=aside)
        planned = plan(store, who="Eva")
        assert planned.found.set_aside == len(hers)
        erase(store, planned.person, agent="jana")
        left = [each.raw for each in store.sources.quarantined() if each.raw]
    assert sorted(left) == sorted(theirs)


def test_no_poll_brings_it_back(store: Store) -> None:
    erase(store, plan(store, who=NAME).person, agent="jana")
    count = len(store.mentions.ids(Filter()))
    again = Mention(id="r1", kind=Kind.COMMENT, text=f"Paní {NAME}", parent_id="a", thread_id="a", ours=True)
    new = Mention(id="r2", kind=Kind.COMMENT, text=f"Ještě, paní {NAME}", parent_id="a", thread_id="a", ours=True)
    for text in (WORDS, f"{WORDS} a upraveno"):
        done = store.mentions.ingest(
            "fb",
            [written("a", text), written("c", text, parent_id="p", thread_id="p"), again, new],
            set_aside=[
                SetAside(id="a", reason=f"{NAME} is odd", raw=f'{{"name": "{NAME}"}}'),
                SetAside(id="bad", reason=f"no time for {NAME}", raw=json.dumps({"name": NAME, "m": WORDS})),
            ],
        )
        assert (done.new, done.changed) == (0, 0)
    store.mentions.ingest("heureka", [written("h", WORDS, name=NAME, author="")])
    store.empty_log()
    left = files(store)
    for word in (NAME, WORDS):
        assert [form for form in forms(word) if form in left] == []
    assert len(store.mentions.ids(Filter())) == count
    assert store.mentions.unassessed("next")[0].mention.id.startswith("o"), "there is nothing to assess in it"
    assert all("a" not in each.mention.id for each in store.mentions.unassessed("next"))


def test_what_she_writes_later_is_a_new_matter(store: Store) -> None:
    erase(store, plan(store, who=NAME).person, agent="jana")
    assert store.mentions.ingest("fb", [written("z", "Něco nového")]).new == 1
    assert len(store.mentions.ids(Filter(search="Květoslava"))) == 1


def test_only_at_one_source(store: Store) -> None:
    planned = plan(store, who=NAME, source="heureka")
    assert planned.person.sources == ("heureka",)
    erase(store, planned.person, agent="jana")
    assert len(store.mentions.ids(Filter(search=WORDS))) == 2


def test_by_the_platforms_id_under_whatever_name(store: Store) -> None:
    store.mentions.ingest("fb", [written("d", "Pod jiným jménem", name="Kačenka")])
    assert plan(store, who="4711").person.names == ("Kačenka", NAME)
    assert plan(store, who="Kačenka").found.mentions == 3


def test_some_mentions_of_a_name_that_many_have(store: Store) -> None:
    store.mentions.ingest("heureka", [written(f"j{n}", f"Slovo{n}", name="Jana", author="") for n in range(2)])
    (one,) = store.mentions.ids(Filter(search="Slovo0"))
    planned = plan(store, mentions=(one,))
    assert planned.person.authors == (), "the other Jana is the same row"
    assert len(planned.elsewhere) == 1
    erase(store, planned.person, agent="jana")
    assert len(store.mentions.ids(Filter(search="Jana"))) == 1


def test_a_reply_that_waits_is_withdrawn(store: Store) -> None:
    (id,) = store.mentions.ids(Filter(search="Heureky"))
    store.outbox.put(id, f"Paní {NAME}", agent="jana")
    erase(store, plan(store, who=NAME).person, agent="jana")
    assert store.outbox.in_states([DeliveryState.QUEUED]) == []
    assert NAME.encode() not in files(store)


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_reply_under_way_is_waited_for(store: Store, state: str) -> None:
    (id,) = store.mentions.ids(Filter(search="Heureky"))
    store.outbox.put(id, f"Paní {NAME}", agent="jana")
    store.db.conn.execute("UPDATE reply SET state = ?", (state,))
    with pytest.raises(NotAllowed, match="under way"):
        erase(store, plan(store, who=NAME).person, agent="jana")
    assert len(store.mentions.ids(Filter(search=WORDS))) == 3, "nothing was half done"


def test_what_is_erased_is_in_no_inbox_and_says_so_in_its_log(store: Store) -> None:
    her = plan(store, who=NAME).person
    erase(store, her, agent="jana")
    for view in (View.COMPLAINTS, View.NEEDS_REPLY, View.OVERDUE):
        assert not set(her.mentions) & set(store.mentions.ids(Filter(view=view)))
    told = store.people.events(her.mentions[0])[0]
    assert (told.what, told.agent) == ("erased", "jana")
    assert store.mentions.conversation(her.mentions[0]).focus.mention.text == ""


def test_a_reader_in_the_way_is_told(store: Store) -> None:
    reader = Store(store.path, read_only=True)
    reader.db.conn.execute("BEGIN")
    reader.db.conn.execute("SELECT count(*) FROM mention").fetchone()
    store.db.conn.execute("PRAGMA busy_timeout = 50")
    assert not erase(store, plan(store, who=NAME).person, agent="jana")
    assert store.erasing.unclean()
    reader.close()
    assert store.erasing.scrub()
    assert NAME.encode() not in files(store)


@pytest.mark.parametrize("who", ["Nikdo", "květo", "%", "", "  ", "' OR 1=1 --"])
def test_nobody_of_that_name(store: Store, who: str) -> None:
    with pytest.raises(NotAllowed):
        plan(store, who=who)


def test_no_such_mention(store: Store) -> None:
    with pytest.raises(NotAllowed, match="99999"):
        plan(store, mentions=(99999,))


def test_what_was_learned_of_her_words_goes_with_them(store: Store, tmp_path: Path) -> None:
    config = load(None, db=store.path, environ={}, optional=True)
    her, other = store.mentions.find("fb", "a"), store.mentions.find("fb", "o1")
    assert her is not None
    assert other is not None
    assess_pending(config, store)
    jana = Triage(store, "jana")
    jana.correct([other.id], Label.NEGATIVE)
    refresh(config, store)
    before = store.corrections.model("cs")
    jana.correct([her.id], Label.NEGATIVE)
    refresh(config, store)
    assert store.corrections.model("cs") != before
    erase(store, plan(store, mentions=(her.id,)).person, agent="jana")
    assert not store.corrections.learned(), "nothing of hers is used until it is learned anew"
    (state,) = refresh(config, store)
    assert (state.corrections, store.corrections.model("cs")) == (1, before)
