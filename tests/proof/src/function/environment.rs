//! A process of the function, with the real engine in it: what it remembers is its own.

use super::hands::{Hands, Image};
use super::quarantine::quarantine;
use crate::Chance;
use crate::plan::FUNCTION_ARN;
use crate::world::World;
use partial_batch::{
    Config, Deadline, DynamoDb, Engine, InvocationContext, Kinesis, Processor, RawPayload, WindowEngine,
};
use records::StreamKind;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

/// A process of the function.
pub enum Environment {
    Kinesis(Engine<Kinesis<RawPayload>, Hands>),
    DynamoDb(Engine<DynamoDb<Image>, Hands>),
    KinesisWindow(WindowEngine<Kinesis<RawPayload>, Hands>),
    DynamoDbWindow(WindowEngine<DynamoDb<Image>, Hands>),
}

/// What the function returns, and which record it names.
pub struct Answer {
    /// The body of the response.
    pub body: Vec<u8>,
    /// The sequence number from which on the batch is to be retried.
    pub named: Option<String>,
}

impl Environment {
    /// A process that remembers nothing.
    pub fn cold(world: &Arc<World>, seed: u64) -> Self {
        let plan = &world.plan;
        let config = Config {
            concurrency: NonZeroUsize::new(plan.function.concurrency).unwrap_or(NonZeroUsize::MIN),
            skip_handled: plan.function.skip_handled,
            ..Config::default()
        };
        let hands = Hands { world: Arc::clone(world), chance: Mutex::new(Chance::new(seed, "hands")) };
        let quarantine = quarantine(world, seed);
        match (plan.kind, plan.mapping.tumbling_s > 0) {
            (StreamKind::Kinesis, false) => {
                Self::Kinesis(Engine::new(Kinesis::raw(), hands, &config).with_quarantine(quarantine))
            }
            (StreamKind::DynamoDb, false) => {
                Self::DynamoDb(Engine::new(DynamoDb::new(), hands, &config).with_quarantine(quarantine))
            }
            (StreamKind::Kinesis, true) => {
                Self::KinesisWindow(WindowEngine::new(Kinesis::raw(), hands).with_quarantine(quarantine))
            }
            (StreamKind::DynamoDb, true) => {
                Self::DynamoDbWindow(WindowEngine::new(DynamoDb::new(), hands).with_quarantine(quarantine))
            }
        }
    }

    /// Handles an event, as `partial_batch::run` does; `None` is a function error.
    pub async fn process(&self, event: &str, deadline: Deadline) -> Option<Answer> {
        match self {
            Self::Kinesis(engine) => answer(engine, event, deadline).await,
            Self::DynamoDb(engine) => answer(engine, event, deadline).await,
            Self::KinesisWindow(engine) => answer(engine, event, deadline).await,
            Self::DynamoDbWindow(engine) => answer(engine, event, deadline).await,
        }
    }
}

async fn answer<P: Processor>(engine: &P, event: &str, deadline: Deadline) -> Option<Answer> {
    let invocation = InvocationContext { request_id: "", function_arn: FUNCTION_ARN, deadline };
    let response = engine.process(event.as_bytes(), &invocation).await.response.ok()?;
    let named = P::checkpoint(&response).map(|failure| failure.item_identifier.to_string());
    Some(Answer { body: serde_json::to_vec(&response).ok()?, named })
}
