//! Any bytes as an event from Kinesis.

#![no_main]

libfuzzer_sys::fuzz_target!(|event: &[u8]| fuzz::kinesis_event(event));
