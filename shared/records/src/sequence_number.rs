//! The position of a record in its shard.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use thiserror::Error;

/// The longest sequence number accepted, in characters: the API reference bounds a Kinesis number at 129 digits.
pub const MAX_DIGITS: usize = 129;

/// A sequence number: decimal digits, ordered as a number, repeated verbatim.
///
/// Kinesis numbers have about 56 digits (more than a `u128` holds), DynamoDB's 21 to 40, and one shard can go from 22
/// digits to 23. Two numbers are equal when they are the same number, whatever their leading zeros; the text stays
/// exactly as it came, because a response or an iterator request has to repeat it.
///
/// ```
/// use records::SequenceNumber;
///
/// let nine = SequenceNumber::parse("9").unwrap();
/// let ten = SequenceNumber::parse("0010").unwrap();
/// assert!(nine < ten);
/// assert_eq!(ten.as_str(), "0010");
/// ```
#[derive(Clone)]
pub struct SequenceNumber {
    text: Box<str>,
    leading_zeros: u8,
}

/// Why a text is no sequence number.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SequenceNumberError {
    /// The text was empty.
    #[error("expected a sequence number of decimal digits, got an empty string")]
    Empty,
    /// The text was longer than [`MAX_DIGITS`].
    #[error("expected a sequence number of at most {MAX_DIGITS} digits, got {0} characters")]
    TooLong(usize),
    /// A character was no decimal digit.
    #[error("expected a sequence number of decimal digits, got {text:?} with {character:?} at offset {offset}")]
    NotADigit {
        /// The whole text.
        text: String,
        /// The first character that is no digit.
        character: char,
        /// Its offset in bytes.
        offset: usize,
    },
}

impl SequenceNumber {
    /// Parses decimal digits.
    ///
    /// # Errors
    ///
    /// When the text is empty, longer than [`MAX_DIGITS`], or holds anything but `0` to `9`.
    pub fn parse(text: &str) -> Result<Self, SequenceNumberError> {
        if text.is_empty() {
            return Err(SequenceNumberError::Empty);
        }
        if text.len() > MAX_DIGITS {
            return Err(SequenceNumberError::TooLong(text.len()));
        }
        if let Some((offset, character)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
            return Err(SequenceNumberError::NotADigit { text: text.to_owned(), character, offset });
        }
        let leading_zeros = text.len() - text.trim_start_matches('0').len();
        let leading_zeros = u8::try_from(leading_zeros).unwrap_or(u8::MAX);
        Ok(Self { text: text.into(), leading_zeros })
    }

    /// Whether [`parse`](Self::parse) takes the text: for whoever reads numbers by the thousand and keeps none of them.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let mut eights = text.as_bytes().chunks_exact(8);
        let digits = eights.by_ref().all(is_eight_digits) && eights.remainder().iter().all(u8::is_ascii_digit);
        digits && (1..=MAX_DIGITS).contains(&text.len())
    }

    /// The text exactly as it was parsed, leading zeros included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// About how far `later` is from this one, as a number; 0 where it is not behind it. Good for proportions only: numbers
    /// of one shard grow with time, and how many records lie between two of them is not written there.
    #[must_use]
    pub fn distance_to(&self, later: &Self) -> f64 {
        let (from, to) = (self.significant_digits().as_bytes(), later.significant_digits().as_bytes());
        if later <= self {
            return 0.0;
        }
        // Digit by digit from the front: what they have in common falls away before precision does.
        let digit = |digits: &[u8], place: usize| {
            let index = (place + digits.len()).checked_sub(to.len());
            index.and_then(|index| digits.get(index)).map_or(0.0, |digit| f64::from(digit - b'0'))
        };
        (0..to.len()).fold(0.0, |distance, place| distance * 10.0 + digit(to, place) - digit(from, place))
    }

    fn significant_digits(&self) -> &str {
        &self.text[usize::from(self.leading_zeros)..]
    }
}

/// Whether eight bytes are decimal digits, looked at as one number: the high half of each byte is 3, and still is when 6 is
/// added to it, which `:` and what follows it are not.
fn is_eight_digits(bytes: &[u8]) -> bool {
    const HIGH_HALVES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const THREES: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    let Ok(eight) = bytes.try_into().map(u64::from_le_bytes) else { return false };
    eight & HIGH_HALVES == THREES && eight.wrapping_add(SIXES) & HIGH_HALVES == THREES
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, others) = (self.significant_digits(), other.significant_digits());
        mine.len().cmp(&others.len()).then_with(|| mine.cmp(others))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SequenceNumber {
    fn eq(&self, other: &Self) -> bool {
        self.significant_digits() == other.significant_digits()
    }
}

impl Eq for SequenceNumber {}

impl Hash for SequenceNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.significant_digits().hash(state);
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SequenceNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SequenceNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_that_of_the_numbers() {
        let distance = |from: &str, to: &str| {
            SequenceNumber::parse(from).unwrap().distance_to(&SequenceNumber::parse(to).unwrap())
        };
        assert_eq!((distance("9", "0010"), distance("10", "9"), distance("7", "7")), (1.0, 0.0, 0.0));
        let long = "49590338271490256608559692538361571095921575989136588";
        assert_eq!((distance(&format!("{long}898"), &format!("{long}905")), distance("0", "1000")), (7.0, 1000.0));
        let ratio = distance("99999999999999999999990", "100000000000000000000990") / 1000.0;
        assert!((0.999..1.001).contains(&ratio), "{ratio}");
    }

    fn parse(text: &str) -> SequenceNumber {
        SequenceNumber::parse(text).unwrap()
    }

    #[test]
    fn numbers_of_unequal_length_compare_as_numbers() {
        let shorter = parse("9999999999999999999999");
        let longer = parse("10000000000000000000000");
        assert!(shorter < longer, "text order would say the opposite");
    }

    #[test]
    fn leading_zeros_count_for_nothing_but_stay_in_the_text() {
        assert_eq!(parse("000123"), parse("123"));
        assert!(parse("000124") > parse("123"));
        assert_eq!(parse("000123").as_str(), "000123");
        assert_eq!(parse("000"), parse("0"));
    }

    #[test]
    fn numbers_beyond_u128_keep_their_last_digit() {
        let one = "49590338271490256608559692538361571095921575989136588898";
        let next = "49590338271490256608559692538361571095921575989136588899";
        assert!(parse(one) < parse(next));
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_reason() {
        assert_eq!(SequenceNumber::parse(""), Err(SequenceNumberError::Empty));
        assert_eq!(SequenceNumber::parse(&"1".repeat(130)), Err(SequenceNumberError::TooLong(130)));
        let error = SequenceNumber::parse("12x4").unwrap_err().to_string();
        assert_eq!(error, r#"expected a sequence number of decimal digits, got "12x4" with 'x' at offset 2"#);
        for bad in ["", "-1", "+1", " 1", "1.0", "LATEST", "١", &"1".repeat(130)] {
            assert!(SequenceNumber::parse(bad).is_err(), "{bad:?} was accepted");
            assert!(!SequenceNumber::is_valid(bad), "{bad:?} was accepted");
        }
        for byte in 0..=127_u8 {
            let text = format!("1234{}56789", char::from(byte));
            assert_eq!(SequenceNumber::is_valid(&text), byte.is_ascii_digit(), "{byte}");
        }
        assert!(SequenceNumber::is_valid("0012") && SequenceNumber::is_valid(&"1".repeat(129)));
    }
}
