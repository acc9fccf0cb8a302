//! From TOML to a scenario.

use super::error::ScenarioError;
use super::mapping::MappingPlan;
use super::section::{Item, Section};
use super::{Bounds, Change, DestinationPlan, FunctionPlan, RecordPlan, Reports, Reshard, Scenario, StreamPlan, Times};
use event_source_mapping::Backoff;
use records::StreamKind;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

type Result<T> = std::result::Result<T, ScenarioError>;

/// Records that a run holds in memory.
const RECORDS_MAX: i64 = 1_000_000;
/// Shards that a page can show side by side.
const SHARDS_MAX: i64 = 100;
/// A year, the longest retention of Kinesis.
const YEAR_S: i64 = 365 * 86_400;
/// What no invocation carries any more, and some.
const BYTES_MAX: i64 = 16 * 1024 * 1024;

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// With line, column, key and what is allowed, when the text is no TOML, a key is unknown or missing, a value is out of
    /// its range, or AWS would refuse the mapping.
    pub fn parse(text: &str) -> Result<Self> {
        let mut root = Section::parse(text)?;
        let stream = stream(root.section("stream")?)?;
        let mapping = MappingPlan::read(text, root.section("mapping")?, stream.kind)?;
        let count = i64::from(stream.records);
        let function = function(root.section("function")?)?;
        let failures = failures(root.sections("failures")?, count)?;
        let records = record_plans(root.sections("records")?, count)?;
        let destination = destination(root.section("destination")?)?;
        let switches = switches(root.sections("disabled")?)?;
        let bounds = bounds(root.section("simulation")?)?;
        root.finish()?;
        Ok(Self { mapping, stream, records, function, failures, destination, switches, bounds })
    }
}

fn stream(mut section: Section<'_>) -> Result<StreamPlan> {
    let kinds = [("kinesis", StreamKind::Kinesis), ("dynamodb", StreamKind::DynamoDb)];
    let kind = section.take("source").map_or(Ok(StreamKind::Kinesis), |item| item.word(&kinds))?;
    let shards = section.integer("shards", 1..=SHARDS_MAX, 1)?;
    let records = section.required("records")?.integer(0..=RECORDS_MAX)?;
    let age_s = section.integer("age_seconds", 0..=YEAR_S, 0)?;
    let rate_per_second = section.take("rate_per_second").map(|item| item.integer(1..=1_000_000)).transpose()?;
    let keys = section.integer("keys", 1..=RECORDS_MAX, 10)?;
    let record_bytes = section.integer("record_bytes", 1..=BYTES_MAX, 500)?;
    let retention = match kind {
        StreamKind::Kinesis => 24..=8760,
        StreamKind::DynamoDb => 24..=24,
    };
    let retention_hours = section.integer("retention_hours", retention, 24)?;
    let reshards = reshards(section.sections("reshards")?, usize_of(shards))?;
    section.finish()?;
    Ok(StreamPlan {
        kind,
        shards: usize_of(shards),
        records: u32_of(records),
        age_ms: age_s * 1000,
        rate_per_second,
        keys: u32_of(keys),
        record_bytes: usize_of(record_bytes),
        retention_ms: retention_hours * 3_600_000,
        reshards,
    })
}

/// Follows which shards are open, so that only those are split or merged.
fn reshards(sections: Vec<Section<'_>>, shards: usize) -> Result<Vec<Reshard>> {
    let mut open: Vec<usize> = (0..shards).collect();
    let (mut count, mut last_ms, mut reshards) = (shards, 0, Vec::new());
    for mut section in sections {
        let at = section.required("at_seconds")?;
        let at_ms = at.integer(0..=YEAR_S)? * 1000;
        if at_ms < last_ms {
            return Err(at.error("must not be before that of the reshard above it"));
        }
        let (split, merge) = (section.take("split"), section.take("merge"));
        let last_shard = i64::try_from(count).unwrap_or(i64::MAX) - 1;
        let change = match (split, merge) {
            (Some(item), None) => {
                let shard = usize_of(item.integer(0..=last_shard)?);
                let place = position(&open, shard, &item)?;
                open.splice(place..=place, [count, count + 1]);
                count += 2;
                Change::Split(shard)
            }
            (None, Some(item)) => {
                let [left, right] = item.integers(0..=last_shard)?.map(usize_of);
                let place = position(&open, left, &item)?;
                if open.get(place + 1) != Some(&right) {
                    return Err(item.error(format_args!("must name two neighbours among the open shards {open:?}")));
                }
                open.splice(place..=place + 1, [count]);
                count += 1;
                Change::Merge(left, right)
            }
            _ => return Err(at.error("needs either `split` or `merge` beside it")),
        };
        section.finish()?;
        last_ms = at_ms;
        reshards.push(Reshard { at_ms, change });
    }
    Ok(reshards)
}

fn position(open: &[usize], shard: usize, item: &Item<'_>) -> Result<usize> {
    let place = open.iter().position(|one| *one == shard);
    place.ok_or_else(|| item.error(format_args!("must name an open shard, one of {open:?}")))
}

fn function(mut section: Section<'_>) -> Result<FunctionPlan> {
    let words = [
        ("first", Reports::First),
        ("all", Reports::All),
        ("throws", Reports::Throws),
        ("times-out", Reports::TimesOut),
        ("crashes", Reports::Crashes),
    ];
    let plan = FunctionPlan {
        reports: section.take("reports").map_or(Ok(Reports::First), |item| item.word(&words))?,
        response: section.take("response").map(|item| item.text()).transpose()?,
        duration_ms: section.integer("duration_ms", 0..=900_000, 100)?,
        per_record_ms: section.integer("per_record_ms", 0..=900_000, 0)?,
        timeout_ms: section.integer("timeout_seconds", 1..=900, 30)? * 1000,
        throttled_invocations: u32_of(section.integer("throttled_invocations", 0..=1_000_000, 0)?),
    };
    section.finish()?;
    Ok(plan)
}

fn failures(sections: Vec<Section<'_>>, records: i64) -> Result<BTreeMap<u32, Times>> {
    let mut failures = BTreeMap::new();
    for mut section in sections {
        let (record, number) = numbered(&mut section, records)?;
        let times = match section.take("times") {
            None => Times::Count(1),
            Some(item) if item.is_text() => item.word(&[("always", Times::Always)])?,
            Some(item) => Times::Count(u32_of(item.integer(1..=1_000_000)?)),
        };
        section.finish()?;
        if failures.insert(number, times).is_some() {
            return Err(record.error("is the same as that of a table above it"));
        }
    }
    Ok(failures)
}

fn record_plans(sections: Vec<Section<'_>>, records: i64) -> Result<BTreeMap<u32, RecordPlan>> {
    let mut plans = BTreeMap::new();
    for mut section in sections {
        let (record, number) = numbered(&mut section, records)?;
        let age_s = section.take("age_seconds").map(|item| item.integer(0..=YEAR_S)).transpose()?;
        let bytes = section.take("bytes").map(|item| item.integer(1..=BYTES_MAX)).transpose()?;
        let document = section.take("json").map(|item| {
            let parsed = serde_json::from_str(&item.text()?);
            parsed.map_err(|error| item.error(format_args!("must be JSON in a text: {error}")))
        });
        let plan = RecordPlan {
            key: section.take("key").map(|item| item.text()).transpose()?,
            document: document.transpose()?,
            age_ms: age_s.map(|seconds| seconds * 1000),
            bytes: bytes.map(usize_of),
        };
        section.finish()?;
        if plans.insert(number, plan).is_some() {
            return Err(record.error("is the same as that of a table above it"));
        }
    }
    Ok(plans)
}

/// The record that a table is about.
fn numbered<'t>(section: &mut Section<'t>, records: i64) -> Result<(Item<'t>, u32)> {
    let item = section.required("record")?;
    let number = item.integer(1..=records)?;
    Ok((item, u32_of(number)))
}

fn destination(mut section: Section<'_>) -> Result<DestinationPlan> {
    let plan = match section.take("fails") {
        None => DestinationPlan::Works,
        Some(item) if item.is_boolean() => match item.boolean()? {
            true => DestinationPlan::Fails,
            false => DestinationPlan::Works,
        },
        Some(item) => DestinationPlan::FailsFirst(u32_of(item.integer(0..=1_000_000)?)),
    };
    section.finish()?;
    Ok(plan)
}

fn switches(sections: Vec<Section<'_>>) -> Result<Vec<(i64, bool)>> {
    let mut switches: Vec<(i64, bool)> = Vec::new();
    for mut section in sections {
        let at = section.required("at_seconds")?;
        let at_ms = at.integer(0..=YEAR_S)? * 1000;
        if switches.last().is_some_and(|(on_ms, _)| at_ms < *on_ms) {
            return Err(at.error("must not be before the end of the table above it"));
        }
        let for_ms = section.required("for_seconds")?.integer(1..=YEAR_S)? * 1000;
        section.finish()?;
        switches.extend([(at_ms, false), (at_ms + for_ms, true)]);
    }
    Ok(switches)
}

fn bounds(mut section: Section<'_>) -> Result<Bounds> {
    let seed = section.integer("seed", 0..=i64::MAX, 0)?;
    let until_s = section.integer("until_seconds", 1..=YEAR_S, 7 * 86_400)?;
    let default = Backoff::default();
    let range: RangeInclusive<i64> = 2..=86_400_000;
    let initial = section.integer("backoff_initial_ms", range.clone(), default.initial_ms.into())?;
    let maximum = section.integer("backoff_maximum_ms", range, i64::from(default.maximum_ms).max(initial))?;
    section.finish()?;
    let backoff = Backoff { initial_ms: u32_of(initial), maximum_ms: u32_of(maximum) };
    Ok(Bounds { seed: seed.unsigned_abs(), until_ms: until_s * 1000, backoff })
}

/// Of a number whose range was checked.
fn u32_of(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn usize_of(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
