from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reviewdesk.store.db import Store


def test_opening_a_second_time_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """A desk has readers and a writer in one process, and polls of other processes come and go."""
    path = tmp_path / "desk.db"
    first = Store(path)
    reader = Store(path, read_only=True)
    second = Store(path)
    assert reader.sources.states() == []
    code = (
        "import sys; from reviewdesk.store.db import Store\n"
        "with Store(sys.argv[1]) as store: store.sources.register(sys.argv[2], 'feed', '')"
    )
    for number in range(3):
        subprocess.run([sys.executable, "-c", code, str(path), f"s{number}"], check=True)
        assert [state.id for state in reader.sources.states()] == [f"s{old}" for old in range(number + 1)]
        first.sources.register(f"t{number}", "feed", "")
        assert len(second.sources.states()) == number + 2
        first.db.execute("DELETE FROM source WHERE id = ?", [f"t{number}"])
    assert path.stat().st_mode & 0o777 == 0o600
    for store in (first, reader, second):
        assert store.health.damage() == []
        store.close()
