//! The wire format of protobuf, as far as an aggregated record needs it.
//!
//! It is read by hand for three reasons: payloads stay where they are, a hostile message of two-byte records cannot take
//! thirty times its size, and a field of an unexpected wire type is skipped as the Java library skips it, which the
//! Kinesis Client Library builds on. The tests hold it against `prost`.

use std::ops::Range;

/// The Java library's bound on the nesting of messages and groups.
const DEPTH: u8 = 100;

/// The bytes are no protobuf message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a field holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Varint(u64),
    /// Where the bytes are.
    Bytes(Range<usize>),
    /// A fixed-width number or a group.
    Other,
}

/// The fields of a message, in their order.
pub(super) struct Fields<'a> {
    /// Up to the end of the message.
    data: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The fields of the message at `place`, which is inside of `data`.
    pub(super) fn new(data: &'a [u8], place: Range<usize>) -> Self {
        Self { data: data.get(..place.end).unwrap_or_default(), at: place.start }
    }

    /// The next field's number and value; `None` at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Value)>, Malformed> {
        if self.at >= self.data.len() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        self.value(number, wire_type, DEPTH).map(|value| Some((number, value)))
    }

    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        // Like lengths, tags have 32 bits: the Java library ignores those above.
        #[expect(clippy::cast_possible_truncation, reason = "just that")]
        let tag = self.varint()? as u32;
        if tag >> 3 == 0 {
            return Err(Malformed);
        }
        Ok((tag >> 3, (tag & 7) as u8))
    }

    fn value(&mut self, number: u32, wire_type: u8, depth: u8) -> Result<Value, Malformed> {
        match wire_type {
            0 => self.varint().map(Value::Varint),
            1 => self.bytes(8).map(|_| Value::Other),
            #[expect(clippy::cast_possible_truncation, reason = "see `tag`")]
            2 => {
                let length = self.varint()? as u32;
                self.bytes(usize::try_from(length).map_err(|_| Malformed)?).map(Value::Bytes)
            }
            3 => self.group(number, depth).map(|()| Value::Other),
            5 => self.bytes(4).map(|_| Value::Other),
            _ => Err(Malformed),
        }
    }

    /// Skips a group up to the end that has its number.
    fn group(&mut self, number: u32, depth: u8) -> Result<(), Malformed> {
        const END_OF_GROUP: u8 = 4;
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        loop {
            match self.tag()? {
                (end, END_OF_GROUP) if end == number => return Ok(()),
                (inner, wire_type) => self.value(inner, wire_type, depth)?,
            };
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Range<usize>, Malformed> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.data.len()).ok_or(Malformed)?;
        Ok(std::mem::replace(&mut self.at, end)..end)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.data.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    /// Ten bytes at most, and bits above the 64th are ignored.
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, byte) in self.data.get(self.at..).unwrap_or_default().iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.at += index + 1;
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

/// Appends a number.
pub(super) fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push((value & 0x7f) as u8);
}

/// Appends a field that holds a number.
pub(super) fn put_number(message: &mut Vec<u8>, number: u8, value: u64) {
    message.push(number << 3);
    put_varint(message, value);
}

/// Appends a field that holds bytes.
pub(super) fn put_bytes(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All fields of a message, with their bytes instead of their places.
    fn fields(message: &[u8]) -> Result<Vec<(u32, Value)>, Malformed> {
        let mut fields = Fields::new(message, 0..message.len());
        let mut read = Vec::new();
        while let Some(field) = fields.next()? {
            read.push(field);
        }
        Ok(read)
    }

    #[test]
    fn every_wire_type_is_read_or_skipped() {
        let message =
            [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 9, 0x25, 1, 2, 3, 4, 0x2b, 0x08, 1, 0x2c];
        let expected = vec![
            (1, Value::Varint(150)),
            (2, Value::Other),
            (3, Value::Bytes(14..15)),
            (4, Value::Other),
            (5, Value::Other),
        ];
        assert_eq!(fields(&message), Ok(expected));
        assert_eq!(fields(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap().len(), 1);
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_malformed() {
        let malformed: [&[u8]; 10] = [
            &[0x08],
            &[0x08, 0x80],
            &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            &[0x11, 1, 2, 3],
            &[0x1a, 2, 9],
            &[0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x2b, 0x08, 1],
            &[0x2b, 0x34],
            &[0x0e],
            &[0x00, 0x00],
        ];
        for message in malformed {
            assert_eq!(fields(message), Err(Malformed), "{message:x?}");
        }
    }

    #[test]
    fn groups_nest_up_to_the_bound() {
        let nested = |levels| [vec![0x0b; levels], vec![0x0c; levels]].concat();
        assert!(fields(&nested(100)).is_ok());
        assert!(fields(&nested(101)).is_err());
        assert!(fields(&nested(100_000)).is_err());
    }
}
