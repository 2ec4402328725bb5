//! The kernel log: from bytes to records, from records to events.
//!
//! ```text
//! bytes      lines      record              catalogue, speaker/       collect
//! stream ──► lines ──► reader, stamp, ... ──► what a line says ──► events, folded, each with its device and its lines
//! ```
//!
//! A tree holds the log as `var/log/kmsg` (records of /dev/kmsg) or `var/log/dmesg` (`[ seconds] text`), those of earlier
//! boots with `.1`, `.2` behind the name. The live machine reads /dev/kmsg itself, never /var/log/dmesg, which is left from
//! an earlier boot there. `--log FILE` takes the place of either.

pub mod calendar;
pub mod catalogue;
pub mod collect;
mod complaint;
mod escapes;
pub mod event;
pub mod field;
mod journal;
mod journal_fields;
pub mod lines;
mod packed;
pub mod platform;
pub mod reader;
pub mod record;
pub mod rm_init;
pub mod source;
pub mod speaker;
pub mod stamp;
pub mod sxid;
pub mod xid;

/// What a kernel log is expected to look like, for who gave something else.
pub const EXPECTED: &str = "no line in it is the kernel's for certain: expected dmesg, journalctl -k with any -o, syslog, /dev/kmsg or \
                            nvidia-bug-report, as text or packed with gzip or zstd; without time stamps (dmesg -t, journalctl -o cat) or \
                            with dates in brackets (dmesg -T, as web servers write them too) it counts if a line is known to be the \
                            kernel's";

pub use collect::Log;
pub use escapes::without_escapes;
pub use event::{Event, Kind, KnownFrom, Level, Value};
pub use record::{Boot, Reading, Record};
