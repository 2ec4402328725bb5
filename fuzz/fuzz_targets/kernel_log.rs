//! See `targets/kernel_log.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/kernel_log.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
