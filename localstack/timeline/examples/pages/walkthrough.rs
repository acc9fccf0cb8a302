//! Small stories, in which each cell can be read.

use timeline::InvocationOutcome::{Failed, Handled, Partial, Undelivered};
use timeline::{Fate, Run, Timeline};

use crate::story::{Place, Story};

const FIRST: Place = Place { lane: 0, slot: 0 };

/// Ten records of which the fifth always fails, bisected until it stands alone; ten more with partial answers.
pub fn small() -> Timeline {
    let mut story = Story::new(
        "simulate: walkthrough 2, beside partial answers",
        "BatchSize 10 · MaximumRetryAttempts 1 · BisectBatchOnFunctionError · ReportBatchItemFailures on the second stream",
    );
    bisected(&mut story);
    partially(&mut story);
    story.end()
}

fn bisected(story: &mut Story) {
    let lane = story.lane("shardId-000000000000", "kinesis", 1);
    let all = story.records(lane, 10);
    let run = |first, last| Run { first, last };
    let root = story.invoke(FIRST, all, 30, Failed);
    story.split(root, 5);
    story.wait(FIRST, 1_000);
    let left = story.invoke_after(FIRST, run(1, 5), 21, Failed, Some(root));
    story.split(left, 3);
    story.wait(FIRST, 1_000);
    story.invoke_after(FIRST, run(1, 3), 14, Handled, Some(left));
    let pair = story.invoke_after(FIRST, run(4, 5), 12, Failed, Some(left));
    story.split(pair, 1);
    story.wait(FIRST, 1_000);
    story.invoke_after(FIRST, run(4, 4), 5, Handled, Some(pair));
    let poison = story.invoke_after(FIRST, run(5, 5), 5, Failed, Some(pair));
    story.wait(FIRST, 60_000);
    let again = story.invoke_after(FIRST, run(5, 5), 6, Failed, Some(poison));
    let message = story.give_up(again, true);
    story.recover(message, 2_400, "Complete");
    story.wait(FIRST, 10);
    story.invoke_after(FIRST, run(6, 10), 22, Handled, Some(root));
}

fn partially(story: &mut Story) {
    let place = Place { lane: story.lane("shardId-00000001729-orders", "dynamodb", 1), slot: 0 };
    story.wait(place, 4);
    let all = story.records(place.lane, 10);
    let rest = |from: u32| Run { first: from, last: all.last };
    let first = story.invoke(place, all, 40, Partial { handled: 3 });
    story.wait(place, 1_000);
    let second = story.invoke_after(place, rest(all.first + 3), 35, Partial { handled: 3 }, Some(first));
    story.wait(place, 1_000);
    let third = story.invoke_after(place, rest(all.first + 6), 28, Partial { handled: 3 }, Some(second));
    story.wait(place, 60_000);
    let last = story.invoke_after(place, rest(all.last), 5, Failed, Some(third));
    let message = story.give_up(last, true);
    story.recover(message, 4_000, "Expired");
    let more = story.records(place.lane, 6);
    story.wait(place, 20);
    story.invoke(place, more, 16, Handled);
    story.fate(Run { first: more.first + 1, last: more.first + 1 }, Fate::Quarantined);
}

/// Two slots, invocations of seconds and short waits: readable in time, true to scale.
pub fn side_by_side() -> Timeline {
    let mut story = Story::new("simulate: two slots", "ParallelizationFactor 2 · BatchSize 4");
    let lane = story.lane("shardId-000000000000", "kinesis", 2);
    for slot in 0..2u16 {
        let place = Place { lane, slot };
        for round in 0..6u64 {
            let batch = story.records(lane, 4);
            story.wait(place, 200 + 150 * u64::from(slot));
            let outcome = if (round + u64::from(slot)) % 4 == 2 { Failed } else { Handled };
            let invocation = story.invoke(place, batch, 900 + 137 * round, outcome);
            if outcome == Failed {
                story.wait(place, 400);
                story.invoke_after(place, batch, 800, Handled, Some(invocation));
            }
        }
    }
    story.end()
}

/// A record of each fate, some of them never delivered; a throttle and a message that nobody took.
pub fn every_fate() -> Timeline {
    let mut story = Story::new("simulate: every fate", "a record of each, and a shard that was merged from two");
    let lane = story.lane("shardId-000000000000", "kinesis", 1);
    let batch = story.records(lane, 12);
    let run = |first, last| Run { first, last };
    story.fate(run(1, 1), Fate::Filtered);
    story.fate(run(2, 2), Fate::Trimmed);
    let throttled = story.invoke(FIRST, run(3, batch.last), 0, Undelivered);
    story.wait(FIRST, 2_000);
    story.fate(run(3, 3), Fate::Quarantined);
    let partial = story.invoke_after(FIRST, run(3, batch.last), 0, Partial { handled: 4 }, Some(throttled));
    for first in 7..=10 {
        let failed = story.invoke_after(FIRST, run(first, first), 0, Failed, Some(partial));
        let message = story.give_up(failed, first != 7);
        match first {
            8 => story.recover(message, 900, "Complete"),
            9 => story.recover(message, 900, "Expired"),
            _ => {}
        }
    }
    story.invoke(FIRST, run(11, 12), 0, Failed);
    story.fate(run(11, 12), Fate::Open);
    story.lane("shardId-000000000001", "kinesis", 1);
    story.lane("shardId-000000000002", "kinesis", 1);
    let mut timeline = story.end();
    timeline.lanes[2].parents = vec![0, 1];
    timeline
}

pub fn one_record() -> Timeline {
    let mut story = Story::new("simulate: one record", "BatchSize 1");
    let lane = story.lane("shardId-000000000000", "kinesis", 1);
    let batch = story.records(lane, 1);
    story.invoke(FIRST, batch, 0, Handled);
    story.end()
}

/// The small story with text in every place that would run, were it taken for markup.
pub fn hostile() -> Timeline {
    let attack =
        "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\u{2028}<!--";
    let mut timeline = small();
    timeline.title = attack.into();
    timeline.subtitle = attack.into();
    timeline.facts.push((attack.into(), attack.into()));
    timeline.lanes.iter_mut().for_each(|lane| (lane.name, lane.source) = (attack.into(), attack.into()));
    timeline.records.iter_mut().for_each(|record| record.label = attack.into());
    timeline.invocations.iter_mut().for_each(|invocation| invocation.response = attack.into());
    timeline.messages.iter_mut().for_each(|message| message.condition = attack.into());
    timeline.recoveries.iter_mut().for_each(|recovery| recovery.verdict = attack.into());
    timeline
}
