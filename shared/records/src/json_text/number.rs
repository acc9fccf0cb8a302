//! Numbers, and moments, which are numbers of seconds.

use super::{JsonText, Refused};
use crate::EpochMillis;

impl JsonText<'_> {
    /// Takes a number.
    ///
    /// # Errors
    ///
    /// When there is none, or none that a float can hold.
    pub fn number(&mut self) -> Result<f64, Refused> {
        self.peek();
        let start = self.at;
        self.skip_number()?;
        let number = self.json.get(start..self.at).and_then(|text| text.parse::<f64>().ok());
        number.filter(|number| number.is_finite()).ok_or(Refused)
    }

    /// Takes a moment: a number of seconds since the Unix epoch, with a fraction or without.
    ///
    /// # Errors
    ///
    /// When there is no number.
    pub fn moment(&mut self) -> Result<EpochMillis, Refused> {
        self.peek();
        match whole_millis(self.rest()) {
            Some((millis, length)) => {
                self.pass(length);
                Ok(EpochMillis(millis))
            }
            None => self.number().map(EpochMillis::from_seconds),
        }
    }

    pub(crate) fn skip_number(&mut self) -> Result<(), Refused> {
        let length = number_length(self.rest()).ok_or(Refused)?;
        self.pass(length);
        Ok(())
    }
}

/// How many bytes a number takes that the text begins with.
#[inline]
fn number_length(bytes: &[u8]) -> Option<usize> {
    let past_digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut end = past_digits(start);
    if end == start || (bytes[start] == b'0' && end > start + 1) {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = past_digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = past_digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(end)
}

/// Reads seconds with up to three digits behind the point, which is how AWS writes them: the milliseconds, and how many bytes
/// they took. `None` for any other number.
#[inline]
fn whole_millis(bytes: &[u8]) -> Option<(i64, usize)> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = |bytes: &[u8]| bytes.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    let whole = digits(bytes);
    if !(1..=12).contains(&whole) || (bytes[0] == b'0' && whole > 1) {
        return None;
    }
    let seconds = value(&bytes[..whole]);
    let (millis, length) = match &bytes[whole..] {
        [b'.', fraction @ ..] => {
            let length = digits(fraction);
            let millis = match length {
                1 => value(&fraction[..1]) * 100,
                2 => value(&fraction[..2]) * 10,
                3 => value(&fraction[..3]),
                _ => return None,
            };
            (millis, whole + 1 + length)
        }
        _ => (0, whole),
    };
    let is_whole = !matches!(bytes.get(length), Some(b'e' | b'E'));
    is_whole.then_some((seconds * 1_000 + millis, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json_that_a_float_can_hold() {
        let number = |json: &str| JsonText::new(json, 1).number().ok();
        assert_eq!(
            (number("1767225600.5"), number(" -3"), number("1e3")),
            (Some(1_767_225_600.5), Some(-3.0), Some(1_000.0))
        );
        for none in ["1e999", "-1e999", "\"1\"", "null", "inf", "-", "01", ""] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn moments_are_what_a_float_of_them_would_be() {
        for json in [
            "0",
            "1767225600",
            "1767225600.5",
            "1767225600.05",
            "1767225600.987",
            "1767225600.0004",
            "-1.5",
            "1e3",
            "1.5e3",
        ] {
            let mut text = JsonText::new(json, 1);
            assert_eq!(text.moment().unwrap(), EpochMillis::from_seconds(json.parse().unwrap()), "{json}");
            text.end().unwrap();
        }
        for bad in ["01", "1.", ".5", "\"1\"", "null", "1e", ""] {
            assert!(JsonText::new(bad, 1).moment().and_then(|_| JsonText::new(bad, 1).raw_value()).is_err(), "{bad}");
        }
    }
}
