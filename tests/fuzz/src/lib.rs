//! What the fuzz targets do with their input. Each is a function here, so that ordinary tests can call it as well.
//!
//! A panic fails a target even where the engine would catch it: libFuzzer's hook ends the process first.
//!
//! | File | Holds |
//! |---|---|
//! | `verdict.rs` | a handler that succeeds or fails by the bytes of the payload alone |
//! | `event.rs` | targets `kinesis_event` and `dynamodb_event`: the engine beside one record after the other |
//! | `window.rs` | target `window_event`: the window's state beside the one that is added up in order |
//! | `payload.rs` | target `kinesis_payload`: what a customer puts, beside what serde_json makes of it |
//! | `kpl.rs` | target `kpl`: aggregated records, beside what prost makes of them |
//! | `attribute.rs` | target `attribute_values`: typed items, beside the way through an `Item` |
//! | `on_failure.rs` | target `on_failure`: on-failure messages, beside the rest of their range and with SNS around |
//! | `order.rs` | the types that payloads and items are read into |
//! | `alike.rs` | numbers that are equal but for the rounding of floats |
//! | `seeds.rs`, `deep.rs` | ordinary tests: the committed seeds, and nesting without end |

mod alike;
mod attribute;
mod event;
mod kpl;
mod on_failure;
mod order;
mod payload;
mod verdict;
mod window;

#[cfg(test)]
mod deep;
#[cfg(test)]
mod seeds;

pub use attribute::attribute_values;
pub use event::{dynamodb_event, kinesis_event};
pub use kpl::kpl;
pub use on_failure::on_failure;
pub use payload::kinesis_payload;
pub use window::window_event;

/// What a target does with its input.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("kinesis_event", kinesis_event),
    ("dynamodb_event", dynamodb_event),
    ("window_event", window_event),
    ("kinesis_payload", kinesis_payload),
    ("kpl", kpl),
    ("attribute_values", attribute_values),
    ("on_failure", on_failure),
];
