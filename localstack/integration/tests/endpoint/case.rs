//! A test, what it needs, and what becomes of it.

use crate::deployed::REACHED_LIMIT;
use crate::mappings::GIVEN_UP_LIMIT;
use aws_edge::Service;
use integration::{Behaviour, World};
use libtest_mimic::{Completion, Failed, Trial};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long making what a test needs may take: on AWS up to a minute for each stream, table and function.
const MAKING_LIMIT: Duration = Duration::from_secs(600);

/// The longest that a test may take. More than its waits together, of which each says what it waited for.
const TEST_LIMIT: Duration = MAKING_LIMIT.saturating_add(GIVEN_UP_LIMIT).saturating_add(REACHED_LIMIT);

type Test = fn(Arc<World>) -> Pin<Box<dyn Future<Output = anyhow::Result<()>>>>;

/// A test.
pub(crate) struct Case {
    pub name: &'static str,
    /// The services that have to answer.
    pub services: &'static [Service],
    /// What they have to do.
    pub behaviours: &'static [(Service, Behaviour)],
    pub test: Test,
}

/// What the pipeline needs, wherever its functions run.
pub(crate) const STREAMS_AND_SINKS: &[Service] =
    &[Service::Kinesis, Service::DynamoDb, Service::DynamoDbStreams, Service::Sqs, Service::S3];

/// Tests that were skipped, and why.
#[derive(Clone, Default)]
pub(crate) struct Skips(Arc<Mutex<Vec<String>>>);

impl Skips {
    fn add(&self, name: &str, reason: &str) {
        let line = format!("skipped {name}: {reason}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub fn all(&self) -> Vec<String> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines.sort();
        lines
    }
}

impl Case {
    pub fn trial(self, world: &Arc<World>, runtime: &Handle, skips: &Skips) -> Trial {
        let (world, runtime, skips) = (Arc::clone(world), runtime.clone(), skips.clone());
        Trial::ignorable_test(self.name, move || {
            if let Some(reason) = world.reason_to_skip(self.services, self.behaviours) {
                skips.add(self.name, &reason);
                return Ok(Completion::ignored_with(reason));
            }
            // Outside of the limit: where nothing is built yet, this takes as long as the compiler does.
            runtime.block_on(world.prepare(self.services)).map_err(|error| Failed::from(format!("{error:#}")))?;
            let ended = runtime.block_on(async { tokio::time::timeout(TEST_LIMIT, (self.test)(world)).await });
            match ended {
                Ok(Ok(())) => Ok(Completion::Completed),
                Ok(Err(error)) => Err(Failed::from(format!("{error:#}"))),
                Err(_) => Err(Failed::from(format!("not done after {} s", TEST_LIMIT.as_secs()))),
            }
        })
    }
}
