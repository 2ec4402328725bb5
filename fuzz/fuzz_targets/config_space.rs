//! See `targets/config_space.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/config_space.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
