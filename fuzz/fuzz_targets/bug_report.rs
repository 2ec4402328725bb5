//! See `targets/bug_report.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets/bug_report.rs"]
mod target;

fuzz_target!(|data: &[u8]| {
    target::run(data);
});
