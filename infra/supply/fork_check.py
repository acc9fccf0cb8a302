"""Makes a fork as a stranger would, and wants it whole: the old name is nowhere, each file that README.md tells them to
change is there, and its processors build and pass their unit tests. fork_check.py TARGET_FOLDER, which may be the gate's
own: what comes from the registry is compiled once."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "parcel-tracking"
BAD_NAMES = ("", "a", "Parcels", "parcel_tracking", "parcel--tracking", "-parcels", "parcels-", "7parcels", "parcel-tracking-24")
# What S3 takes, what an account's number has, and the longest name of a region.
BUCKET_NAME, ACCOUNT, REGION = 63, 12, len("ap-southeast-1")


def main(target):
    with tempfile.TemporaryDirectory() as folder:
        refuses_bad_names(Path(folder))
        fork = Path(folder, "fork")
        said = run_fork(NAME, fork)
        if said.returncode != 0:
            fail(f"infra/fork {NAME} failed: {said.stderr}")
        files_to_change_are_there(fork, said.stdout)
        old_name_is_gone(fork)
        buckets_have_room(fork)
        passes_its_tests(fork, target)
        again = run_fork("third", Path(folder, "again"), fork)
        # A fork is no clone until its owner makes it one.
        if "no git checkout" not in again.stderr:
            fail(f"a fork of what is no checkout was not refused: {again.stderr}")
        can_be_forked_again(Path(folder), fork)


def run_fork(name, folder, source="."):
    return subprocess.run([f"{source}/infra/fork", name, folder], capture_output=True, text=True)


def refuses_bad_names(folder):
    for name in BAD_NAMES:
        said = run_fork(name, folder / "bad")
        if said.returncode != 1 or f"`{name}` is no name" not in said.stderr or "parcel-desk" not in said.stderr:
            fail(f"the name `{name}` was not refused with an example: {said.stdout}{said.stderr}")
    full = run_fork(NAME, folder.parent)
    if full.returncode != 1 or "is there already" not in full.stderr:
        fail(f"a folder with something in it was not refused: {full.stderr}")
    inside = run_fork(NAME, "infra/inside")
    if inside.returncode != 1 or "outside of it" not in inside.stderr:
        fail(f"a folder in the checkout was not refused: {inside.stderr}")
    word = run_fork("recovery", folder / "word")
    if word.returncode != 1 or "already" not in word.stderr:
        fail(f"a name that is a word of the code was not refused: {word.stderr}")
    print(f"{len(BAD_NAMES)} bad names, a word of the code, a full folder and one in the checkout are refused")


def files_to_change_are_there(fork, said):
    named = re.findall(r"^  (\S+): ", said.partition("Change next")[2], re.MULTILINE)
    missing = [file for file in named if not list(fork.glob(file))]
    if missing or len(named) < 5:
        fail(f"'Change this for your project' names {named}, of which there are not: {missing}")
    print(f"{len(named)} files to change are named, and there")


def old_name_is_gone(fork):
    # Spelt apart, or this file would be found in the fork.
    old = re.compile(rb"stream" + rb"[-_]?recovery", re.IGNORECASE)
    files = [file for file in fork.rglob("*") if file.is_file()]
    found = [str(file.relative_to(fork)) for file in files if old.search(file.read_bytes())]
    if found:
        fail(f"the old name is still in {found}")
    renamed = {"README.md": NAME, "shared/telemetry/src/metrics.rs": "ParcelTracking", "infra/fork": NAME}
    if (fork / "infra/samconfig.toml").exists():
        renamed["infra/samconfig.toml"] = NAME
        renamed["infra/template.yaml"] = "ParcelTracking"
    for file, name in renamed.items():
        if name not in (fork / file).read_text():
            fail(f"`{name}` is not in {file}")
    print(f"{len(files)} files, none with the old name")


def buckets_have_room(fork):
    template = fork / "infra/template.yaml"
    if not template.exists():
        return
    longest = int(re.search(r"^LONGEST = (\d+)$", (fork / "infra/fork").read_text(), re.MULTILINE)[1])
    for bucket in re.findall(r"BucketName: !Sub (\S+)", template.read_text()):
        length = len(re.sub(r"\$\{[^}]*\}", "", bucket)) + longest + ACCOUNT + REGION
        if length > BUCKET_NAME:
            fail(f"{bucket} has {length} characters with the longest name that infra/fork takes; S3 takes {BUCKET_NAME}")


def can_be_forked_again(folder, fork):
    subprocess.run(["git", "init", "--quiet"], cwd=fork, check=True)
    subprocess.run(["git", "add", "--all"], cwd=fork, check=True)
    third = run_fork("letter-desk", folder / "third", fork)
    if third.returncode != 0:
        fail(f"a fork cannot be forked: {third.stdout}{third.stderr}")
    if (folder / "third" / "Cargo.toml").read_text() != (fork / "Cargo.toml").read_text():
        fail("a fork of a fork has another workspace")
    if 'stack_name = "letter-desk"' not in (folder / "third" / "infra" / "samconfig.toml").read_text():
        fail("a fork of a fork has not its own name")
    print("a fork can be forked again")


def passes_its_tests(fork, target):
    # A version of its own: cargo takes crates of one name, version and folder for the same, whichever workspace they are in.
    for file in ("Cargo.toml", "Cargo.lock"):
        text = (fork / file).read_text()
        own = re.compile(r'^(version = )"0\.1\.0"$(?!\nsource)', re.MULTILINE)
        (fork / file).write_text(own.sub(r'\1"0.1.1-fork"', text))
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    # The crates that the name went into, and the two that hold the business, without the SDK, which takes minutes to compile.
    command = ["cargo", "test", "--quiet", "--locked", "--lib", "--bins", "--no-default-features"]
    command += ["--package=telemetry", "--package=kinesis-processor", "--package=dynamodb-processor"]
    tested = subprocess.run(command, cwd=fork, env=environment, capture_output=True, text=True)
    if tested.returncode != 0:
        fail(f"the fork does not pass its tests:\n{tested.stdout}{tested.stderr}")
    passed = sum(map(int, re.findall(r"^test result: ok\. (\d+) passed", tested.stdout, re.MULTILINE)))
    if passed < 25:
        fail(f"the fork has only {passed} unit tests:\n{tested.stdout}")
    print(f"the fork's processors build, and pass {passed} unit tests")


def fail(message):
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
