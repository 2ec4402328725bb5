//! `/proc/interrupts`, and the records of a kernel log.
use pciscope::kernel_log::{dmesg_records, kmsg_records, platform::Found};
use pciscope::machine::interrupts::parse;

/// One input.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    std::hint::black_box(parse(&text));
    let mut found = Found::default();
    kmsg_records(&text, &mut |record| found.take(record));
    dmesg_records(&text, &mut |record| found.take(record));
    std::hint::black_box(found);
}
