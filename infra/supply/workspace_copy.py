"""A copy of the workspace to break: what cargo reads of it, and nothing else."""

import shutil
import subprocess
from pathlib import Path

READ_BY_CARGO = ("Cargo.toml", "Cargo.lock", "deny.toml", "rust-toolchain.toml")


def copy_manifests(copy):
    """The tracked manifests, and the sources as empty files: cargo looks for them, and does not read them."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout.decode()
    for path in map(Path, filter(None, listed.split("\0"))):
        if path.name in READ_BY_CARGO:
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / path)
        elif path.suffix == ".rs":
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).touch()
