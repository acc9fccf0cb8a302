//! Any bytes as an aggregated record, as they are and sealed.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::kpl(data));
