//! What holds for all settings and all functions.

use crate::world::{Lab, record, settings};
use event_source_mapping::{BareRecord, Ending, FunctionResult, PAYLOAD_BYTES_MAX, SettingsBuilder, Timing};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What the function does with a batch, before it is known which batch.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Success,
    Throw,
    Undelivered,
    Invalid,
    Report(usize),
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Success),
        2 => Just(Answer::Throw),
        1 => Just(Answer::Undelivered),
        1 => Just(Answer::Invalid),
        4 => (0..20_usize).prop_map(Answer::Report),
    ]
}

/// Arrivals may run backwards a little, and a record is now and then too large for any invocation.
fn stream() -> impl Strategy<Value = Vec<BareRecord>> {
    let size = prop_oneof![20 => Just(300), 3 => Just(PAYLOAD_BYTES_MAX / 3), 1 => Just(PAYLOAD_BYTES_MAX)];
    vec((-90_000..90_000_i64, size), 0..40).prop_map(|records| {
        (1..)
            .zip(records)
            .map(|(number, (at, payload_bytes))| BareRecord { payload_bytes, ..record(number, at) })
            .collect()
    })
}

prop_compose! {
    fn any_settings()(
        batch_size in 1..=20_i64,
        retries in 0..4_i64,
        window_s in prop_oneof![Just(0), 1..20_i64],
        age_s in prop_oneof![Just(-1), 60..120_i64],
        bisect: bool,
        report: bool,
        slots in 1..=10_i64,
    ) -> SettingsBuilder {
        settings()
            .batch_size(batch_size)
            .maximum_retry_attempts(retries)
            .maximum_batching_window_s(window_s)
            .maximum_record_age_s(age_s)
            .parallelization_factor(slots)
            .bisect_batch_on_function_error(bisect)
            .report_batch_item_failures(report)
    }
}

/// The records that a function handled, by its own account.
type Handled = Rc<RefCell<BTreeSet<u64>>>;

/// A function that follows the script and throws at one record whenever the script is over.
fn function(
    script: Vec<Answer>,
    poison: u64,
    report: bool,
    handled: &Handled,
) -> impl FnMut(&[u64]) -> FunctionResult + use<> {
    let mut script = script.into_iter();
    let handled = Rc::clone(handled);
    move |batch| {
        let answer = script.next().unwrap_or(if batch.contains(&poison) { Answer::Throw } else { Answer::Success });
        let done = match answer {
            Answer::Throw | Answer::Undelivered => 0,
            Answer::Invalid if report => 0,
            Answer::Report(index) if report => index % batch.len(),
            Answer::Success | Answer::Invalid | Answer::Report(_) => batch.len(),
        };
        handled.borrow_mut().extend(&batch[..done]);
        match answer {
            Answer::Success => FunctionResult::returned("{}"),
            Answer::Throw => FunctionResult::Failed,
            Answer::Undelivered => FunctionResult::Undelivered,
            Answer::Invalid => FunctionResult::reporting([""]),
            Answer::Report(index) => FunctionResult::reporting([batch[index % batch.len()].to_string().as_str()]),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_record_ends_once_and_the_checkpoint_passes_none_before(
        settings in any_settings(),
        stream in stream(),
        script in vec(answer(), 0..60),
        poison in 1..40_u64,
        seed: u64,
    ) {
        let built = settings.clone().build().unwrap();
        let count = stream.len();
        let undelivered = script.iter().filter(|answer| matches!(answer, Answer::Undelivered)).count();
        let timing = Timing { seed, ..Timing::default() };
        let handled = Handled::default();
        let function = function(script, poison, built.reports_batch_item_failures(), &handled);
        let lab = Lab::new(stream, function).run_with(settings, timing, 7 * 24 * 3_600_000);

        prop_assert!(lab.finished, "invocations are finite when retries are");
        // Each charged invocation uses up a budget that a record has once, each split is of a batch that shrinks.
        let retries = usize::try_from(built.retry_attempts().unwrap()).unwrap();
        prop_assert!(lab.invocations.len() <= (retries + 3) * count + undelivered);
        for batch in &lab.invocations {
            prop_assert!((1..=built.batch_size()).contains(&batch.len()));
            prop_assert!(batch.is_sorted());
        }

        let mut given_up = lab.given_up.iter();
        let mut endings = BTreeMap::new();
        let mut checkpoint_before = None;
        for ((records, ending, checkpoint), ended) in lab.advances.iter().zip(&lab.ended) {
            prop_assert_eq!(ended.len(), *records);
            if *ending == Ending::Delivered {
                prop_assert_eq!(given_up.next(), Some(ended), "the message is about other records");
            }
            for number in ended.iter().copied() {
                prop_assert!(endings.insert(number, *ending).is_none(), "{} ended twice", number);
            }
            prop_assert!(*checkpoint >= checkpoint_before, "the checkpoint ran backwards");
            checkpoint_before = *checkpoint;
            for passed in 1..=checkpoint.unwrap_or(0) {
                prop_assert!(endings.contains_key(&passed), "the checkpoint passed {} too early", passed);
            }
        }
        prop_assert_eq!(endings.len(), count);
        prop_assert_eq!(checkpoint_before.unwrap_or(0), count as u64);
        prop_assert!(given_up.next().is_none());
        let said_to_be_handled = endings.iter().filter(|(_, ending)| **ending == Ending::Handled).map(|(number, _)| *number);
        prop_assert_eq!(said_to_be_handled.collect::<BTreeSet<_>>(), handled.take());
        for (numbers, (start, end, size, _)) in lab.given_up.iter().zip(lab.ranges()) {
            prop_assert_eq!((numbers[0], numbers[numbers.len() - 1], numbers.len()), (start, end, size));
        }
    }

    #[test]
    fn the_same_seed_does_the_same_again(
        settings in any_settings(),
        stream in stream(),
        script in vec(answer(), 0..60),
        seed: u64,
    ) {
        let run = || {
            let timing = Timing { seed, ..Timing::default() };
            let function = function(script.clone(), 1, true, &Handled::default());
            Lab::new(stream.clone(), function).run_with(settings.clone(), timing, 24 * 3_600_000)
        };
        let (one, other) = (run(), run());
        prop_assert_eq!(one.invoked_at_ms, other.invoked_at_ms);
        prop_assert_eq!(one.messages, other.messages);
    }
}
