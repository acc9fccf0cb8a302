# For a build whose bytes do not depend on who builds, and where: to be sourced in the root of the workspace, before `cargo
# lambda build` or `sam build`. The paths of the registry and of the workspace get into a function with its panics, which name
# their source; this variable gives them names of their own.
#
# Not `RUSTFLAGS`: it would replace the processor that cargo-lambda builds for, where this is added to it. And no line of
# .cargo/config.toml, which cannot name a folder that differs from machine to machine.

# A later mapping goes before an earlier one: a target folder below the workspace, or a registry below it, has its own name.
cargo_home=$(realpath "${CARGO_HOME:-$HOME/.cargo}")
mkdir -p "${CARGO_TARGET_DIR:-target}"
target_folder=$(realpath "${CARGO_TARGET_DIR:-target}")
CARGO_BUILD_RUSTFLAGS=
for mapping in "$(pwd -P)=/build" "$target_folder=/build/target" "$cargo_home=/cargo"; do
    CARGO_BUILD_RUSTFLAGS+="--remap-path-prefix=$mapping "
done
export CARGO_BUILD_RUSTFLAGS
