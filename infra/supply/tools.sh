# For scripts in `infra`, to be sourced in the root of the workspace: puts the pinned tools of the supply chain on PATH,
# after installing what is missing below the target folder. It needs Python with pip and venv, and cargo.

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
target=$(cd "$target" && pwd)

# In debug: it runs for seconds, and compiling it optimised takes minutes.
cyclonedx=0.5.9

python_tools() { # VENV REQUIREMENTS [OPTION]: installed once, and again when the requirements change
    local venv=$1 requirements=$2
    cmp --silent "$requirements" "$venv/requirements.txt" && return
    rm -rf "$venv"
    python3 -m venv "$venv" || return
    "$venv/bin/pip" install --quiet --disable-pip-version-check ${3:+"$3"} --requirement "$requirements" || return
    cp "$requirements" "$venv/requirements.txt"
}

cargo_tool() { # NAME VERSION
    grep --quiet --fixed-strings "\"$1 $2 (" "$target/tools/.crates.toml" 2>/dev/null && return
    CARGO_TARGET_DIR=$target/tools/build cargo install --quiet --locked --debug --root "$target/tools" "$1@$2"
    rm -rf "$target/tools/build"
}

python_tools "$target/venv-supply" infra/requirements-supply.txt --require-hashes
PATH=$target/venv-supply/bin:$target/tools/bin:$PATH
