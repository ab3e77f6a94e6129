"""Asks whether a pinned version is known to be vulnerable: `python .ci/audit.py constraints.txt`.

A finding ends with exit code 1. That the service cannot be asked is said, and is no fault: the other checks need no
internet. pip-audit alone does not tell the two apart: a mirror without advisories answers that it knows no such
package, and pip-audit then says that no vulnerability was found. So only versions that were answered for count.
"""

from __future__ import annotations

import json
import subprocess
import sys
from urllib.request import urlopen

SERVICE = "https://api.osv.dev/v1/vulns/PYSEC-2021-421"
NOT_ASKED = "NOT AUDITED"


def audit(pins: str) -> bool:
    """Asks for every version in a file, tells what is known, and gives whether all is well as far as that is known."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service=osv", "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner=off", "--format=json", "-r", pins]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return without_report(pins, done.stderr.strip())
    asked = [each for each in told if "skip_reason" not in each]
    found = [(each, vulnerability) for each in asked for vulnerability in each["vulns"]]
    for each, vulnerability in found:
        mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        print(f"{pins}: {each['name']} {each['version']} has {vulnerability['id']}; mended in {mended}.")
    if len(asked) < len(told):
        names = ", ".join(each["name"] for each in told if each not in asked)
        print(f"{pins}: {NOT_ASKED}: the advisory service knows nothing of {len(told) - len(asked)}: {names}.")
    if asked and not found:
        print(f"{pins}: no known vulnerability in {len(asked)} of {len(told)} packages.")
    return not found


def without_report(pins: str, fault: str) -> bool:
    """Tells why there is no report; well only where the service cannot be reached."""
    try:
        with urlopen(SERVICE, timeout=15):
            print(f"{pins}: pip-audit failed:\n{fault}")
            return False
    except OSError as error:
        print(f"{pins}: {NOT_ASKED}: the advisory service cannot be reached ({error}).")
        return True


if __name__ == "__main__":
    sys.exit(0 if audit(sys.argv[1]) else 1)
