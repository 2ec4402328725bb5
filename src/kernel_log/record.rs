//! One record of the kernel log, and the boots that records belong to.

use super::stamp::When;

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was written.
    pub when: When,
    /// The message without what stands before it.
    pub text: &'a str,
    /// Syslog severity, 0 (emergency) to 7 (debug), if the line tells.
    pub severity: Option<u8>,
    /// The device that the kernel attached to the record, such as `+pci:0000:82:00.0` (/dev/kmsg and the journal only;
    /// kernel: drivers/base/core.c, set_dev_info).
    pub device: Option<&'a str>,
    /// Index into the boots of the log.
    pub boot: usize,
    /// Line of the file, from 1; of /dev/kmsg the record's number.
    pub line: u64,
    /// Offset of that line in the file, in bytes. 0 in /dev/kmsg.
    pub offset: u64,
    /// The whole line, printable; of a record of /dev/kmsg what dmesg prints of it.
    pub raw: &'a str,
    /// How often the logging service says that the message came: 1, or more where it wrote `message repeated 3 times`.
    pub repeated: u64,
}

/// One run of the machine, as far as the log tells where one ends and the next begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Boot {
    /// First line of it that was looked at.
    pub first_line: u64,
    /// What the log calls it: `journalctl -b -1`, a boot identifier, the name of a file; empty if it has no name.
    pub name: String,
    /// 0: the boot during which the log was taken; -1: the one before it; `null` if the log does not tell.
    pub relative: Option<i32>,
    /// The kernel's first line, `Linux version …`.
    pub kernel: Option<String>,
}

/// What a reading found besides records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Boots in the order in which they stand in the log.
    pub boots: Vec<Boot>,
    /// Lines that were looked at.
    pub lines: u64,
    /// Lines that are the kernel's, of the first ten thousand, counted until one was wanted.
    pub kernel_lines: u64,
    /// Bytes that were looked at.
    pub bytes: u64,
    /// Whether any line begins as those of a kernel log do: with a time stamp, as a record of /dev/kmsg or of the journal.
    pub recognized: bool,
    /// Records that were written before the first one and are no longer in the kernel's buffer, as its number tells
    /// (/dev/kmsg only). It holds the last 128 KiB to some MiB (CONFIG_LOG_BUF_SHIFT, log_buf_len=).
    pub missing_before: u64,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}
