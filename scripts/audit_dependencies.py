"""Looks whether holes are known in the packages that the service runs with, where that can be looked up.

Usage: python scripts/audit_dependencies.py [requirements.lock]. Fails if there are any; where there is no way to
the list of known holes it says so and does not fail, as a build must also work without the internet.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONNECT_S = 5
ALL_S = 30


def main() -> int:
    """The exit code."""
    lock = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements.lock"
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        # Everything in the lock has a version and hashes: nothing is resolved, and nothing is downloaded.
        options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", str(CONNECT_S)]
        command = [sys.executable, "-m", "pip_audit", "-r", str(lock), *options, "-f", "json", "-o", str(found)]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=ALL_S, check=False)
        except subprocess.TimeoutExpired:
            return skipped(f"no answer within {ALL_S} s")
        # It fails in the same way for a hole and for an error, but an error leaves no findings.
        if not found.exists():
            return skipped((ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"])[-1][:200])
        return judge(json.loads(found.read_text())["dependencies"])


def judge(dependencies: list[dict[str, Any]]) -> int:
    """Prints what there is to say; the exit code."""
    looked_at = [package for package in dependencies if "skip_reason" not in package]
    if not looked_at:
        return skipped("none of the packages could be looked up")
    for package in looked_at:
        for hole in package["vulns"]:
            names = ", ".join([hole["id"], *hole.get("aliases", [])])
            mended = ", ".join(hole.get("fix_versions", [])) or "no version yet"
            print(f"{package['name']} {package['version']}: {names}; mended in {mended}")
    holes = sum(len(package["vulns"]) for package in looked_at)
    print(f"pip-audit: {holes} known holes in {len(looked_at)} of {len(dependencies)} packages")
    return 1 if holes else 0


def skipped(why: str) -> int:
    """One line, and no failure."""
    print(f"pip-audit: skipped, known holes cannot be looked up from here: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
