"""Bills of materials by cargo-cyclonedx, one per function: sbom.py FOLDER.

cargo-cyclonedx goes by `cargo metadata`, which has more than a function is made of: it unites the features of all members,
and takes optional dependencies for used that are not. So what `cargo tree` does not have, which resolves as a build does,
is taken out; what it has and the bill has not is an error."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workspace_copy import copy_manifests

FUNCTIONS = ("kinesis-processor", "dynamodb-processor", "dlq-hydrator")
# Lambda's two architectures. A bill is for either: a difference between them would be an error.
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# The workspace's name where its path would be: that of a reproducible build.
WORKSPACE = "/build"


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for function, bill in bills_of_materials().items():
        packages = linked(function, TARGETS[0])
        surplus = only_linked(bill, packages)
        for target in TARGETS:
            if difference := apart(bill, linked(function, target)):
                sys.exit(f"error: the bill of {function} and what cargo links for {target} differ: {difference}")
        must_catch(bill, packages)
        file = folder / f"{function}.cdx.json"
        file.write_text(json.dumps(bill, indent=2) + "\n")
        print(f"{file.name}: {len(bill['components'])} components; {surplus} that are not linked were taken out")


def bills_of_materials():
    # In a copy, since it writes its files beside the manifests, one per member.
    with tempfile.TemporaryDirectory() as copy:
        copy_manifests(Path(copy))
        # The time of the commit, and no serial number: the same sources, the same bill.
        commit = subprocess.run(["git", "log", "-1", "--format=%ct"], capture_output=True, check=True, text=True)
        command = ["cargo-cyclonedx", "cyclonedx", "--format=json", "--spec-version=1.5", "--no-build-deps", "--target=all"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": commit.stdout.strip(), "CARGO_NET_OFFLINE": "true"}
        subprocess.run(command, cwd=copy, env=environment, check=True)
        files = {function: Path(copy, f"functions/{function}/{function}.cdx.json") for function in FUNCTIONS}
        return {function: json.loads(file.read_text().replace(copy, WORKSPACE)) for function, file in files.items()}


def linked(function, target):
    """Names and versions of the packages that cargo links, and of their macros."""
    command = ["cargo", "tree", "--locked", f"--package={function}", "--edges=normal", f"--target={target}"]
    tree = subprocess.run([*command, "--prefix=none", "--format={p}"], capture_output=True, check=True, text=True).stdout
    return {tuple(line.split()[:2]) for line in tree.splitlines() if line}


def package(part):
    return part["name"], f"v{part['version']}"


def only_linked(bill, packages):
    """Takes out what is not linked, and the edges to it; how much that was."""
    surplus = {part["bom-ref"] for part in bill["components"] if package(part) not in packages}
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in surplus]
    bill["dependencies"] = [
        {**node, "dependsOn": [other for other in node.get("dependsOn", []) if other not in surplus]}
        for node in bill["dependencies"]
        if node["ref"] not in surplus
    ]
    return len(surplus)


def apart(bill, packages):
    return sorted({package(part) for part in [*bill["components"], bill["metadata"]["component"]]} ^ packages)


def must_catch(bill, packages):
    """The comparison has teeth: a component too few, one of another version, and one too many are found."""
    runtime = next(part for part in bill["components"] if part["name"] == "lambda_runtime")
    others = [part for part in bill["components"] if part is not runtime]
    broken = {
        "lambda_runtime left out": others,
        "lambda_runtime of another version": [*others, {**runtime, "version": "0.0.1"}],
        "proptest, which only tests use": [*others, runtime, {"name": "proptest", "version": "1.0.0"}],
    }
    for what, components in broken.items():
        if not apart({**bill, "components": components}, packages):
            sys.exit(f"error: the comparison did not notice {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
