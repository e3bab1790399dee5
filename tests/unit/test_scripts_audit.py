"""The look for known holes in the dependencies: what fails the tests, and what must not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit_dependencies.py"
GOOD = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
UNKNOWN = {"name": "odd", "skip_reason": "not found"}
HOLED = {
    "name": "odd",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"], "description": "bad"}],
}


def audit(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Runs it with another pip-audit, which is this program."""
    (folder / "pip_audit.py").write_text(f"import sys\n{program}\n")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )


def answer(*dependencies: object) -> str:
    text = json.dumps({"dependencies": dependencies, "fixes": []})
    return f"open(sys.argv[sys.argv.index('-o') + 1], 'w').write({text!r})\nsys.exit({int(HOLED in dependencies)})"


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        (answer(GOOD), 0, "0 known holes in 1 of 1 packages"),
        (answer(GOOD, UNKNOWN), 0, "0 known holes in 1 of 2 packages"),
        (answer(GOOD, HOLED), 1, "odd 1.0: PYSEC-1, CVE-1; mended in 1.1\npip-audit: 1 known holes in 2 of 2"),
        (answer(UNKNOWN), 0, "skipped, known holes cannot be looked up from here: none of the packages"),
        (
            "sys.exit('ConnectionError: no route to host')",
            0,
            "skipped, known holes cannot be looked up from here: C",
        ),
    ],
)
def test_only_a_known_hole_fails(tmp_path: Path, program: str, code: int, said: str) -> None:
    ran = audit(tmp_path, program)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert said in ran.stdout
