"""Proves that cargo-deny, with deny.toml, and `--locked` catch what they are there for: breaks a copy of the workspace in one
way after the other, and wants the right error each time. Runs without a network."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workspace_copy import copy_manifests

FUNCTION = "functions/dlq-hydrator/Cargo.toml"


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        a_stale_lockfile_is_noticed(folder / "stale")
        for what, check, error, breaks in BREAKS:
            copy = folder / "copy"
            copy_manifests(copy)
            breaks(copy)
            denied = subprocess.run(
                ["cargo-deny", "--offline", "check", "-D", "warnings", check], cwd=copy, capture_output=True, text=True
            )
            if denied.returncode == 0 or f"error[{error}]" not in denied.stderr:
                sys.exit(f"error: cargo-deny did not catch {what} as `{error}`:\n{denied.stderr}")
            print(f"caught: {what} ({error})")
            shutil.rmtree(copy)


def a_stale_lockfile_is_noticed(copy):
    copy_manifests(copy)
    crate(copy / "fake", "not-in-the-lockfile")
    depend(copy, 'not-in-the-lockfile = { path = "../../fake" }')
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1"]
    read = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    if read.returncode == 0 or "--locked" not in read.stderr:
        sys.exit(f"error: cargo took a lockfile that lacks a package: {read.stderr}")
    print("caught: a lockfile that lacks a package")


def crate(folder, name, licence="MIT"):
    (folder / "src").mkdir(parents=True)
    (folder / "src/lib.rs").touch()
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\nlicense = "{licence}"\n'
    (folder / "Cargo.toml").write_text(manifest)


def depend(copy, dependency):
    manifest = copy / FUNCTION
    manifest.write_text(manifest.read_text().replace("[dependencies]\n", f"[dependencies]\n{dependency}\n", 1))


def a_git_source(copy):
    repository = copy.parent / "repository"
    crate(repository, "from-git")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", "-C", repository]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *arguments], check=True)
    # Fetched before, since cargo-deny itself is kept off the network.
    depend(copy, f'from-git = {{ git = "file://{repository}" }}')
    subprocess.run(["cargo", "metadata", "--quiet", "--format-version=1"], cwd=copy, check=True, capture_output=True)


def another_tls(copy):
    crate(copy / "fake", "openssl-sys")
    depend(copy, 'openssl-sys = { path = "../../fake", version = "0.1" }')


def a_licence(copy):
    crate(copy / "fake", "copyleft", "AGPL-3.0-only")
    depend(copy, 'copyleft = { path = "../../fake", version = "0.1" }')


def a_wildcard(copy):
    manifest = copy / "Cargo.toml"
    manifest.write_text(re.sub(r'^bytes = .*$', 'bytes = "*"', manifest.read_text(), flags=re.MULTILINE))


def a_second_version(copy):
    denied = copy / "deny.toml"
    denied.write_text(re.sub(r'^.*"base64@.*\n', "", denied.read_text(), flags=re.MULTILINE))


def an_idle_skip(copy):
    denied = copy / "deny.toml"
    denied.write_text(denied.read_text().replace("skip = [", 'skip = [{ crate = "nobody@1", reason = "x" },', 1))


def an_idle_licence(copy):
    denied = copy / "deny.toml"
    denied.write_text(denied.read_text().replace("allow = [", 'allow = ["AGPL-3.0-only", ', 1))


BREAKS = [
    ("a dependency from a git repository", "sources", "source-not-allowed", a_git_source),
    ("a second TLS stack", "bans", "banned", another_tls),
    ("a licence that is not on the list", "licenses", "rejected", a_licence),
    ("a dependency without a version", "bans", "wildcard", a_wildcard),
    ("two versions of a crate without a reason", "bans", "duplicate", a_second_version),
    ("a reason that nothing needs any more", "bans", "unmatched-skip", an_idle_skip),
    ("a licence that nothing needs any more", "licenses", "license-not-encountered", an_idle_licence),
]

if __name__ == "__main__":
    main()
