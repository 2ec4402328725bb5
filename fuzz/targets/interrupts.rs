//! `/proc/interrupts`, and the records of a kernel log.

use pciscope::kernel_log::platform::Found;
use pciscope::kernel_log::{reader, source};
use pciscope::machine::interrupts::parse;

/// One input. Gives how many interrupts and records were found.
pub fn run(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    let mut count = std::hint::black_box(parse(&text)).len();
    let mut found = Found::default();
    let (mut all, mut events) = (data, data);
    let reading = reader::read(&mut all, "", None, &|_| true, &mut |record| {
        found.take(record);
        count += 1;
    });
    std::hint::black_box((reading.is_ok(), found));
    std::hint::black_box(source::events_of(&mut events).is_ok());
    count
}
