//! See `targets/redaction.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/redaction.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
