//! Moments as the streams give them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch. In JSON it is a number of seconds with a fraction, as Lambda delivers it.
///
/// ```
/// use records::EpochMillis;
///
/// let arrival: EpochMillis = serde_json::from_str("1767225600.5").unwrap();
/// assert_eq!(arrival, EpochMillis(1_767_225_600_500));
/// assert_eq!(serde_json::to_string(&arrival).unwrap(), "1767225600.5");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochMillis(pub i64);

impl EpochMillis {
    /// From seconds with a fraction, as Lambda delivers them; to the nearest millisecond.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        let millis = seconds * 1000.0;
        // Without the call that `round` is where the processor has no instruction for it.
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and no date comes near")]
        Self((millis + 0.5_f64.copysign(millis)) as i64)
    }
}

impl Serialize for EpochMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            return serializer.serialize_i64(self.0 / 1000);
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of any real date are far below 2^53")]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for EpochMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::from_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, millis: i64) {
        let parsed: EpochMillis = serde_json::from_str(json).unwrap();
        assert_eq!(parsed, EpochMillis(millis));
        assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
    }

    #[test]
    fn fractions_survive_the_way_in_and_out() {
        check("1767225600", 1_767_225_600_000);
        check("1767225600.5", 1_767_225_600_500);
        check("1767225600.005", 1_767_225_600_005);
        check("1545084650.987", 1_545_084_650_987);
        check("-1.5", -1_500);
    }
}
