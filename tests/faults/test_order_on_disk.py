"""What the kernel sees: no reply leaves the process before its `sending` is on the disk."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.flows.street import Street

POST = {"facebook": "POST /v", "reddit": "POST /api/comment"}


def _traces() -> bool:
    return bool(shutil.which("strace")) and subprocess.run(["strace", "-o", "/dev/null", "true"]).returncode == 0


@pytest.mark.skipif(not _traces(), reason="strace is not installed, or may not trace here")
@pytest.mark.parametrize("platform", ["facebook", "reddit"])
async def test_sending_is_on_disk_before_the_reply_leaves(street, platform: str) -> None:
    shop: Street = street(platform)
    ids = [shop.write(platform, f"Rozbité, číslo {count}.") for count in range(3)]
    await shop.poll()
    for count, id in enumerate(ids):
        shop.reply(platform, id, f"Omlouváme se, číslo {count}.")
    with shop.store.transaction() as conn:
        # The process has the real time, which is behind the test's.
        conn.execute("UPDATE reply SET send_after = 0")
    trace = shop.folder / "trace"
    calls = "trace=pwrite64,pwritev,write,writev,fsync,fdatasync,sendto,sendmsg"
    subprocess.run(
        [
            *("strace", "-f", "-y", "-s", "1000000", "-o", str(trace), "-e", calls),
            *(sys.executable, "-m", "reviewdesk", "send", "--quiet"),
        ],
        env=shop.environment(),
        check=True,
        timeout=50,
    )
    assert len(shop.texts(platform)) == len(ids)
    written = synced = 0
    posts = 0
    last = ""
    for number, line in enumerate(trace.read_text(errors="replace").splitlines(), 1):
        call = re.search(r"\b(\w+)\(\d+<([^>]*)>", line)
        if call is None:
            continue
        name, target = call.groups()
        if target.endswith("desk.db-wal") and "write" in name:
            written, last = number, line
        elif target.endswith("desk.db-wal") and "sync" in name:
            synced = number
        elif POST[platform] in line:
            posts += 1
            assert 0 < written < synced, f"line {number}: the reply left, and what was written before is not on disk"
            assert "sending" in last or posts > 1
    assert posts == len(ids)
