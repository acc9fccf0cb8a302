//! Any bytes as the body of a queue's message.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::on_failure(data));
