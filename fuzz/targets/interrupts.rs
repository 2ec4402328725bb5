//! `/proc/interrupts`, and the records of a kernel log.

use pciscope::kernel_log::{Record, dmesg_records, kmsg_records, platform::Found};
use pciscope::machine::interrupts::parse;

/// One input. Gives how many interrupts and records were found.
pub fn run(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    let mut count = std::hint::black_box(parse(&text)).len();
    let mut found = Found::default();
    let mut take = |record: &Record<'_>| {
        found.take(record);
        count += 1;
    };
    kmsg_records(&text, &mut take);
    dmesg_records(&text, &mut take);
    std::hint::black_box(found);
    count
}
