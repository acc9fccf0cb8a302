//! Any bytes as the data of one Kinesis record.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::kinesis_payload(data));
