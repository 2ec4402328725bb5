//! See `targets/archive.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/archive.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
