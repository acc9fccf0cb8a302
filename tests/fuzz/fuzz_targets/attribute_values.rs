//! Any bytes as the typed JSON of an item.

#![no_main]

libfuzzer_sys::fuzz_target!(|json: &[u8]| fuzz::attribute_values(json));
