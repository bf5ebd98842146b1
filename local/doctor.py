"""Asks azure-functions-doctor about the package, not about this folder: it reads every file it is shown, and here
lie environments of half a gigabyte.

``python -m local.doctor``; the exit code is 1 when it fails anything, or warns of something not accepted below.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local.package import write

ACCEPTED = {
    "Programming model v2": "it knows plain functions only and ours are coroutines; a test indexes them",
    "Native dependency risk": "numpy has wheels for Azure's Linux, and the remote build fetches them",
    "Binding connection resolution": "SERVICEBUS is set by the infrastructure, which is not in the package",
    "Application Insights configuration": "its address is set by the infrastructure, which is not in the package",
    ".funcignore": "the package is what .funcignore leaves; the file itself stays behind",
}
"""Warnings we live with, and why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that did not pass: its label, "warn" or "fail", and what it says."""

    label: str
    status: str
    said: str

    @property
    def stops(self) -> bool:
        """Whether the package must not go out."""
        return self.status == "fail" or self.label not in ACCEPTED


def findings(app: Path) -> list[Finding]:
    """What the doctor holds against the app in this folder.

    Raises RuntimeError when the doctor itself could not run.
    """
    asked = [
        sys.executable,
        "-m",
        "azure_functions_doctor.cli",
        "doctor",
        "--path",
        str(app),
        "--format",
        "json",
    ]
    plan = ["--profile", "deploy", "--hosting-plan", "flex-consumption", "--target-python", "3.11"]
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        done = subprocess.run([*asked, *plan, "--output", str(answer)], capture_output=True, check=False)
        if not answer.exists():
            raise RuntimeError(f"azure-functions-doctor gave no answer: {done.stderr.decode().strip()}")
        said = json.loads(answer.read_text(encoding="utf-8"))
    checks = [item for section in said["results"] for item in section["items"]]
    if not checks:
        raise RuntimeError("azure-functions-doctor checked nothing")
    return [
        Finding(one["label"], one["status"], str(one.get("value", "")))
        for one in checks
        if one["status"] not in ("pass", "skip")
    ]


def of_the_package() -> list[Finding]:
    """What the doctor holds against the package as it would be written now. Raises as ``findings``."""
    with tempfile.TemporaryDirectory() as folder:
        package, app = Path(folder) / "app.zip", Path(folder) / "app"
        write(package)
        with zipfile.ZipFile(package) as written:
            written.extractall(app)
        return findings(app)


def main() -> int:
    """Say what was found."""
    found = of_the_package()
    for one in found:
        print(f"{one.status}  {one.label}: {ACCEPTED.get(one.label, one.said)}")
    return 1 if any(one.stops for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
