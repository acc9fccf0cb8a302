"""Bills of materials by cargo-cyclonedx, one per function: sbom.py FOLDER.

cargo-cyclonedx reads `cargo metadata`, which unites the features of all members and of their tests. So it gets a copy of
the workspace that has nothing but the function, and no dependencies of tests. What it writes is then compared with
`cargo tree`, which says what cargo links."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from workspace_copy import copy_manifests

FUNCTIONS = ("kinesis-processor", "dynamodb-processor", "dlq-hydrator")
# Both of Lambda's architectures link the same crates: the second bill is only compared with the first.
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# Where the workspace lies is nobody's business: the same folder as in a reproducible build.
WORKSPACE = "/build"


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for function in FUNCTIONS:
        text = bill_of_materials(function, TARGETS[0])
        bill = json.loads(text)
        check(function, bill)
        file = folder / f"{function}.cdx.json"
        file.write_text(text)
        print(f"{file}: {len(bill['components'])} components")
    must_catch(bill)


def bill_of_materials(function, target):
    with tempfile.TemporaryDirectory() as copy:
        copy = Path(copy)
        copy_manifests(copy)
        for manifest in copy.rglob("Cargo.toml"):
            manifest.write_text(without_tests(manifest.read_text()))
        root = copy / "Cargo.toml"
        members = f'members = ["functions/{function}"]'
        root.write_text(re.sub(r"^members = \[.*?\]", members, root.read_text(), flags=re.DOTALL | re.MULTILINE))
        # The time of the commit, and no serial number: the same sources, the same bill.
        commit = subprocess.run(["git", "log", "-1", "--format=%ct"], capture_output=True, check=True, text=True)
        command = ["cargo-cyclonedx", "cyclonedx", "--format=json", "--spec-version=1.5", "--no-build-deps"]
        command += [f"--target={target}", f"--manifest-path={copy}/functions/{function}/Cargo.toml"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": commit.stdout.strip(), "CARGO_NET_OFFLINE": "true"}
        subprocess.run(command, cwd=copy, env=environment, check=True)
        text = (copy / f"functions/{function}/{function}.cdx.json").read_text()
        return text.replace(str(copy), WORKSPACE)


def without_tests(manifest):
    return re.sub(r"^\[dev-dependencies\]\n.*?(?=^\[|\Z)", "", manifest, flags=re.DOTALL | re.MULTILINE)


def linked(function, target):
    """Names and versions of the packages that cargo links, as `cargo tree` has them."""
    command = ["cargo", "tree", "--locked", f"--package={function}", "--edges=normal", f"--target={target}"]
    command += ["--prefix=none", "--format={p}"]
    tree = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return {tuple(line.split()[:2]) for line in tree.splitlines() if line}


def check(function, bill):
    for target in TARGETS:
        difference = apart(bill, linked(function, target))
        if difference:
            sys.exit(f"error: the bill of {function} and what cargo links for {target} differ: {difference}")


def apart(bill, packages):
    listed = {(part["name"], f"v{part['version']}") for part in [*bill["components"], bill["metadata"]["component"]]}
    return sorted(listed ^ packages)


def must_catch(bill):
    """The comparison has teeth: a component too few, one of another version, and one too many are found."""
    packages = linked(FUNCTIONS[-1], TARGETS[0])
    runtime = next(part for part in bill["components"] if part["name"] == "lambda_runtime")
    broken = {
        "lambda_runtime left out": [part for part in bill["components"] if part is not runtime],
        "lambda_runtime of another version": [
            {**part, "version": "0.0.1"} if part is runtime else part for part in bill["components"]
        ],
        "proptest, which only tests use": [*bill["components"], {"name": "proptest", "version": "1.0.0"}],
    }
    for what, components in broken.items():
        if not apart({**bill, "components": components}, packages):
            sys.exit(f"error: the comparison did not notice {what}")
        print(f"caught: {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
