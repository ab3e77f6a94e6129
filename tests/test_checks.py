"""The checks of `.ci/run`: nothing is silenced without a reason, and the audit says what it could not ask."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import pytest

ROOT = Path(__file__).parent.parent
SILENCED = re.compile(r"#\s*(?:noqa|nosec)\b(.*)")
WITH_REASON = re.compile(r":\s*[A-Z][A-Z0-9, ]*\d\s+-\s+\S+")


@pytest.mark.parametrize("folder", ["reviewdesk", "connectors", "benchmarks", "tests", ".ci"])
def test_no_finding_is_silenced_without_a_reason(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    without = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := SILENCED.search(line)) and not WITH_REASON.match(found[1])
    ]
    assert without == []


def test_what_is_silenced_for_whole_folders_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = text.split("[tool.ruff.lint]")[1].split("ignore = [")[1].split("]")[0].strip().splitlines()
    folders = text.split("[tool.ruff.lint.per-file-ignores]")[1].split("\n[")[0].strip().splitlines()
    assert len(ignored) > 3
    assert len(folders) > 1
    assert [line for line in (*ignored, *folders) if not re.search(r"#\s\S", line)] == []


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answered(
    monkeypatch: pytest.MonkeyPatch, audit: ModuleType, out: str, err: str = "", *, there: bool = True
) -> bool:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:3] == ["-m", "pip_audit"]
        return subprocess.CompletedProcess(command, 1, out, err)

    class Answer:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    def urlopen(*_: Any, **__: Any) -> Answer:
        if not there:
            raise URLError("no route to host")
        return Answer()

    monkeypatch.setattr(audit.subprocess, "run", run)
    monkeypatch.setattr(audit, "urlopen", urlopen)
    well: bool = audit.audit("pins.txt")
    return well


GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "odd", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "well", "words"),
    [
        ([GOOD], True, "no known vulnerability in 1 of 1"),
        ([GOOD, BAD], False, "bad 2 has PYSEC-1; mended in 3"),
        ([SKIPPED, SKIPPED], True, "NOT AUDITED: the advisory service knows nothing of 2"),
        ([GOOD, SKIPPED], True, "NOT AUDITED: the advisory service knows nothing of 1: odd"),
        ([BAD, SKIPPED], False, "PYSEC-1"),
    ],
)
def test_a_report(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    audit: ModuleType,
    packages: list[Any],
    well: bool,
    words: str,
) -> None:
    assert answered(monkeypatch, audit, json.dumps({"dependencies": packages})) is well
    told = capsys.readouterr().out
    assert words in told
    assert ("no known" in told) is (GOOD in packages and BAD not in packages)


@pytest.mark.parametrize("out", ["", "no JSON", "[]", "{}", "null"])
def test_no_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], audit: ModuleType, out: str
) -> None:
    assert not answered(monkeypatch, audit, out, "it broke"), "the service answers, so the fault is ours"
    assert "it broke" in capsys.readouterr().out
    assert answered(monkeypatch, audit, out, "it broke", there=False)
    assert "NOT AUDITED: the advisory service cannot be reached" in capsys.readouterr().out


def test_the_audit_is_one_of_the_checks() -> None:
    assert "python .ci/audit.py constraints.txt\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
