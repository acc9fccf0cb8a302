//! Drivers without a clock: waiting takes no time, so a day of retries runs in a moment.

use crate::{Action, Input, Invocation, Mapping, NEVER, OnFailureMessage, Response, Shard, StreamRecord};
use records::{EpochMillis, ShardId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What surrounds a mapping: its stream, its function and its destination.
pub trait World<R> {
    /// The records of the shard that have arrived by `now`, at most `limit`, each once; and whether the shard is closed
    /// behind them.
    fn poll(&mut self, now: EpochMillis, shard: &ShardId, limit: usize) -> (Vec<R>, bool);

    /// What the function makes of `shard.batch(invocation.slot)`, and how many milliseconds it takes.
    fn invoke(&mut self, now: EpochMillis, shard: &Shard<R>, invocation: Invocation) -> (Response, i64);

    /// Whether the destination takes the message, which speaks of `shard.batch(slot)`.
    fn deliver(&mut self, now: EpochMillis, shard: &Shard<R>, slot: usize, message: &OnFailureMessage) -> bool;

    /// Sees each action before it is carried out.
    fn observe(&mut self, _now: EpochMillis, _shard: &Shard<R>, _action: &Action) {}

    /// The shards that a closed shard was split or merged into, each with all of its parents. Asked when it is finished.
    fn children(&mut self, _shard: &ShardId) -> Vec<(ShardId, Vec<ShardId>)> {
        Vec::new()
    }

    /// Whether the mapping is switched on or off at `now`, if that changes then or has changed since the last call.
    fn switched(&mut self, _now: EpochMillis, _shard: &ShardId) -> Option<bool> {
        None
    }

    /// When `switched` will say something next.
    fn next_switch(&self, _now: EpochMillis, _shard: &ShardId) -> EpochMillis {
        NEVER
    }
}

/// Runs a shard from `start` until it is finished or `end` is reached, and returns the time when that was.
pub fn run<R: StreamRecord>(
    shard: &mut Shard<R>,
    start: EpochMillis,
    end: EpochMillis,
    world: &mut impl World<R>,
) -> EpochMillis {
    let (mut now, mut answers) = (start, Answers::default());
    while now < end {
        match answers.run_at(now, shard, world) {
            Some(next) => now = next.max(now),
            None => break,
        }
    }
    now.min(end)
}

/// Runs a mapping from `start` until all of its shards are finished or `end` is reached, and returns the time when that
/// was. Shards run side by side; those that come out of a split or a merge begin when their parents are finished.
pub fn run_mapping<R: StreamRecord>(
    mapping: &mut Mapping<R>,
    start: EpochMillis,
    end: EpochMillis,
    world: &mut impl World<R>,
) -> EpochMillis {
    let (mut now, mut answers) = (start, Vec::<Answers>::new());
    let mut due: BinaryHeap<_> =
        (0..mapping.len()).filter(|index| mapping.is_ready(*index)).map(|index| Reverse((start, index))).collect();
    while let Some(Reverse((time, index))) = due.pop() {
        if time >= end {
            return end;
        }
        now = now.max(time);
        answers.resize_with(mapping.len().max(answers.len()), Answers::default);
        let Some(shard) = mapping.nth_mut(index) else { continue };
        match answers[index].run_at(now, shard, world) {
            Some(next) => due.push(Reverse((next, index))),
            None => {
                let parent = shard.id().clone();
                let children = world.children(&parent);
                due.extend(mapping.finished(&parent, children).into_iter().map(|child| Reverse((now, child))));
            }
        }
    }
    now
}

/// The answers of a shard's invocations that are under way.
#[derive(Debug, Default)]
struct Answers(Vec<(EpochMillis, usize, Response)>);

impl Answers {
    /// Steps the shard as far as it goes at `now`, and returns the time to go on at, or `None` if it is finished.
    fn run_at<R: StreamRecord>(
        &mut self,
        now: EpochMillis,
        shard: &mut Shard<R>,
        world: &mut impl World<R>,
    ) -> Option<EpochMillis> {
        let mut input = match world.switched(now, shard.id()) {
            Some(true) => Input::Enable,
            Some(false) => Input::Disable,
            None => Input::Tick,
        };
        loop {
            let action = shard.step(now, input);
            world.observe(now, shard, &action);
            input = match action {
                Action::Poll { limit } => {
                    let (records, end_of_shard) = world.poll(now, shard.id(), limit);
                    Input::Polled { records, end_of_shard }
                }
                Action::Invoke(invocation) => {
                    let (response, duration_ms) = world.invoke(now, shard, invocation);
                    let ends = EpochMillis(now.0.saturating_add(duration_ms.max(0)));
                    self.0.push((ends, invocation.slot, response));
                    self.take_due(now)
                }
                Action::SendToDestination { slot, message } => match world.deliver(now, shard, slot, &message) {
                    true => Input::Delivered { slot },
                    false => Input::DeliveryFailed { slot },
                },
                Action::Split { .. } | Action::Advance { .. } => Input::Tick,
                Action::WaitUntil { time, .. } => match self.take_due(now) {
                    Input::Tick => return Some(self.next(time).min(world.next_switch(now, shard.id()))),
                    answer => answer,
                },
                Action::Finished => return None,
            };
        }
    }

    /// The earliest answer that has come by `now`, or a tick.
    fn take_due<R>(&mut self, now: EpochMillis) -> Input<R> {
        let earliest = (0..self.0.len()).min_by_key(|index| self.0[*index].0).filter(|index| self.0[*index].0 <= now);
        match earliest.map(|index| self.0.remove(index)) {
            Some((_, slot, response)) => response.to(slot),
            None => Input::Tick,
        }
    }

    /// The earlier of `time` and the next answer.
    fn next(&self, time: EpochMillis) -> EpochMillis {
        self.0.iter().map(|(ends, ..)| *ends).min().map_or(time, |ends| ends.min(time))
    }
}
