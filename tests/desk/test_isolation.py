"""Third parties' connectors of every bad kind: each is named with its fault, and nobody else suffers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import indent

import pytest

from reviewdesk import plugins
from reviewdesk.config import Config, SourceConfig, load
from reviewdesk.connector import Capabilities, Kind, Mention, ReplyMode
from reviewdesk.desk.check import check
from reviewdesk.desk.coverage import watch
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.importing import import_file
from reviewdesk.desk.moderate import Deed, delete_reply, do_here, edit_reply, hide, like
from reviewdesk.desk.poll import Outcome, Polled, poll_round
from reviewdesk.desk.quarantine import retry
from reviewdesk.desk.respond import Respond
from reviewdesk.desk.steps import Requested, Step, Taken
from reviewdesk.desk.survey import survey
from reviewdesk.errors import PluginError, Refused
from reviewdesk.model import DeliveryState, Level, SetAside, Status
from reviewdesk.store.db import Store
from tests.desk.plugins import GOOD, configuration, connector, plugin
from tests.desk.shops import Clock, registered

FOREVER = "import time\nwhile True: time.sleep(1)"
CLOSE = "async def close(self):\n    import time\n    while True: time.sleep(1)"
HANGS = {
    "import": (connector(top=FOREVER), "hangs while it is loaded"),
    "init": (connector(init=FOREVER), "hangs while it is made"),
    "poll": (connector(poll=FOREVER + "\nyield Batch()"), "hangs while it polls"),
    "close": (connector(members=CLOSE), "hangs while it is closed"),
}  # fmt: skip
ENDS = {
    "exits": (connector(poll="import sys\nsys.exit(7)\nyield Batch()"), "SystemExit: 7"),
    "exits_hard": (connector(poll="import os\nos._exit(7)\nyield Batch()"), "ended its own process (code 7)"),
    "kills": (connector(poll="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nyield Batch()"), "(code -9)"),
    "cancels": (
        connector(poll="import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(9))\ntask.cancel()\nawait task\n"
                       "yield Batch()"), "failed: asyncio.exceptions.CancelledError"),
    "raises": (connector(poll="raise LookupError('no such thing')\nyield Batch()"), "LookupError: no such thing"),
    "unspeakable": (
        connector(top="class Bad(Exception):\n    def __str__(self): raise self",
                  poll="raise Bad\nyield Batch()"), "failed: "),
    "desks_own": (
        connector(poll="from reviewdesk.errors import StoreError\nraise StoreError(5)\nyield Batch()"), "5"),
    "group": (connector(poll="raise BaseException('odd')\nyield Batch()"), "ended its own process"),
}  # fmt: skip
TIGHT = "poll_budget_seconds = 3\npoll_budget_mentions = 1000"
GARBAGE = {
    "no_batch": (connector(poll="yield {'mentions': []}"), "it gave a dict where a Batch was due"),
    "text": (connector(poll="yield Batch(mentions='abc')"), "is to be a list, not a str"),
    "cursor": (connector(poll="yield Batch(mentions=[Mention(id='1', kind=Kind.REVIEW)], cursor={'a': {1}})"),
               "its cursor is no JSON"),
    "million": (connector(poll="yield Batch(mentions=[Mention(id='1', kind=Kind.REVIEW)] * 1_000_000)"),
                "one batch of it holds 1,000,000 mentions"),
    "floods": (connector(poll="while True:\n    yield Batch()"), "empty batches in a row"),
    "again": (connector(poll="while True: yield Batch(mentions=[Mention(id='1', kind=Kind.REVIEW)] * 500)"),
              "without a cursor to go on from"),
    "capable": (connector(init="self.capabilities = 5"), "its capabilities are none"),
    "waits": (connector(poll="import asyncio\nawait asyncio.sleep(3600)\nyield Batch()"), "it gave nothing for"),
}  # fmt: skip
HARMLESS = {
    "prints": connector(
        top="print('{\"ended\": true}')",
        poll="import os\nprint('{}')\nos.write(1, b'{\"ended\": true}\\n')\nos.write(2, b'x' * 300_000)\n"
        "yield Batch(mentions=[Mention(id='1', kind=Kind.REVIEW)])",
    ),
    "meddles": connector(
        top="import logging, os, signal, sys\nsys.path[:] = []\nos.chdir('/')\nsys.stdout = sys.stderr = None\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nlogging.disable()\nlogging.getLogger().handlers.clear()\n"
        "os.environ.clear()",
    ),
    "threads": connector(top="import threading, time\nthreading.Thread(target=time.sleep, args=[3600]).start()"),
    "reads": connector(top="import sys\nassert sys.stdin.read() == ''"),
    "cancels": connector(
        members="async def close(self):\n    import asyncio\n    task = asyncio.ensure_future(asyncio.sleep(9))\n"
        "    task.cancel()\n    await task"
    ),
    "budget": connector(init="context.report_budget('plenty')\nself.title = 5"),
}


async def polled(folder: Path, plugins: dict[str, str], more: str = "") -> dict[str, Polled]:
    """Polls plugins and one good one beside them, each through its own process."""
    for name, code in {**plugins, "good": GOOD}.items():
        plugin(folder, name, code)
    config = load(configuration(folder, *plugins, "good", more=more))
    with Store(config.database) as store:
        told = {each.source: each for each in await poll_round(config, store)}
        states = {state.id: state for state in store.sources.states()}
    assert told["good"].outcome is Outcome.DONE, told["good"].error
    assert told["good"].brought.new == 1
    for name, each in told.items():
        assert states[name].leased_until is None
        if each.error is not None:
            assert states[name].fault == each.error.sentence
            assert states[name].next_at is not None, "it is seen when it is tried again"
            assert not states[name].parked
    return told


@pytest.mark.parametrize("table", [HANGS, ENDS, GARBAGE], ids=["hangs", "ends", "garbage"])
async def test_each_is_named_with_its_fault(tmp_path: Path, table: dict[str, tuple[str, str]]) -> None:
    told = await polled(tmp_path, {name: code for name, (code, _) in table.items()}, more=TIGHT)
    for name, (_, expected) in table.items():
        error = told[name].error
        assert error is not None, name
        assert expected in error.sentence, name
        if name != "desks_own":
            assert isinstance(error, PluginError), name
            assert repr(name) in error.sentence


async def test_what_harms_only_its_own_process_harms_nobody(tmp_path: Path) -> None:
    before = os.getcwd()
    told = await polled(tmp_path, HARMLESS)
    assert {each.outcome for each in told.values()} == {Outcome.DONE}
    assert {each.brought.new for each in told.values()} == {1}
    assert os.getcwd() == before


async def test_no_secret_that_it_prints_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "hide-me-please")
    said = "import sys\nfor where in (sys.stdout, sys.stderr):\n    print('The token is', token, file=where)\n"
    reads = "from reviewdesk.connector import Secret\ntoken = Secret('env:ACME_TOKEN').reveal()\n"
    with caplog.at_level("INFO"):
        await polled(tmp_path, {"acme": connector(poll=f"{reads}{said}yield Batch()")})
    assert caplog.text.count("The token is") == 2
    assert "hide-me-please" not in caplog.text


async def test_what_was_committed_before_a_hang_stays_and_is_counted(tmp_path: Path) -> None:
    code = connector(poll="yield Batch(mentions=[Mention(id='1', kind=Kind.REVIEW)], cursor={'n': 1})\n" + FOREVER)
    told = await polled(tmp_path, {"acme": code})
    assert told["acme"].brought.new == 1
    with Store(tmp_path / "desk.db") as store:
        assert store.sources.cursor("acme") == {"n": 1}


async def test_a_budget_stops_a_poll_and_the_next_goes_on(tmp_path: Path) -> None:
    plugin(tmp_path, "acme", connector(poll="""
        page = (cursor or {"page": 0})["page"]
        while page < 5:
            ids = range(page * 10, page * 10 + 10)
            page += 1
            yield Batch(mentions=[Mention(id=str(id), kind=Kind.REVIEW) for id in ids], cursor={"page": page})
        """))  # fmt: skip
    config = load(configuration(tmp_path, "acme", more="poll_budget_mentions = 20"))
    with Store(config.database) as store:
        rounds = [(await poll_round(config, store))[0] for _ in range(4)]
    assert [each.brought.new for each in rounds] == [20, 20, 10, 0]
    assert [each.more for each in rounds] == [True, True, False, False]
    assert [each.outcome for each in rounds] == [Outcome.DONE] * 3 + [Outcome.NOT_DUE]


async def test_a_trace_comes_through(tmp_path: Path) -> None:
    plugin(tmp_path, "acme", connector(poll="""
        http = self.context.http("http://127.0.0.1:9", limits=Limits(attempts=1))
        try:
            await http.get("reviews", params={"token": "abcdefgh"})
        except Unreachable:
            yield Batch(mentions=[Mention(id="1", kind=Kind.REVIEW), Mention(id=2, kind=Kind.REVIEW)])
        """, top="from reviewdesk.connector import Limits, Unreachable"))  # fmt: skip
    config = load(configuration(tmp_path, "acme"))
    steps: list[Step] = []
    with Store(config.database) as store:
        await poll_round(config, store, trace=True, tell=steps.append)
    (requested,) = [step for step in steps if isinstance(step, Requested)]
    assert (requested.exchange.method, requested.exchange.status) == ("GET", 0)
    assert "abcdefgh" not in requested.exchange.url
    items = [step.item for step in steps if isinstance(step, Taken)]
    assert [(item.id, item.outcome) for item in items] == [("1", "new"), ("2", "set aside")]
    assert "id" in items[1].reason


async def test_one_that_is_switched_off_runs_for_nothing(tmp_path: Path) -> None:
    file = plugin(tmp_path, "acme", f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + GOOD)
    config = load(configuration(tmp_path, "acme"))
    with Store(config.database) as store:
        store.sources.register("acme", "acme", "Acme")
        store.sources.switch("acme", on=False)
        for only in ([], ["acme"]):
            (told,) = await poll_round(config, store, only=only, now=True)
            assert told.outcome is Outcome.DISABLED
        assert not (tmp_path / "ran").exists()
        store.sources.switch("acme", on=True)
        (told,) = await poll_round(config, store)
    assert told.outcome is Outcome.DONE, file
    assert (tmp_path / "ran").exists()


async def test_checks_and_the_survey_name_the_bad_ones(tmp_path: Path) -> None:
    bad = {
        "hangs": (connector(members="async def check(self):\n    import time\n    while True: time.sleep(1)"), "hangs"),
        "findings": (connector(members="async def check(self):\n    return ['fine']"), "something else than findings"),
        "broken": ("def broken(:", "SyntaxError"),
    }  # fmt: skip
    for name, (code, _) in bad.items():
        plugin(tmp_path, name, code)
    plugin(tmp_path, "forever", connector(top=FOREVER))
    plugin(tmp_path, "good")
    config = load(configuration(tmp_path, *bad, "good"))
    for source in config.sources:
        (finding,) = await check(config, source, clock=Clock())
        if source.id == "good":
            assert (finding.level, finding.sentence) == (Level.OK, "Acme is there.")
        else:
            assert finding.level is Level.FAULT
            assert bad[source.id][1] in finding.sentence
    found = {each.plugin.name: each for each in await survey(tmp_path, hang_seconds=2)}
    assert {name for name, each in found.items() if each.fault} == {"broken", "forever"}
    assert "hangs while it is loaded" in str(found["forever"].fault)
    assert found["good"].title == "Acme"


async def test_watching_for_ends_of_tokens_loads_nobody_into_this_process(tmp_path: Path) -> None:
    ends = """
    async def check(self):
        from datetime import timedelta
        end = self.context.clock() + timedelta(days=5)
        return [Finding(level=Level.OK, sentence="The key ends.", expires_at=end)]
    """
    plugin(tmp_path, "acme", connector(top="import sys\nsys.modules['acme_was_here'] = sys", members=ends))
    hangs = "async def check(self):\n    import time\n    while True: time.sleep(1)"
    plugin(tmp_path, "hangs", connector(members=hangs))
    config = load(configuration(tmp_path, "acme", "hangs"))
    with Store(config.database) as store:
        await poll_round(config, store)
        (told,) = await watch(config, store)
        assert (told.source, "The key ends. Until" in told.sentence) == ("acme", True)
        assert await watch(config, store) == [], "neither is asked again today"
    assert "acme_was_here" not in sys.modules


REPLIES = """
async def reply(self, mention, text, key):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("import time\n    while True: time.sleep(1)", DeliveryState.UNKNOWN),
        ("import os; os._exit(3)", DeliveryState.UNKNOWN),
        ("return PostedReply(id=5)", DeliveryState.UNKNOWN),
        ("return PostedReply(id='r5')", DeliveryState.POSTED),
    ],
    ids=["hangs", "ends", "garbage", "good"],
)
async def test_a_reply_through_a_process_of_its_own(
    tmp_path: Path, body: str, state: DeliveryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdesk.desk.deliver._SHORTEST_PATIENCE", 2)
    able = "capabilities = Capabilities(reply=ReplyMode.API)"
    top = "from reviewdesk.connector import Capabilities, PostedReply, ReplyMode"
    members = f"{able}\n{REPLIES.format(body=body)}"
    code = f"{top}\n" + connector(members=members)
    plugin(tmp_path, "acme", code)
    config = load(configuration(tmp_path, "acme", more="undo_seconds = 0"))
    with Store(config.database) as store:
        registered(store, "acme", Capabilities(reply=ReplyMode.API))
        store.mentions.ingest("acme", [Mention(id="1", kind=Kind.COMMENT, text="Nefunguje.")])
        found = store.mentions.find("acme", "1")
        assert found is not None
        reply = Respond(store, "jana", config).send(found.id, "Omlouváme se.", despite_warnings=True)
        told = await deliver(config, store)
        assert store.outbox.get(reply.id).state is state
    assert [each.state for each in told] == [state]
    if state is DeliveryState.UNKNOWN:
        assert told[0].fault


ABLE = "from reviewdesk.connector import Capabilities, PostedReply, Refused"
STUCK = "import time\nwhile True: time.sleep(1)"
DEEDS = {
    "hide": ("hide(self, mention, hidden)", lambda *at: hide(*at, True)),
    "like": ("like(self, mention, liked)", lambda *at: like(*at, True)),
    "edit_reply": ("edit_reply(self, reply, text)", lambda *at: edit_reply(*at, "Jinak.")),
    "delete_reply": ("delete_reply(self, reply)", delete_reply),
}  # fmt: skip
ILL = {
    "hangs": (STUCK, "hangs while it is to"),
    "ends": ("import os; os._exit(3)", "ended its own process (code 3) while it is to"),
    "raises": ("raise LookupError('no such thing')", "LookupError: no such thing"),
}


def world(folder: Path, members: str) -> tuple[Config, Store]:
    """Gives a desk with a mention and a posted reply at a third party's source whose connector has these members."""
    able = ", ".join(f"{name}=True" for name in DEEDS if f"def {name}(" in members)
    plugin(folder, "acme", f"{ABLE}\n" + connector(members=f"capabilities = Capabilities({able})\n{members}"))
    config = load(configuration(folder, "acme", more="undo_seconds = 0"))
    store = Store(config.database)
    registered(store, "acme", Capabilities(reply=ReplyMode.API))
    store.mentions.ingest("acme", [Mention(id="1", kind=Kind.COMMENT, text="Nefunguje.")])
    reply = Respond(store, "jana", config).send(1, "Omlouváme se.", despite_warnings=True)
    claimed = store.outbox.claim("x", lease_seconds=60, skip_sources=())
    assert claimed is not None
    store.outbox.move(claimed, DeliveryState.POSTED, holder="x", remote_id="r1", remote_text=reply.text)
    store.mentions.change([1], {"status": Status.ANSWERED.value}, agent="jana", what="answered")
    return config, store


def marks(store: Store) -> set[str]:
    """Gives what is noted of the mention as done on its platform."""
    (row,) = store.db.conn.execute("SELECT hidden, liked FROM mention WHERE id = 1").fetchall()
    return {name for name, done in zip(("hidden", "liked"), row, strict=True) if done}


@pytest.mark.parametrize(
    ("deed", "ill"),
    [("hide", "hangs"), ("like", "ends"), ("edit_reply", "raises"), ("delete_reply", "hangs")],
)
async def test_what_a_person_waits_for_ends_in_a_sentence(tmp_path: Path, deed: str, ill: str) -> None:
    signature, do = DEEDS[deed]
    body, expected = ILL[ill]
    config, store = world(tmp_path, f"async def {signature}:\n" + indent(body, "    "))
    with store:
        with pytest.raises(PluginError) as caught:
            await do(config, store, "jana", 1)
        assert expected in caught.value.sentence
        assert "'acme'" in caught.value.sentence
        assert not marks(store)
        assert store.outbox.get(1).state is DeliveryState.POSTED


async def test_a_mention_that_the_shop_has_answered_in_other_ways_stays_answered(tmp_path: Path) -> None:
    config, store = world(tmp_path, "async def delete_reply(self, reply): pass\n")
    answer = Mention(id="2", kind=Kind.COMMENT, text="Voláme.", ours=True, parent_id="1", thread_id="1")
    with store:
        store.mentions.ingest("acme", [answer])
        await do_here(config, store, Deed(what="delete_reply", agent="jana", id=1))
        assert store.outbox.get(1).state is DeliveryState.WITHDRAWN
        assert store.mentions.get(1).status is Status.ANSWERED


async def test_what_a_person_waits_for_is_done_apart(tmp_path: Path) -> None:
    done = tmp_path / "done"
    members = "".join(
        f"async def {signature}:\n"
        f"    import os\n    print(os.getpid(), {name!r}, file=open({str(done)!r}, 'a'))\n"
        + ("    return PostedReply(id='r1', text=text)\n" if name == "edit_reply" else "")
        for name, (signature, _) in DEEDS.items()
    )
    config, store = world(tmp_path, members)
    with store:
        for _, do in DEEDS.values():
            await do(config, store, "jana", 1)
        assert marks(store) == {"hidden", "liked"}
        assert store.outbox.get(1).state is DeliveryState.WITHDRAWN
        assert store.outbox.get(1).remote_text == "Jinak."
        assert store.mentions.get(1).status is Status.OPEN, "what nothing answers any more waits for a reply again"
    lines = [line.split() for line in done.read_text().splitlines()]
    assert [name for _, name in lines] == list(DEEDS)
    assert str(os.getpid()) not in [pid for pid, _ in lines]


async def test_a_refusal_apart_is_told_as_it_is(tmp_path: Path) -> None:
    refused = "raise Refused('Not this one.')"
    config, store = world(tmp_path, f"async def hide(self, mention, hidden): {refused}")
    with store, pytest.raises(Refused, match="Not this one"):
        await hide(config, store, "jana", 1, True)


IMPORTS = {
    "hangs": ("yield Batch(mentions=[Mention(id='7', kind=Kind.REVIEW)])\n" + STUCK, "hangs while it reads the file"),
    "ends": ("yield Batch(mentions=[Mention(id='7', kind=Kind.REVIEW)])\nimport os; os._exit(3)", "code 3"),
    "garbage": ("yield Batch(mentions=[Mention(id='7', kind=Kind.REVIEW)])\nyield 5", "it gave a int"),
}


@pytest.mark.parametrize("ill", IMPORTS)
async def test_an_import_apart_keeps_what_came_before(tmp_path: Path, ill: str) -> None:
    body, expected = IMPORTS[ill]
    reads = "capabilities = Capabilities(import_file=True)\nasync def import_file(self, path):\n" + indent(body, "    ")
    plugin(tmp_path, "acme", f"{ABLE}\n" + connector(members=reads))
    config = load(configuration(tmp_path, "acme"))
    with Store(config.database) as store:
        with pytest.raises(PluginError) as caught:
            await import_file(config, store, config.source("acme"), tmp_path / "saved.json")
        assert expected in caught.value.sentence
        assert store.mentions.find("acme", "7") is not None


async def test_an_import_apart_reads_for_a_source_that_is_in_no_configuration(tmp_path: Path) -> None:
    reads = """
        capabilities = Capabilities(import_file=True)
        async def import_file(self, path):
            yield Batch(mentions=[Mention(id="7", kind=Kind.REVIEW, text=f"{self.config.shop}: {path.read_text()}")])
        """
    plugin(tmp_path, "acme", f"{ABLE}\n" + connector(members=reads))
    config = load(configuration(tmp_path))
    (tmp_path / "saved.txt").write_text("Nefunguje.")
    source = SourceConfig(id="old", connector="acme", settings={"shop": "Demo"}, document=config.document)
    with Store(config.database) as store:
        done = await import_file(config, store, source, tmp_path / "saved.txt")
        assert done.brought.new == 1
        found = store.mentions.find("old", "7")
        assert found is not None
        assert found.mention.text == "Demo: Nefunguje."


READS_AGAIN = """
def read_item(self, raw):
    import os
    if raw == "ill":
        {ill}
    return [Mention(id=raw, kind=Kind.REVIEW, text=str(os.getpid()))]
"""


@pytest.mark.parametrize(
    ("ill", "sentence", "last"),
    [
        ("import time\n        while True: time.sleep(1)", "'acme' hangs while it reads item 2 again", "stays"),
        ("os._exit(3)", "'acme' ended its own process (code 3) while it reads item 2 again", "stays"),
        ("raise LookupError('no such thing')", "no such thing", "in"),
        ("raise SystemExit(7)", "7", "in"),
        ("return 5", "object is not iterable", "in"),
    ],
    ids=["hangs", "ends", "raises", "exits", "garbage"],
)
async def test_what_was_set_aside_is_read_again_apart(tmp_path: Path, ill: str, sentence: str, last: str) -> None:
    plugin(tmp_path, "acme", connector(members=READS_AGAIN.format(ill=ill)))
    config = load(configuration(tmp_path, "acme", "feed"))
    with Store(config.database) as store:
        for source, raws in (("acme", ("last", "ill", "first")), ("feed", ("own",))):
            store.sources.register(source, source, source)
            store.mentions.ingest(source, (), set_aside=[SetAside(reason="No time.", raw=raw) for raw in raws])
        done = {each.item.raw: each for each in await retry(config, store, store.sources.quarantined())}
        first = store.mentions.find("acme", "first")
        assert first is not None
        assert first.mention.text.isdigit()
        assert first.mention.text != str(os.getpid())
        assert sentence in done["ill"].reason
        assert (store.mentions.find("acme", "last") is not None) is (last == "in")
        assert (done["last"].reason == "") is (last == "in")
        assert "cannot read a single item" in done["own"].reason, "another source's items are tried all the same"
        left = {each.raw for each in store.sources.quarantined("acme")}
        assert left == ({"ill"} if last == "in" else {"ill", "last"})


def test_what_is_installed_is_listed_once_for_all_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, "acme")
    config = load(configuration(tmp_path, "acme", "heureka", "feed"))
    listings = []
    real = plugins.connectors
    monkeypatch.setattr(plugins, "connectors", lambda beside: listings.append(beside) or real(beside))
    assert plugins.foreign_among(config.sources) == {"acme"}
    assert len(listings) == 1
