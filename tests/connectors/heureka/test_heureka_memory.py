"""A large export does not grow memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = r"""
import asyncio, resource, sys, tempfile
from pathlib import Path
import httpx
from reviewdesk.connector import Context, Secret
from reviewdesk_connectors.heureka.connector import Heureka, HeurekaSettings
from reviewdesk_connectors.heureka.payloads import Export

export, size = sys.argv[1], int(sys.argv[2]) << 20
TEXT = "Zboží dorazilo pozdě a v poškozené krabici, ale reklamace proběhla v pořádku. " * 5
SHOP = '''<review><rating_id>%d</rating_id><unix_timestamp>1794219304</unix_timestamp><total_rating>2.5</total_rating>
<cons><![CDATA[pozdě]]></cons><summary><![CDATA[''' + TEXT + ''']]></summary><order_id>A-1</order_id></review>'''
PRODUCT = '''<product><product_name><![CDATA[Konvice]]></product_name><order_id>A-1</order_id><reviews>
<review><rating_id>%d</rating_id><unix_timestamp>1794219304</unix_timestamp>
<summary><![CDATA[''' + TEXT + ''']]></summary>
</review></reviews></product>'''

class Body(httpx.AsyncByteStream):
    def __init__(self, size):
        self.size = size
    async def __aiter__(self):
        root, item = ("reviews", SHOP) if export == "shop" else ("products", PRODUCT)
        yield f"<{root}>".encode()
        sent = number = 0
        while sent < self.size:
            piece = "".join(item % (number + each) for each in range(100)).encode()
            number += 100
            sent += len(piece)
            yield piece
        yield f"</{root}>".encode()

async def poll(size):
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Body(size)))
    settings = HeurekaSettings(key=Secret("0123456789abcdef"), exports=(Export(export),), api="http://127.0.0.1:1")
    with tempfile.TemporaryDirectory() as folder:
        connector = Heureka(Context("h", settings, transport=transport, data=Path(folder), private_network=True))
        count = 0
        async for batch in connector.poll(None):
            count += len(batch.mentions)
        await connector.context.close()
    return count

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

asyncio.run(poll(6 << 20))
before = peak()
count = asyncio.run(poll(size))
print(count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured in Linux's units")
@pytest.mark.parametrize(("export", "megabytes"), [("shop", 30), ("products", 15)])
def test_a_large_export_is_read_in_flat_memory(export: str, megabytes: int) -> None:
    command = [sys.executable, "-c", SCRIPT, export, str(megabytes)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    count, growth = told.stdout.split()
    assert int(count) > megabytes * 1000
    assert float(growth) < megabytes * 0.6
