"""The gates that a template has to pass: each gets its text and says what it finds, nothing if all is well."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import alarms
import iam
import runbook
import settings
import wiring
from expand import expand
from template import TEMPLATE

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "LOG_LEVEL": "ERROR"}


def sam_validate(text):
    """Knows the properties of SAM's own resources. Without `--lint`, which would switch that off."""
    return _run(text, "template.yaml", "sam", "validate", "--template")


def cfn_lint_source(text):
    """Knows the values that raw resources take."""
    return _run(text, "template.yaml", "cfn-lint", "--")


def cfn_lint_expanded(text):
    """Knows what SAM's resources become."""
    try:
        expanded = json.dumps(expand(text), default=str)
    except ValueError as error:
        return [str(error)]
    return _run(expanded, "template.json", "cfn-lint", "--")


def checkov(text):
    """Knows what is unsafe. On the source: what is suppressed does not survive the expansion."""
    return _run(
        text,
        "template.yaml",
        "checkov",
        "--framework",
        "cloudformation",
        "--skip-download",
        "--compact",
        "--quiet",
        "--file",
    )


def _run(text, name, tool, *arguments):
    # Beside nothing else: sam and checkov read what lies around.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text)
        ran = subprocess.run(
            [BIN / tool, *arguments, path],
            capture_output=True,
            text=True,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
        )
    return (
        []
        if ran.returncode == 0
        else [ran.stdout.strip() + ran.stderr.strip() or f"{tool} ended with {ran.returncode}"]
    )


GATES = {
    "sam validate": sam_validate,
    "cfn-lint on the source": cfn_lint_source,
    "cfn-lint on the expansion": cfn_lint_expanded,
    "checkov": checkov,
    "roles": iam.findings,
    "alarms": alarms.findings,
    "runbook": runbook.findings,
    "settings": settings.findings,
    "wiring": wiring.findings,
}

if __name__ == "__main__":
    found = {name: gate(TEMPLATE.read_text()) for name, gate in GATES.items()}
    for gate, problems in found.items():
        print(f"{gate}: {'passed' if not problems else ''}", *problems, sep="\n  " if problems else "")
    sys.exit(any(found.values()))
