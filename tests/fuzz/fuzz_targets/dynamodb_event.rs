//! Any bytes as an event from a table's stream.

#![no_main]

libfuzzer_sys::fuzz_target!(|event: &[u8]| fuzz::dynamodb_event(event));
