use super::*;
use crate::StreamReader;
use crate::memory::{MemoryStream, number, numbers, range};

fn bounds() -> Bounds {
    Bounds { empty_pages: 20, empty_pages_at_tip: 3, restarts: 3, pages: 100 }
}

fn wanted(ranges: &[(&str, &str)]) -> Vec<RangeReading> {
    ranges.iter().map(|(start, end)| RangeReading::new(number(start), number(end), 1)).collect()
}

/// Makes the calls that the reading asks for, until it asks for none.
async fn drive(stream: &MemoryStream, mut reading: ShardReading) -> ShardReading {
    let range = range("0", "0");
    while let Some(call) = reading.next_call() {
        let done = match &call {
            Call::Iterator(position) => {
                let iterator = stream.iterator(range.stream(), range.shard(), position).await;
                iterator.map(|iterator| reading.absorb_iterator(iterator))
            }
            Call::Page { iterator, limit } => {
                let page = stream.page(range.stream(), iterator, *limit).await;
                page.map(|page| reading.absorb_page(page))
            }
        };
        if let Err(error) = done {
            reading.absorb_error(error);
        }
    }
    reading
}

async fn read_all(stream: &MemoryStream, ranges: &[(&str, &str)]) -> ShardReading {
    drive(stream, ShardReading::new(StreamKind::Kinesis, wanted(ranges), bounds())).await
}

async fn read(stream: &MemoryStream, start: &str, end: &str) -> (Vec<String>, Result<ReadEnd, RangeFailure>) {
    let reading = read_all(stream, &[(start, end)]).await;
    let range = &reading.ranges[0];
    (found(range), range.ended.clone().unwrap())
}

fn found(range: &RangeReading) -> Vec<String> {
    range.records.iter().map(|record| record.sequence_number().to_string()).collect()
}

fn ok(numbers: &[&str], end: ReadEnd) -> (Vec<String>, Result<ReadEnd, RangeFailure>) {
    (numbers.iter().map(ToString::to_string).collect(), Ok(end))
}

fn numbered(count: u32) -> Vec<String> {
    (1..=count).map(|n| n.to_string()).collect()
}

fn stream_of(count: u32) -> MemoryStream {
    let numbers = numbered(count);
    MemoryStream::with(&numbers.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_range_is_read_to_its_end_and_no_further() {
    let stream = MemoryStream::with(&["8", "9", "10", "11", "12"]).page_size(3);
    assert_eq!(read(&stream, "9", "11").await, ok(&["9", "10", "11"], ReadEnd::EndSeen));
}

#[tokio::test]
async fn a_batch_of_the_expected_size_costs_an_iterator_and_a_page() {
    let stream = stream_of(50);
    let range = RangeReading::new(number("9"), number("20"), 12);
    let reading = drive(&stream, ShardReading::new(StreamKind::Kinesis, vec![range], bounds())).await;
    assert_eq!((reading.ranges[0].found, stream.calls()), (12, (1, 1)));
}

#[tokio::test]
async fn a_range_with_more_records_than_expected_is_read_whole() {
    let stream = stream_of(5_000);
    let reading = read_all(&stream, &[("1", "4000")]).await;
    // One record, then a thousand, which shows how many more it takes.
    assert_eq!((reading.ranges[0].found, stream.calls()), (4_000, (1, 3)));
}

#[tokio::test]
async fn short_and_empty_pages_end_nothing() {
    let stream = MemoryStream::with(&["1", "2", "3"]).page_size(1).empty_pages_between(5);
    assert_eq!(read(&stream, "1", "3").await, ok(&["1", "2", "3"], ReadEnd::EndSeen));
}

#[tokio::test]
async fn an_expired_iterator_is_replaced_at_the_last_record() {
    let stream = MemoryStream::with(&["1", "2", "3"]).page_size(2).expire_after_pages(1);
    let reading = read_all(&stream, &[("1", "3")]).await;
    assert_eq!(
        (found(&reading.ranges[0]), reading.ranges[0].gaps.len()),
        (vec!["1".into(), "2".into(), "3".into()], 0)
    );
}

#[tokio::test]
async fn what_is_trimmed_half_way_leaves_a_gap() {
    let numbers = ["1", "2", "3", "4", "5", "6"];
    // Pages of two; after the first, records up to 4 are trimmed.
    let dynamodb = MemoryStream::with(&numbers).page_size(2).trim_after_pages(1, 4).trimming_is_an_error();
    let kinesis = MemoryStream::with(&numbers).page_size(2).trim_after_pages(1, 4).expire_after_pages(1);
    for stream in [dynamodb, kinesis] {
        let range = RangeReading::new(number("1"), number("6"), 4);
        let reading = drive(&stream, ShardReading::new(StreamKind::Kinesis, vec![range], bounds())).await;
        let range = &reading.ranges[0];
        assert_eq!((found(range).join(" "), range.ended.clone()), ("1 2 5 6".to_owned(), Some(Ok(ReadEnd::EndSeen))));
        assert_eq!(range.gaps, [Gap { after: number("2"), before: number("5") }], "{stream:?}");
    }
}

#[tokio::test]
async fn what_kinesis_trims_between_two_pages_without_a_word_is_noticed() {
    let numbers = ["1", "2", "3", "4", "5", "6"];
    let read = async |is_expiring: bool| {
        let stream = MemoryStream::with(&numbers).page_size(2).trim_after_pages(1, 4);
        let reading = ShardReading::new(StreamKind::Kinesis, wanted(&[("1", "6")]), bounds());
        let reading = if is_expiring { reading.of_expiring_records() } else { reading };
        let range = drive(&stream, reading).await.ranges.remove(0);
        (found(&range).join(" "), range.gaps.len())
    };
    assert_eq!(read(true).await, ("1 5 6".to_owned(), 1));
    assert_eq!(read(false).await, ("1 5 6".to_owned(), 0), "it is only asked for where it can happen");
    let whole = MemoryStream::with(&numbers).page_size(2);
    let reading = ShardReading::new(StreamKind::Kinesis, wanted(&[("1", "6")]), bounds()).of_expiring_records();
    let range = drive(&whole, reading).await.ranges.remove(0);
    assert_eq!((range.found, range.gaps.len()), (6, 0));
}

#[tokio::test]
async fn a_trimmed_start_leaves_the_rest() {
    let kinesis = MemoryStream::with(&["1", "2", "3", "4"]).trim(2);
    assert_eq!(read(&kinesis, "1", "3").await, ok(&["3"], ReadEnd::EndSeen));
    let dynamodb = MemoryStream::with(&["1", "2", "3", "4"]).trim(2).trimming_is_an_error();
    assert_eq!(read(&dynamodb, "1", "3").await, ok(&["3"], ReadEnd::EndSeen));
}

#[tokio::test]
async fn a_range_that_is_trimmed_whole_ends_at_the_next_record_or_the_tip() {
    let followed = MemoryStream::with(&["1", "2", "9"]).trim(2);
    assert_eq!(read(&followed, "1", "2").await, ok(&[], ReadEnd::EndSeen));
    let idle = MemoryStream::with(&["1", "2"]).trim(2);
    assert_eq!(read(&idle, "1", "2").await, ok(&[], ReadEnd::TipReached));
    let closed = MemoryStream::with(&["1", "2"]).trim(2).closed();
    assert_eq!(read(&closed, "1", "2").await, ok(&[], ReadEnd::ShardClosed));
}

#[tokio::test]
async fn where_the_end_is_said_to_be_trimmed_nobody_waits_for_the_tip() {
    let stream = MemoryStream::with(&["1", "2", "3", "4"]).trim(3).trimming_is_an_error().without_tip_hint();
    let reading = read_all(&stream, &[("1", "2"), ("2", "3"), ("4", "4")]).await;
    let ends: Vec<_> = reading.ranges.iter().map(|range| (found(range).len(), range.ended.clone().unwrap())).collect();
    assert_eq!(ends, [(0, Ok(ReadEnd::Trimmed)), (0, Ok(ReadEnd::Trimmed)), (1, Ok(ReadEnd::EndSeen))]);
}

#[tokio::test]
async fn without_the_hint_empty_pages_are_an_error_and_no_loss() {
    let stream = MemoryStream::with(&["1", "2"]).trim(2).without_tip_hint();
    let (_, end) = read(&stream, "1", "2").await;
    assert_eq!(end, Err(RangeFailure::Bound { count: 20, what: "empty pages in a row" }));
}

#[tokio::test]
async fn what_proves_nothing_is_a_failure() {
    for kind in
        [ReadErrorKind::ForeignPosition, ReadErrorKind::Throttled, ReadErrorKind::Transient, ReadErrorKind::Other]
    {
        let (_, end) = read(&MemoryStream::with(&["1"]).failing(kind), "1", "1").await;
        assert!(matches!(&end, Err(RangeFailure::Call(error)) if error.kind == kind), "{end:?}");
    }
    let gone = MemoryStream::with(&["1"]).failing(ReadErrorKind::Gone);
    assert_eq!(read(&gone, "1", "1").await, ok(&[], ReadEnd::Gone));
    let always_expired = MemoryStream::with(&["1"]).failing(ReadErrorKind::ExpiredIterator);
    let (_, end) = read(&always_expired, "1", "1").await;
    assert_eq!(end, Err(RangeFailure::Bound { count: 3, what: "restarts" }));
}

#[tokio::test]
async fn a_position_of_another_shard_fails_the_ranges_that_begin_there_and_no_other() {
    let mut reading = ShardReading::new(StreamKind::Kinesis, wanted(&[("1", "2"), ("1", "3"), ("5", "5")]), bounds());
    assert_eq!(reading.next_call(), Some(Call::Iterator(Position::At(number("1")))));
    reading.absorb_error(ReadError { kind: ReadErrorKind::ForeignPosition, message: String::new() });
    let ended: Vec<bool> = reading.ranges.iter().map(|range| range.ended.is_some()).collect();
    assert_eq!(ended, [true, true, false]);
    assert_eq!(reading.next_call(), Some(Call::Iterator(Position::At(number("5")))));
}

#[tokio::test]
async fn ranges_that_touch_overlap_or_lie_close_are_read_in_one_pass() {
    let stream = stream_of(100);
    let reading = read_all(&stream, &[("10", "12"), ("12", "20"), ("11", "13"), ("21", "21"), ("60", "61")]).await;
    let found: Vec<(String, u64)> = reading.ranges.iter().map(|range| (range.start.to_string(), range.found)).collect();
    let expected = [("10", 3), ("11", 3), ("12", 9), ("21", 1), ("60", 2)];
    assert_eq!(found, expected.map(|(start, count)| (start.to_owned(), count)));
    assert_eq!(stream.calls(), (1, 1));
}

#[tokio::test]
async fn what_is_far_away_is_not_read_through() {
    let stream = stream_of(100_000).page_size(1_000);
    let reading = read_all(&stream, &[("10", "12"), ("90000", "90001")]).await;
    assert_eq!(reading.ranges.iter().map(|range| range.found).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(stream.calls(), (2, 2), "a call for each");
}

#[tokio::test]
async fn a_thousand_points_of_a_shard_cost_no_more_pages_than_the_shard_has() {
    let stream = stream_of(100_000);
    let points: Vec<String> = (0..1_000).map(|n| (50 + n * 99).to_string()).collect();
    let ranges: Vec<(&str, &str)> = points.iter().map(|point| (point.as_str(), point.as_str())).collect();
    let reading = read_all(&stream, &ranges).await;
    assert!(reading.ranges.iter().all(|range| range.found == 1 && range.ended == Some(Ok(ReadEnd::EndSeen))));
    assert!(stream.calls().1 <= 11, "ten pages of ten thousand hold all: {:?}", stream.calls());
}

#[tokio::test]
async fn numbers_of_unequal_length_and_with_leading_zeros_are_compared_as_numbers() {
    let stream = MemoryStream::with(&["0099", "100", "0101"]);
    assert_eq!(read(&stream, "99", "0100").await, ok(&["0099", "100"], ReadEnd::EndSeen));
}

#[tokio::test]
async fn the_rest_of_a_range_begins_behind_what_is_safe_and_proves_that_nothing_is_between() {
    let rest = || RangeReading::new(number("3"), number("5"), 1).resumed(number("1"), 3);
    let whole = drive(&stream_of(6), ShardReading::new(StreamKind::Kinesis, vec![rest()], bounds())).await;
    let range = &whole.ranges[0];
    assert_eq!((numbers_of(range), range.found, &range.gaps[..]), ("4 5".to_owned(), 5, &[][..]));
    assert_eq!((range.first.clone(), range.last.clone()), (Some(number("1")), Some(number("5"))));
    let trimmed = drive(&stream_of(6).trim(4), ShardReading::new(StreamKind::Kinesis, vec![rest()], bounds())).await;
    let range = &trimmed.ranges[0];
    assert_eq!(numbers_of(range), "5");
    assert_eq!(range.gaps, [Gap { after: number("3"), before: number("5") }]);
}

#[test]
fn the_rest_of_a_batch_takes_one_read() {
    let rest = RangeReading::new(number("3"), number("5"), 5).resumed(number("1"), 3);
    let mut reading = ShardReading::new(StreamKind::Kinesis, vec![rest], bounds());
    assert_eq!(reading.next_call(), Some(Call::Iterator(Position::At(number("3")))));
    reading.absorb_iterator(ShardIterator("i".to_owned()));
    // Two are missing, and the one that is safe comes first.
    assert_eq!(reading.next_call(), Some(Call::Page { iterator: ShardIterator("i".to_owned()), limit: 3 }));
}

fn numbers_of(range: &RangeReading) -> String {
    let records: Vec<StreamRecord> = range.records.iter().map(|record| StreamRecord::clone(record)).collect();
    numbers(&records).join(" ")
}
