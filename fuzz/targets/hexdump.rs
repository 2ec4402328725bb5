//! Text of lspci -x and whatever surrounds it.
use pciscope::tree::hexdump;

/// One input.
pub fn run(data: &[u8]) {
    std::hint::black_box(hexdump::parse(data).functions);
    std::hint::black_box(hexdump::raw(data).is_some());
}
