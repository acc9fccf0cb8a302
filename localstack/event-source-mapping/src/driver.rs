//! Drives one shard through asynchronous time: all of its slots side by side, with whatever clock and services there are.
//!
//! The model says what is to be begun; [`run`] begins it, waits for what comes first, and tells the model. It reads no
//! clock itself and starts no task: given the same clock and the same order of answers, it does the same again. The demo
//! drives real functions with it, and the proofs drive a world in virtual time.

use crate::{Action, Input, Invocation, NEVER, OnFailureMessage, Response, Shard, StreamRecord};
use futures_util::FutureExt;
use futures_util::future::{Either, Future, pending, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use records::{EpochMillis, ShardId};
use std::pin::pin;

/// What surrounds a shard: the clock, its stream, its function and its destination.
///
/// A call that is given the shard takes out of it what it needs before it returns: its future cannot hold the shard, which
/// is stepped on while the future runs.
pub trait Surroundings<R> {
    /// Why the shard cannot be driven any further.
    type Error;

    /// The time. It never runs backwards.
    fn now(&self) -> EpochMillis;

    /// Waits until `time`.
    fn sleep_until(&self, time: EpochMillis) -> impl Future<Output = ()>;

    /// Reads on in the shard. A read that failed and may be tried again is a page without records.
    fn poll<'d>(
        &'d self,
        shard: &ShardId,
        limit: usize,
    ) -> impl Future<Output = Result<Polled<R>, Self::Error>> + use<'d, Self, R>;

    /// Invokes the function with `shard.batch(invocation.slot)`.
    fn invoke<'d>(
        &'d self,
        shard: &Shard<R>,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Response, Self::Error>> + use<'d, Self, R>;

    /// Sends a message to the destination, which speaks of `shard.batch(slot)`, and says whether it was taken.
    fn deliver<'d>(
        &'d self,
        shard: &Shard<R>,
        slot: usize,
        message: Box<OnFailureMessage>,
    ) -> impl Future<Output = bool> + use<'d, Self, R>;

    /// Sees each action before it is carried out.
    fn observe(&self, _shard: &Shard<R>, _action: &Action) {}

    /// Waits until the mapping is switched on or off, and says which; it is on at first. Called again after each answer.
    fn switched(&self) -> impl Future<Output = bool> {
        pending()
    }
}

/// The answer to a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled<R> {
    /// The next records of the shard, ascending; none of them was returned before.
    pub records: Vec<R>,
    /// Whether the shard is closed and these were its last records.
    pub end_of_shard: bool,
}

/// Drives the shard until it is finished.
///
/// # Errors
///
/// What the surroundings say. What was under way then is dropped.
pub async fn run<R: StreamRecord, S: Surroundings<R>>(shard: &mut Shard<R>, around: &S) -> Result<(), S::Error> {
    let mut under_way = FuturesUnordered::new();
    let mut switched = pin!(around.switched().fuse());
    let mut input = Input::Tick;
    loop {
        let action = shard.step(around.now(), input);
        around.observe(shard, &action);
        input = match action {
            Action::Poll { limit } => {
                under_way.push(Either::Left(polled(around.poll(shard.id(), limit))));
                Input::Tick
            }
            Action::Invoke(invocation) => {
                let slot = invocation.slot;
                let responded = responded(slot, around.invoke(shard, &invocation));
                under_way.push(Either::Right(Either::Left(responded)));
                Input::Tick
            }
            Action::SendToDestination { slot, message } => {
                let delivered = delivered(slot, around.deliver(shard, slot, message));
                under_way.push(Either::Right(Either::Right(delivered)));
                Input::Tick
            }
            Action::Split { .. } | Action::Advance { .. } => Input::Tick,
            Action::WaitUntil { time, .. } => {
                let answer = async { if under_way.is_empty() { pending().await } else { under_way.next().await } };
                let time = async { if time == NEVER { pending().await } else { around.sleep_until(time).await } };
                // An answer goes first, then the switch, then the clock: what is decided does not depend on chance.
                match select(pin!(answer), select(switched.as_mut(), pin!(time))).await {
                    Either::Left((answer, _)) => answer.unwrap_or(Ok(Input::Tick))?,
                    Either::Right((Either::Left((on, _)), _)) => {
                        switched.set(around.switched().fuse());
                        if on { Input::Enable } else { Input::Disable }
                    }
                    Either::Right((Either::Right(((), _)), _)) => Input::Tick,
                }
            }
            Action::Finished => return Ok(()),
        };
    }
}

async fn polled<R, E>(poll: impl Future<Output = Result<Polled<R>, E>>) -> Result<Input<R>, E> {
    poll.await.map(|Polled { records, end_of_shard }| Input::Polled { records, end_of_shard })
}

async fn responded<R, E>(slot: usize, invoke: impl Future<Output = Result<Response, E>>) -> Result<Input<R>, E> {
    invoke.await.map(|response| Input::Responded { slot, response })
}

async fn delivered<R, E>(slot: usize, deliver: impl Future<Output = bool>) -> Result<Input<R>, E> {
    Ok(if deliver.await { Input::Delivered { slot } } else { Input::DeliveryFailed { slot } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BareRecord, Ending, FunctionResult, Settings, Timing};
    use futures_util::future::ready;
    use records::SequenceNumber;
    use std::cell::{Cell, RefCell};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    /// A clock that waits for nobody, a closed shard of one page, and a function that takes a few turns.
    #[derive(Default)]
    struct Lab {
        now: Cell<i64>,
        stream: RefCell<Vec<BareRecord>>,
        /// What the function answers, the first one first; success when there is no more.
        answers: RefCell<Vec<Result<FunctionResult, &'static str>>>,
        running: Cell<usize>,
        most_running: Cell<usize>,
        ended: RefCell<Vec<(String, Ending)>>,
        switches: RefCell<Vec<bool>>,
        messages: Cell<usize>,
    }

    /// Gives the others so many turns.
    async fn turns(mut count: usize) {
        std::future::poll_fn(|context| {
            if count == 0 {
                return Poll::Ready(());
            }
            count -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    impl Surroundings<BareRecord> for Lab {
        type Error = &'static str;

        fn now(&self) -> EpochMillis {
            EpochMillis(self.now.get())
        }

        async fn sleep_until(&self, time: EpochMillis) {
            turns(20).await;
            self.now.set(self.now.get().max(time.0));
        }

        fn poll<'d>(
            &'d self,
            _shard: &ShardId,
            _limit: usize,
        ) -> impl Future<Output = Result<Polled<BareRecord>, &'static str>> + use<'d> {
            ready(Ok(Polled { records: self.stream.take(), end_of_shard: true }))
        }

        fn invoke<'d>(
            &'d self,
            shard: &Shard<BareRecord>,
            invocation: &Invocation,
        ) -> impl Future<Output = Result<Response, &'static str>> + use<'d> {
            let takes = 1 + shard.batch(invocation.slot).len() % 3;
            async move {
                self.running.set(self.running.get() + 1);
                self.most_running.set(self.most_running.get().max(self.running.get()));
                turns(takes).await;
                self.running.set(self.running.get() - 1);
                let answer = self.answers.borrow_mut().pop();
                answer.unwrap_or(Ok(FunctionResult::returned("null"))).map(Response::from)
            }
        }

        fn deliver<'d>(
            &'d self,
            _shard: &Shard<BareRecord>,
            _slot: usize,
            _message: Box<OnFailureMessage>,
        ) -> impl Future<Output = bool> + use<'d> {
            self.messages.set(self.messages.get() + 1);
            ready(true)
        }

        fn observe(&self, shard: &Shard<BareRecord>, action: &Action) {
            if let Action::Advance { ending, .. } = action {
                let ended = shard.ended();
                let numbers = ended.iter().map(|record| (record.sequence_number.as_str().to_owned(), *ending));
                self.ended.borrow_mut().extend(numbers);
            }
        }

        async fn switched(&self) -> bool {
            let next = self.switches.borrow_mut().pop();
            match next {
                Some(on) => on,
                None => pending().await,
            }
        }
    }

    fn lab(records: u64) -> Lab {
        let record = |number: u64| BareRecord {
            sequence_number: SequenceNumber::parse(&number.to_string()).unwrap(),
            arrival: EpochMillis(0),
            payload_bytes: 100,
            key_hash: number % 7,
        };
        Lab { stream: RefCell::new((1..=records).map(record).collect()), ..Lab::default() }
    }

    /// Drives a shard with four slots to its end, in so many turns at most.
    fn drive(lab: &Lab) -> Result<(), &'static str> {
        let builder = Settings::builder("arn:aws:kinesis:us-east-1:111122223333:stream/orders", "orders")
            .on_failure("arn:aws:sqs:us-east-1:111122223333:orders-failed")
            .parallelization_factor(4)
            .maximum_retry_attempts(0)
            .batch_size(5);
        let id = ShardId::parse("shardId-0").unwrap();
        let mut shard = Shard::new(Arc::new(builder.build().unwrap()), Timing::default(), id);
        let mut run = pin!(run(&mut shard, lab));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..10_000 {
            if let Poll::Ready(result) = run.as_mut().poll(&mut context) {
                return result;
            }
        }
        panic!("a driven shard ends");
    }

    #[test]
    fn slots_run_side_by_side_and_every_record_ends_once() {
        let lab = lab(40);
        drive(&lab).unwrap();
        assert_eq!(lab.most_running.get(), 4);
        let mut ended = lab.ended.take();
        assert!(ended.iter().all(|(_, ending)| *ending == Ending::Handled));
        ended.sort_by_key(|(number, _)| number.parse::<u64>().unwrap());
        let numbers: Vec<String> = ended.into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, (1..=40).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn what_fails_in_one_slot_goes_to_the_destination_and_no_other_slot_waits() {
        let lab = lab(40);
        lab.answers.borrow_mut().push(Ok(FunctionResult::Failed));
        drive(&lab).unwrap();
        let ended = lab.ended.take();
        assert_eq!((lab.messages.get(), ended.len()), (1, 40));
        let delivered = ended.iter().filter(|(_, ending)| *ending == Ending::Delivered).count();
        assert!((1..=5).contains(&delivered), "one batch: {ended:?}");
    }

    #[test]
    fn an_error_of_the_surroundings_ends_the_run() {
        let lab = lab(40);
        lab.answers.borrow_mut().push(Err("the records are no JSON"));
        assert_eq!(drive(&lab), Err("the records are no JSON"));
    }

    #[test]
    fn a_mapping_that_is_switched_off_and_on_goes_on() {
        let lab = lab(40);
        lab.switches.replace(vec![true, false]);
        drive(&lab).unwrap();
        assert_eq!(lab.ended.borrow().len(), 40);
    }
}
