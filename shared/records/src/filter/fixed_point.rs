//! Numbers as EventBridge compares them.

use serde_json::Number;

/// A number from -5e9 to 5e9, to six decimals: in millionths. What lies beyond six decimals is cut off.
///
/// "Numeric matching is limited to values between -5.0e9 and +5.0e9 inclusive, with 15 digits of precision, that is to say
/// 6 digits to the right of the decimal point." (<https://github.com/aws/event-ruler>; newer releases of that engine reach
/// further and take no number of more decimals. Which one Lambda runs is not documented.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FixedPoint(i64);

impl FixedPoint {
    const MAX: f64 = 5e9;
    const MILLIONTHS: f64 = 1e6;

    /// None when the number is out of range.
    pub(super) fn of(number: &Number) -> Option<Self> {
        let value = number.as_f64().filter(|value| value.abs() <= Self::MAX)?;
        let millionths = value * Self::MILLIONTHS;
        // 0.29 is no binary fraction; the product may fall short of 290000 by a hair.
        let nearest = millionths.round();
        let whole = if (millionths - nearest).abs() < 1e-3 { nearest } else { millionths.trunc() };
        #[expect(clippy::cast_possible_truncation, reason = "at most 5e15, and whole")]
        Some(Self(whole as i64))
    }
}

/// Whether two JSON numbers have the same value, however they are written and however large they are.
pub(super) fn equal(a: &Number, b: &Number) -> bool {
    // Two integers beyond a float's precision differ by their last digit too.
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(json: &str) -> Number {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn six_decimals_count_and_the_rest_does_not() {
        assert_eq!(FixedPoint::of(&number("0.29")), Some(FixedPoint(290_000)));
        assert_eq!(FixedPoint::of(&number("0.2900009")), Some(FixedPoint(290_000)));
        assert_eq!(FixedPoint::of(&number("-1e-6")), Some(FixedPoint(-1)));
        assert_eq!(FixedPoint::of(&number("5000000000")), Some(FixedPoint(5_000_000_000_000_000)));
        assert_eq!(FixedPoint::of(&number("5000000000.1")), None);
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(equal(&number("300"), &number("3.0e2")));
        assert!(equal(&number("6000000000"), &number("6e9")));
        assert!(!equal(&number("18446744073709551614"), &number("18446744073709551615")));
        assert!(!equal(&number("0.1234567"), &number("0.1234568")));
    }
}
