//! The recovery pipeline on the endpoint that the SDK's own variables name: see `localstack/README.md`.
//!
//! No test of libtest's: whether a test can run here is known only when the endpoint was asked, and what cannot is to be
//! skipped by name and with its reason.

mod case;
mod deployed;
mod local;
mod mappings;
mod orders;
mod positions;

use case::{Case, Skips};
use integration::World;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell makes of a process that Ctrl-C ended; the same for SIGTERM.
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = || [local::cases(), positions::cases(), deployed::cases(), mappings::cases()].into_iter().flatten();
    if arguments.list {
        let trials = cases().map(|case| Trial::test(case.name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    match Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| run(&runtime, &arguments, cases())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(runtime: &Runtime, arguments: &Arguments, cases: impl Iterator<Item = Case>) -> anyhow::Result<ExitCode> {
    let world = Arc::new(runtime.block_on(World::open())?);
    eprintln!("\n{}", world.description());
    runtime.spawn(remove_when_interrupted(Arc::clone(&world)));
    let skips = Skips::default();
    let trials = cases.map(|case| case.trial(&world, runtime.handle(), &skips)).collect();
    let conclusion = libtest_mimic::run(arguments, trials);
    for skip in skips.all() {
        eprintln!("{skip}");
    }
    let left = runtime.block_on(world.close());
    for name in &left {
        eprintln!("not removed: {name}");
    }
    Ok(if left.is_empty() { conclusion.exit_code() } else { ExitCode::FAILURE })
}

/// Ctrl-C, or SIGTERM, with which a build server ends what takes too long.
async fn remove_when_interrupted(world: Arc<World>) {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { return },
        _ = terminated.recv() => {}
    }
    eprintln!("interrupted: removing what was made");
    for name in world.close().await {
        eprintln!("not removed: {name}");
    }
    std::process::exit(INTERRUPTED);
}
