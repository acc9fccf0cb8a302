//! What is wrong with a JSON payload, without quoting it.

use crate::RecordError;

/// Turns serde's message into one that is fit for a log.
///
/// serde_json quotes the value that did not fit (``invalid type: string "4111 1111", expected f64``). What was expected
/// and where is what helps; the value is a payload and stays out.
pub(crate) fn invalid_json(what: &str, error: &serde_json::Error) -> RecordError {
    let (line, column) = (error.line(), error.column());
    if !error.is_data() {
        return RecordError::invalid(format_args!("{what} is malformed JSON at line {line} column {column}"));
    }
    let message = error.to_string();
    let reason = match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {}", without_position(expected)),
        None if ["missing field", "duplicate field"].iter().any(|known| message.starts_with(known)) => {
            without_position(&message).to_owned()
        }
        None => "a field does not fit its type".to_owned(),
    };
    RecordError::invalid(format_args!("{what} does not fit: {reason} at line {line} column {column}"))
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(reason, _)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: serde::de::DeserializeOwned>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).err().unwrap();
        invalid_json("the payload", &error).to_string()
    }

    #[derive(serde::Deserialize)]
    struct Order {
        #[expect(dead_code, reason = "only the reading is tested")]
        amount: f64,
    }

    #[test]
    fn the_field_and_the_place_are_named() {
        assert_eq!(message::<Order>("{}"), "the payload does not fit: missing field `amount` at line 1 column 2");
        assert_eq!(message::<Order>("{\"amount\":"), "the payload is malformed JSON at line 1 column 10");
        assert_eq!(message::<Order>(r#"{"amount":"x"}"#), "the payload does not fit: expected f64 at line 1 column 13");
    }

    #[test]
    fn no_value_of_the_payload_is_quoted() {
        for json in [r#"{"amount":"secret"}"#, r#"{"amount":"secret, expected secret"}"#, r#""secret""#, "secret"] {
            assert!(!message::<Order>(json).contains("secret"), "{}", message::<Order>(json));
        }
        assert!(!message::<u8>("31415").contains("31415"), "{}", message::<u8>("31415"));
    }
}
