"""Asks `cargo lambda deploy --dry`, function by function, what it would set besides the code, and accepts nothing: memory,
time-out, environment and the like belong to the template, and what cargo-lambda sets replaces it. Then breaks a copy of the
manifests and wants to see it refused. Runs without a network and without credentials."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workspace_copy import copy_manifests

FUNCTIONS = ("kinesis-processor", "dynamodb-processor", "dlq-hydrator")
# cargo-lambda's default; on update it sets none.
RUNTIME = "provided.al2023"


def main():
    for function in FUNCTIONS:
        settings = set_besides_code(Path.cwd(), function)
        if settings:
            sys.exit(f"error: `cargo lambda deploy` would set for {function}: {settings}; expected code and nothing else")
        print(f"{function}: code, and nothing else")
    with tempfile.TemporaryDirectory() as copy:
        copy_manifests(Path(copy))
        manifest = Path(copy) / f"functions/{FUNCTIONS[0]}/Cargo.toml"
        section, before = "[package.metadata.lambda.deploy]\n", manifest.read_text()
        for setting in ("memory = 512", "timeout = 30", 'env = { SINK = "x" }', 'tracing = "active"', 'role = "arn:x"'):
            manifest.write_text(before.replace(section, f"{section}{setting}\n", 1))
            if not set_besides_code(Path(copy), FUNCTIONS[0]):
                sys.exit(f"error: `{setting}` in the metadata of {FUNCTIONS[0]} was not noticed")
            print(f"caught: {setting}")


def set_besides_code(workspace, function):
    """What a deployment of the function's code would set besides."""
    with tempfile.TemporaryDirectory() as folder:
        # It packs a binary and reads its machine: any will do.
        bootstrap = Path(folder, function, "bootstrap")
        bootstrap.parent.mkdir()
        shutil.copy(os.path.realpath(shutil.which("true")), bootstrap)
        command = ["cargo-lambda", "lambda", "deploy", "--dry", "--output-format", "json", "--lambda-dir", folder]
        command += ["--binary-name", function, f"stack-{function}"]
        dry = subprocess.run(command, cwd=workspace, stdout=subprocess.PIPE, check=True, text=True)
    # It shows its progress on standard output, before the object.
    plan = json.loads(dry.stdout[dry.stdout.index("{") :])
    if plan["kind"] != "function" or plan["files"] != ["bootstrap"]:
        sys.exit(f"error: {function} is not packed as one function with one file: {dry.stdout}")
    found = {**plan["config"], "tags": plan["tags"], "bucket": plan["bucket"]}
    if found.pop("runtime") != RUNTIME:
        sys.exit(f"error: {function} has another runtime than {RUNTIME}: {dry.stdout}")
    return {name: value for name, value in found.items() if value not in (None, False, [], {})}


if __name__ == "__main__":
    main()
