//! See `targets/acpi.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/acpi.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
