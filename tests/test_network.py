"""The private network is out of reach for whatever address comes along, unless its source says otherwise."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.config import load
from reviewdesk.desk.connecting import connected
from reviewdesk.errors import BadAnswer, PrivateNetwork, Unreachable
from reviewdesk.http import Http
from reviewdesk.network import addresses_written, ensure_public_url, is_public

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

PRIVATE = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
)
PUBLIC = (
    "8.8.8.8",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::",
)
SPELLINGS = (
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "localhost",
    "LOCALHOST.",
    "www.localhost",
    "2852039166",
    "0xA9.0xFE.0xA9.0xFE",
    "127.0.0.1.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_private_as_any_that_it_stands_behind(address: Any) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address)) == is_public(f"64:ff9b::{address}")
    assert addresses_written(str(int(address))) == [str(address)]


@given(st.text(max_size=30))
def test_whatever_stands_for_a_host_is_read_without_a_fault(host: str) -> None:
    for address in addresses_written(host):
        is_public(address)


class Listening:
    """A service on this machine that only says what arrived."""

    def __init__(self) -> None:
        self.heard = b""
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.heard += await reader.read(1 << 16)
        if self.heard:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()


@pytest.fixture
async def inner() -> Any:
    """Gives a service on this machine and its port."""
    listening = Listening()
    server = await asyncio.start_server(listening, "127.0.0.1", 0)
    yield listening, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Gives what names stand for: one address after the other at each question, the last one for ever."""
    table: dict[str, list[str]] = {}
    true = socket.getaddrinfo

    def told(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in table:
            return true(host, port, *args, **kwargs)
        address = table[name].pop(0) if len(table[name]) > 1 else table[name][0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        place = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return table


async def refused(client: Http, path: str = "x") -> str:
    """Gives the sentence with which every door refuses."""
    sentences = set()
    for ask in (client.get(path), client.post(path, json={}), client.download(path, BytesIO())):
        with pytest.raises(PrivateNetwork) as caught:
            await ask
        sentences.add(str(caught.value))
    with pytest.raises(PrivateNetwork):
        async with client.stream(path):
            pytest.fail("it was opened")
    await client.close()
    (sentence,) = sentences
    return sentence


@pytest.mark.parametrize(
    "host", [*SPELLINGS, *(f"[{each}]" if ":" in each else each for each in PRIVATE if "%" not in each)]
)
async def test_no_spelling_leads_in(host: str) -> None:
    def asked(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"{request.url} was asked")

    client = Http(f"http://{host}:8080", clock=lambda: NOW, transport=httpx.MockTransport(asked))
    sentence = await refused(client)
    assert "private network" in sentence
    assert "private_network = true" in sentence


async def test_a_literal_is_not_even_dialled(inner: Any) -> None:
    listening, port = inner
    await refused(Http(f"http://127.0.0.1:{port}", clock=lambda: NOW))
    assert listening.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1"])
async def test_a_name_that_stands_for_a_private_address_is_not_dialled(names: Any, inner: Any, address: str) -> None:
    listening, port = inner
    names["feed.example"] = [address]
    assert address in await refused(Http(f"http://feed.example:{port}", clock=lambda: NOW))
    assert listening.connections == 0


async def test_a_name_that_changes_between_the_look_and_the_call_gets_no_byte(names: Any, inner: Any) -> None:
    listening, port = inner
    client = Http(f"http://rebound.example:{port}", clock=lambda: NOW)
    for ask in (client.get, client.post):
        names["rebound.example"] = ["8.8.8.8", "127.0.0.1"]
        client._found_public.clear()
        with pytest.raises(PrivateNetwork, match=r"rebound\.example leads to 127\.0\.0\.1"):
            await ask("x")
    # Later too, when the name was found to be public before.
    with pytest.raises(PrivateNetwork):
        await client.get("x")
    await client.close()
    await asyncio.sleep(0)
    assert listening.connections == 3
    assert listening.heard == b""


async def test_a_redirect_to_a_named_host_that_is_private_is_not_followed(no_waiting: None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "shop.example"
        return httpx.Response(302, headers={"location": "https://192.168.1.1/admin"})

    client = Http(
        "https://shop.example", clock=lambda: NOW, hosts=["192.168.1.1"], transport=httpx.MockTransport(answer)
    )
    with pytest.raises(PrivateNetwork):
        await client.get("x")
    with pytest.raises(PrivateNetwork):
        async with client.stream("x"):
            pytest.fail("it was opened")
    elsewhere = Http("https://shop.example", clock=lambda: NOW, transport=httpx.MockTransport(answer))
    with pytest.raises(BadAnswer, match="not followed"):
        await elsewhere.get("x")


async def test_what_is_allowed_is_asked(inner: Any) -> None:
    listening, port = inner
    client = Http(f"http://127.0.0.1:{port}", clock=lambda: NOW, private_network=True)
    assert (await client.get("x")).text == "ok"
    await client.close()
    assert listening.heard.startswith(b"GET /x ")


async def test_a_proxy_may_stand_in_the_private_network(
    names: Any, inner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, port = inner
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    client = Http("http://feed.example", clock=lambda: NOW)
    assert (await client.get("x")).text == "ok"
    await client.close()
    assert listening.heard.startswith(b"GET http://feed.example/x ")
    await refused(Http("http://169.254.169.254", clock=lambda: NOW))
    assert listening.connections == 1


async def test_a_name_that_nobody_knows_is_told_as_ever(no_waiting: None) -> None:
    client = Http("http://nobody.invalid", clock=lambda: NOW)
    with pytest.raises(Unreachable):
        await client.get("x")
    await client.close()


def test_other_clients_have_a_door_of_their_own(names: Any) -> None:
    names["oauth.example"] = ["192.168.0.7"]
    for url in (
        "http://127.0.0.1/",
        "https://oauth.example/api",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://0177.0.0.1/",
    ):
        with pytest.raises(PrivateNetwork):
            ensure_public_url(url)
    names["oauth.example"] = ["151.101.1.140"]
    ensure_public_url("https://oauth.example/api")
    ensure_public_url("https://nobody.invalid/")


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    "source",
    [
        'connector = "feed"\nurl = "http://127.0.0.1:{port}/feed.xml"',
        'connector = "heureka"\nkey = "env:KEY"\napi = "http://127.0.0.1:{port}"',
        'connector = "facebook"\npage_id = "1"\ntoken = "env:KEY"\napi = "http://127.0.0.1:{port}"',
        """connector = "reddit"
           client_id = "id"
           user_agent = "linux:desk:1.0 (by /u/shop)"
           subreddits = ["czech"]
           oauth_url = "http://127.0.0.1:{port}"
           reddit_url = "http://127.0.0.1:{port}\"""",
    ],
    ids=["feed", "heureka", "facebook", "reddit"],
)
async def test_each_source_in_the_box_asks_there_only_where_it_is_told_to(
    inner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_waiting: None, source: str, allowed: bool
) -> None:
    listening, port = inner
    monkeypatch.setenv("KEY", "0123456789abcdef")
    path = tmp_path / "reviewdesk.toml"
    more = "private_network = true" if allowed else ""
    path.write_text(f'[[source]]\nid = "s"\n{source.replace("{port}", str(port))}\n{more}\n')
    config = load(path, environ={})
    told: Exception | None = None
    async with connected(config, config.sources[0], clock=lambda: NOW, folder=tmp_path / "data") as connector:
        try:
            async for _ in connector.poll(None):
                break
        except Exception as error:
            told = error
    assert isinstance(told, PrivateNetwork) is not allowed
    assert (listening.connections > 0) is allowed
