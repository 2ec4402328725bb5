//! Text of lspci -x and whatever surrounds it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pciscope::tree::hexdump;

fuzz_target!(|data: &[u8]| {
    std::hint::black_box(hexdump::parse(data).functions);
    std::hint::black_box(hexdump::raw(data).is_some());
});
