//! See `targets/msix_table.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/msix_table.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
