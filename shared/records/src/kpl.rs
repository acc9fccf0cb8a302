//! Aggregated records: what the Kinesis Producer Library packs into one Kinesis record.
//!
//! Four bytes of magic, a protobuf message, and the MD5 of the message. Sub-records count from 0 and share the sequence
//! number of the outer record, so whoever fails one of them can only name the outer one.
//!
//! The Kinesis Client Library takes such a record apart, and drops what it cannot place without a word. [`disaggregate`]
//! hands out the very same sub-records, and says what it left out.

mod left_out;
mod message;
mod pack;
mod placement;
mod wire;

#[cfg(test)]
mod agreement;

pub use left_out::LeftOut;
pub use pack::aggregate;

use crate::HashKeyRange;
use md5::{Digest, Md5};
use message::Message;
use placement::Placement;
use std::ops::Range;

/// The first bytes of an aggregated record.
pub const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// Length of the MD5 behind the message, in bytes.
const DIGEST_BYTES: usize = 16;

/// One record that a producer put, out of an aggregated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubRecord<'a> {
    /// The key that the producer gave.
    pub partition_key: &'a str,
    /// The hash key that the producer gave in the partition key's place, a decimal number.
    pub explicit_hash_key: Option<&'a str>,
    /// The payload. If it looks like an aggregated record it is none: there is no recursion.
    pub data: &'a [u8],
}

/// An aggregated record, taken apart. It keeps the data, so that sub-records can be looked at without a copy; `B` is
/// whatever holds it, a `Vec<u8>` or a `&[u8]`.
///
/// Besides the data it takes less than six times as much memory, whatever is in it.
#[derive(Debug, Clone)]
pub struct Aggregate<B> {
    data: B,
    message: Message,
    slots: Vec<Slot>,
    left_out: Option<LeftOut>,
}

/// Where a sub-record is: its keys by their positions in the tables, and its data.
#[derive(Debug, Clone)]
struct Slot {
    partition_key: u32,
    explicit_hash_key: Option<u32>,
    data_start: u32,
    data_end: u32,
}

/// Takes an aggregated record apart. `shard` is the range of the shard that it came from, where that is known.
///
/// # Errors
///
/// Gives the data back to be handed through as it is, when it is no aggregated record: another magic, nothing between magic
/// and MD5, a bad MD5, or a message that is no protobuf of that shape.
///
/// ```
/// use records::kpl::{SubRecord, aggregate, disaggregate};
///
/// let record = SubRecord { partition_key: "customer-1", explicit_hash_key: None, data: b"{}" };
/// let packed = disaggregate(aggregate(&[record, record]), None).unwrap();
/// assert_eq!((packed.len(), packed.get(1), packed.left_out()), (2, Some(record), None));
/// assert_eq!(disaggregate(&b"{}"[..], None).unwrap_err(), b"{}");
/// ```
pub fn disaggregate<B: AsRef<[u8]>>(data: B, shard: Option<&HashKeyRange>) -> Result<Aggregate<B>, B> {
    let Some(message) = undamaged(data.as_ref()).and_then(|place| Message::parse(data.as_ref(), place)) else {
        return Err(data);
    };
    let mut placement = Placement::new(&message, shard);
    let mut slots = Vec::with_capacity(message.count());
    let mut left_out = None;
    for record in message.records(data.as_ref()) {
        match placement.of(slots.len(), &record) {
            Ok(slot) => slots.push(slot),
            Err(reason) => {
                left_out = Some(reason);
                break;
            }
        }
    }
    if matches!(left_out, Some(LeftOut::OutsideOfShard { .. })) {
        slots.clear();
    }
    Ok(Aggregate { data, message, slots, left_out })
}

/// Where the message is, when magic and MD5 are right.
fn undamaged(data: &[u8]) -> Option<Range<usize>> {
    let packed = data.strip_prefix(&MAGIC)?;
    let length = packed.len().checked_sub(DIGEST_BYTES).filter(|length| *length > 0)?;
    let (message, digest) = packed.split_at(length);
    (Md5::digest(message).as_slice() == digest).then_some(MAGIC.len()..MAGIC.len() + length)
}

/// Whether the standard base64 of a record's data begins as that of an aggregated one does, with escapes of JSON resolved.
/// What does not is none; what does is one nearly always.
#[must_use]
pub fn may_be_aggregated_base64(text: &[u8]) -> bool {
    // The sixth character holds the last two bits of the magic and four bits of what follows.
    matches!(text, [b'8', b'4', b'm', b'a', b'w', b'g'..=b'v', ..])
}

impl Slot {
    /// The data's place fits, for the message as a whole does.
    fn new(partition_key: u32, explicit_hash_key: Option<u32>, data: &Range<usize>) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a message is refused when it is larger")]
        let (data_start, data_end) = (data.start as u32, data.end as u32);
        Self { partition_key, explicit_hash_key, data_start, data_end }
    }
}

impl<B: AsRef<[u8]>> Aggregate<B> {
    /// How many sub-records are handed out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no sub-record is handed out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A sub-record by its position, counted from 0.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<SubRecord<'_>> {
        let slot = self.slots.get(position)?;
        Some(SubRecord {
            partition_key: self.message.partition_keys.get(slot.partition_key)?,
            explicit_hash_key: match slot.explicit_hash_key {
                Some(index) => Some(self.message.explicit_hash_keys.get(index)?),
                None => None,
            },
            data: self.data.as_ref().get(slot.data_start as usize..slot.data_end as usize)?,
        })
    }

    /// The sub-records in their order.
    pub fn records(&self) -> impl Iterator<Item = SubRecord<'_>> {
        (0..self.len()).map_while(|position| self.get(position))
    }

    /// What the record holds besides, if anything: whoever ignores it loses records.
    #[must_use]
    pub fn left_out(&self) -> Option<&LeftOut> {
        self.left_out.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub_record<'a>(partition_key: &'a str, explicit_hash_key: Option<&'a str>, data: &'a [u8]) -> SubRecord<'a> {
        SubRecord { partition_key, explicit_hash_key, data }
    }

    fn sealed(message: &[u8]) -> Vec<u8> {
        [&MAGIC, message, Md5::digest(message).as_slice()].concat()
    }

    /// What is handed out, and the words on what is not.
    fn check(data: &[u8], shard: Option<&HashKeyRange>, expected: &[SubRecord<'_>], left_out: Option<&str>) {
        let packed = disaggregate(data, shard).unwrap();
        assert_eq!(packed.records().collect::<Vec<_>>(), expected);
        assert_eq!(packed.left_out().map(ToString::to_string).as_deref(), left_out);
        assert_eq!((packed.len(), packed.is_empty()), (expected.len(), expected.is_empty()));
    }

    #[test]
    fn what_was_packed_comes_apart_in_order() {
        let records = [
            sub_record("a", None, b"one"),
            sub_record("b", Some("340282366920938463463374607431768211455"), b""),
            sub_record("a", None, &[0, 0xff]),
        ];
        check(&aggregate(&records), None, &records, None);
        check(&aggregate(&records), Some(&HashKeyRange::ALL), &records, None);
    }

    #[test]
    fn the_layout_on_the_wire_is_the_documented_one() {
        // Key tables "k" and "7"; one record of key 0 and explicit hash key 0 with data "d".
        let message = [0x0a, 1, b'k', 0x12, 1, b'7', 0x1a, 7, 0x08, 0, 0x10, 0, 0x1a, 1, b'd'];
        check(&sealed(&message), None, &[sub_record("k", Some("7"), b"d")], None);
        assert_eq!(aggregate(&[sub_record("k", Some("7"), b"d")]), sealed(&message));
    }

    #[test]
    fn a_payload_that_is_aggregated_itself_is_not_taken_apart() {
        let inner = aggregate(&[sub_record("a", None, b"one")]);
        let outer = [sub_record("b", None, &inner)];
        check(&aggregate(&outer), None, &outer, None);
    }

    #[test]
    fn an_aggregate_of_nothing_holds_nothing() {
        check(&sealed(&[0x0a, 1, b'k']), None, &[], None);
    }

    #[test]
    fn tables_behind_the_records_and_unknown_fields_are_read_over() {
        let message = [0x1a, 7, 0x08, 0, 0x1a, 1, b'd', 0x28, 9, 0x1d, 0, 0, 0, 0, 0x0a, 1, b'k'];
        check(&sealed(&message), None, &[sub_record("k", None, b"d")], None);
        let tagged = [0x0a, 1, b'k', 0x1a, 9, 0x08, 0, 0x1a, 0, 0x22, 3, 0x0a, 1, b't'];
        check(&sealed(&tagged), None, &[sub_record("k", None, b"")], None);
    }

    #[test]
    fn a_key_that_is_no_utf_8_is_spelt_as_java_spells_it() {
        let message = [0x0a, 2, b'k', 0xff, 0x1a, 5, 0x08, 0, 0x1a, 1, b'd'];
        check(&sealed(&message), None, &[sub_record("k\u{fffd}", None, b"d")], None);
    }

    #[test]
    fn what_is_not_aggregated_is_given_back() {
        let good = aggregate(&[sub_record("a", None, b"one")]);
        let mut other_magic = good.clone();
        other_magic[3] ^= 1;
        let mut bad_digest = good.clone();
        *bad_digest.last_mut().unwrap() ^= 1;
        let trailing = [good.as_slice(), &[0]].concat();
        let missing_data = sealed(&[0x0a, 1, b'k', 0x1a, 2, 0x08, 0]);
        let missing_index = sealed(&[0x0a, 1, b'k', 0x1a, 3, 0x1a, 1, b'd']);
        let keyless_tag = sealed(&[0x0a, 1, b'k', 0x1a, 6, 0x08, 0, 0x1a, 0, 0x22, 0]);
        let no_protobuf = sealed(&[0xff, 0xff, 0xff]);
        let no_message = sealed(&[]);
        for data in
            [other_magic, bad_digest, trailing, missing_data, missing_index, keyless_tag, no_protobuf, no_message]
        {
            assert_eq!(disaggregate(data.clone(), None).map(|packed| packed.len()), Err(data));
        }
        for data in [&b""[..], b"{}", &MAGIC, &good[..3], &good[..good.len() - 1]] {
            assert_eq!(disaggregate(data, None).unwrap_err(), data);
        }
    }

    #[test]
    fn a_key_that_is_not_in_its_table_keeps_what_comes_before_and_names_what_does_not() {
        let message = [0x0a, 1, b'k', 0x1a, 4, 0x08, 0, 0x1a, 0, 0x1a, 4, 0x08, 3, 0x1a, 0, 0x1a, 4, 0x08, 0, 0x1a, 0];
        let words = "sub-record 1 of 3 in the aggregated record (counted from 0) names partition key 3 of 1; \
                     it and all behind it are left out";
        check(&sealed(&message), None, &[sub_record("k", None, b"")], Some(words));
        let message = [0x0a, 1, b'k', 0x1a, 6, 0x08, 0, 0x10, 2, 0x1a, 0];
        let words = "sub-record 0 of 1 in the aggregated record (counted from 0) names explicit hash key 2 of 0; \
                     it and all behind it are left out";
        check(&sealed(&message), None, &[], Some(words));
    }

    #[test]
    fn an_explicit_hash_key_that_is_no_number_keeps_what_comes_before_it() {
        let records = [sub_record("a", None, b"one"), sub_record("b", Some("secret"), b""), sub_record("a", None, b"")];
        let words = "the explicit hash key of sub-record 1 of 3 in the aggregated record (counted from 0) is no decimal number; \
                     it and all behind it are left out";
        check(&aggregate(&records), None, &records[..1], Some(words));
    }

    #[test]
    fn a_hash_key_outside_of_the_shard_leaves_out_everything() {
        let shard = HashKeyRange::parse("0", "99").unwrap();
        let words = "the hash key of sub-record 1 of 2 in the aggregated record (counted from 0) lies outside of the shard; \
                     all of them are left out";
        let records = [sub_record("a", Some("99"), b"one"), sub_record("b", Some("100"), b"two")];
        check(&aggregate(&records), Some(&shard), &[], Some(words));
        check(&aggregate(&records), None, &records, None);
        let hashed = [sub_record("a", Some("99"), b"one"), sub_record("b", None, b"two")];
        check(&aggregate(&hashed), Some(&shard), &[], Some(words));
        let too_large =
            [sub_record("a", None, b""), sub_record("b", Some("999999999999999999999999999999999999999"), b"")];
        check(&aggregate(&too_large), None, &[], Some(words));
    }

    #[test]
    fn the_base64_of_the_magic_is_known_by_its_first_characters() {
        for (first, next) in (0..=255).zip((0..=255).rev()) {
            let text = base64_simd::STANDARD.encode_to_string([&MAGIC[..], &[first, next]].concat());
            assert!(may_be_aggregated_base64(text.as_bytes()), "{text}");
            let other = base64_simd::STANDARD.encode_to_string([&MAGIC[..3], &[first, next]].concat());
            assert!(!may_be_aggregated_base64(other.as_bytes()) || first == MAGIC[3], "{other}");
        }
        for text in ["", "84maw", "84maw=", "eyJvcmRlciI6MX0="] {
            assert!(!may_be_aggregated_base64(text.as_bytes()), "{text}");
        }
        assert!(may_be_aggregated_base64(base64_simd::STANDARD.encode_to_string(MAGIC).as_bytes()));
    }

    #[test]
    fn a_hostile_message_takes_no_more_than_a_small_multiple_of_its_size() {
        let many = |field: &[u8]| field.repeat(20_000);
        let messages = [
            many(&[0x0a, 0]),
            many(&[0x0a, 1, 0xff]),
            [many(&[0x0a, 0]), many(&[0x12, 0])].concat(),
            [vec![0x0a, 0], many(&[0x1a, 4, 0x08, 0, 0x1a, 0])].concat(),
            [vec![0x0a, 0, 0x12, 1, b'0'], many(&[0x1a, 6, 0x08, 0, 0x10, 0, 0x1a, 0])].concat(),
        ];
        for message in messages {
            let packed = disaggregate(sealed(&message), Some(&HashKeyRange::ALL)).unwrap();
            let tables =
                packed.message.partition_keys.memory_bytes() + packed.message.explicit_hash_keys.memory_bytes();
            let bytes = tables + packed.slots.capacity() * size_of::<Slot>();
            assert!(bytes <= 6 * message.len(), "{bytes} bytes for {}", message.len());
        }
    }

    #[test]
    fn many_sub_records_with_one_long_key_are_quick_to_place() {
        // Half a megabyte of digits, named by 80,000 sub-records: looked at each time, they would take minutes.
        let mut message = vec![0x0a, 0];
        wire::put_bytes(&mut message, 2, "0".repeat(500_000).as_bytes());
        message.extend([0x1a, 6, 0x08, 0, 0x10, 0, 0x1a, 0].repeat(80_000));
        assert_eq!(disaggregate(sealed(&message), Some(&HashKeyRange::ALL)).unwrap().len(), 80_000);
    }
}
