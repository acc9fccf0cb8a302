//! A driver without a clock: waiting takes no time, so a day of retries runs in a moment.

use crate::{Action, Batch, Input, OnFailureMessage, Response, Shard, StreamRecord};
use records::EpochMillis;

/// What surrounds a shard: its stream, its function and its destination.
pub trait World<R> {
    /// The records that have arrived by `now`, at most `limit`, each once; and whether the shard is closed behind them.
    fn poll(&mut self, now: EpochMillis, limit: usize) -> (Vec<R>, bool);

    /// What the function makes of a batch, and how many milliseconds it takes.
    fn invoke(&mut self, now: EpochMillis, batch: Batch<'_, R>) -> (Response, i64);

    /// Whether the destination takes the message, which speaks of the records of `batch`.
    fn deliver(&mut self, message: &OnFailureMessage, batch: Batch<'_, R>) -> bool;

    /// Sees each action before it is carried out.
    fn observe(&mut self, _now: EpochMillis, _action: &Action) {}
}

/// Runs a shard from `start` until it is finished or `end` is reached, and returns the time when that was.
pub fn run<R: StreamRecord>(
    shard: &mut Shard<R>,
    start: EpochMillis,
    end: EpochMillis,
    world: &mut impl World<R>,
) -> EpochMillis {
    let (mut now, mut input) = (start, Input::Tick);
    while now < end {
        let action = shard.step(now, input);
        world.observe(now, &action);
        input = match action {
            Action::Poll { limit } => {
                let (records, end_of_shard) = world.poll(now, limit);
                Input::Polled { records, end_of_shard }
            }
            Action::Invoke(_) => {
                let (response, duration_ms) = world.invoke(now, shard.batch());
                now = EpochMillis(now.0.saturating_add(duration_ms.max(0)));
                Input::Responded(response)
            }
            Action::WaitUntil { time, .. } => {
                now = now.max(time);
                Input::Tick
            }
            Action::Split { .. } | Action::Advance { .. } => Input::Tick,
            Action::SendToDestination(message) => {
                if world.deliver(&message, shard.batch()) {
                    Input::Delivered
                } else {
                    Input::DeliveryFailed
                }
            }
            Action::Finished => break,
        };
    }
    now
}
