//! Any bytes as an event of a tumbling window.

#![no_main]

libfuzzer_sys::fuzz_target!(|event: &[u8]| fuzz::window_event(event));
