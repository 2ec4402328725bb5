//! The kernel log: records, and what single lines say.
//!
//! A tree holds it as `var/log/kmsg` (records of /dev/kmsg) or `var/log/dmesg` (`[ seconds] text`). The live machine
//! reads /dev/kmsg itself, never /var/log/dmesg, which is left from an earlier boot there.

pub mod platform;

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::tree::{Result, Tree, TreeError, printable, read as read_file};

/// Most bytes of a log that are read from a tree.
const LIMIT: usize = 256 << 20;
/// /dev/kmsg gives one record a read and refuses with EINVAL if it does not fit (kernel: PRINTK_MESSAGE_MAX, 2048,
/// plus the dictionary; Documentation/ABI/testing/dev-kmsg).
const RECORD: usize = 16 << 10;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Time since boot in microseconds, if the source tells.
    pub microseconds: Option<u64>,
    /// The message without its time stamp.
    pub text: &'a str,
    /// The device that the kernel attached to the record, such as `+pci:0000:82:00.0` (/dev/kmsg only).
    pub device: Option<&'a str>,
}

/// Reads the log of the current boot from its first record to its last.
pub fn read(tree: &dyn Tree, live: bool, take: &mut dyn FnMut(&Record<'_>)) -> Result<()> {
    if live {
        return read_live(take);
    }
    match read_file(tree, "var/log/kmsg", LIMIT) {
        Ok(bytes) => {
            kmsg_records(&printable(bytes), take);
            Ok(())
        }
        Err(_) => {
            let bytes = read_file(tree, "var/log/dmesg", LIMIT)?;
            dmesg_records(&printable(bytes), take);
            Ok(())
        }
    }
}

fn read_live(take: &mut dyn FnMut(&Record<'_>)) -> Result<()> {
    live_records(&mut |bytes| kmsg_records(&printable(bytes.to_vec()), take))
}

/// The log of this machine as the kernel gives it, record after record, as `var/log/kmsg` holds it.
pub fn read_live_bytes() -> Result<Vec<u8>> {
    let mut log = Vec::new();
    live_records(&mut |bytes| log.extend(bytes))?;
    Ok(log)
}

fn live_records(take: &mut dyn FnMut(&[u8])) -> Result<()> {
    let failed = |errno| TreeError::errno("/dev/kmsg", errno);
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let log = nix::fcntl::open("/dev/kmsg", flags, Mode::empty()).map_err(failed)?;
    let mut buffer = vec![0; RECORD];
    loop {
        match nix::unistd::read(log.as_fd(), &mut buffer) {
            Ok(0) | Err(Errno::EAGAIN) => return Ok(()),
            Ok(length) => take(&buffer[..length]),
            // EPIPE: records were overwritten before they were read; the next read goes on behind them. EINVAL: one
            // record was longer than the buffer and is skipped by the kernel as well.
            Err(Errno::EPIPE | Errno::EINTR | Errno::EINVAL) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
}

/// Records of /dev/kmsg: `priority,sequence,microseconds,flags[,…];text`, then lines that begin with a space.
pub fn kmsg_records(text: &str, take: &mut dyn FnMut(&Record<'_>)) {
    let mut current: Option<Record<'_>> = None;
    for line in text.lines() {
        if let Some(dictionary) = line.strip_prefix(' ') {
            if let (Some(record), Some(device)) = (&mut current, dictionary.strip_prefix("DEVICE=")) {
                record.device = Some(device);
            }
            continue;
        }
        if let Some(record) = current.take() {
            take(&record);
        }
        let Some((head, text)) = line.split_once(';') else { continue };
        let microseconds = head.split(',').nth(2).and_then(|t| t.parse().ok());
        current = Some(Record { microseconds, text, device: None });
    }
    if let Some(record) = current {
        take(&record);
    }
}

/// Lines of dmesg: `[ seconds.microseconds] text`, with or without the caller's id (`[ 1.5][ T28] text`), with or
/// without any time stamp.
pub fn dmesg_records(text: &str, take: &mut dyn FnMut(&Record<'_>)) {
    for line in text.lines() {
        let (microseconds, rest) = match time_stamp(line) {
            Some((time, rest)) => (Some(time), rest),
            None => (None, line),
        };
        let text = match rest.strip_prefix('[').and_then(|r| r.split_once("] ")) {
            Some((caller, text)) if microseconds.is_some() && is_caller(caller) => text,
            _ => rest,
        };
        take(&Record { microseconds, text, device: None });
    }
}

fn is_caller(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['T', 'C']) && text.len() > 1 && text[1..].bytes().all(|b| b.is_ascii_digit())
}

fn time_stamp(line: &str) -> Option<(u64, &str)> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, fraction) = stamp.trim().split_once('.')?;
    if fraction.len() != 6 {
        return None;
    }
    let microseconds =
        seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)?;
    Some((microseconds, rest.strip_prefix(' ').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records_of_kmsg() {
        let text = "6,339,5140900,-;NET: Registered\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n4,340,5690716,-;next\nrubbish\n";
        let mut seen = Vec::new();
        kmsg_records(text, &mut |r| {
            seen.push((r.microseconds, r.text.to_owned(), r.device.map(str::to_owned)))
        });
        assert_eq!(
            seen,
            [
                (Some(5_140_900), "NET: Registered".into(), Some("+pci:0000:00:01.0".into())),
                (Some(5_690_716), "next".into(), None)
            ]
        );
    }

    #[test]
    fn reads_lines_of_dmesg() {
        let text = "[    0.374115] pci 0000:00:01.0: x\n[ 1411.421320][ T2808] y\nno stamp\n[Tue Nov 11 23:25:43 2025] z";
        let mut seen = Vec::new();
        dmesg_records(text, &mut |r| seen.push((r.microseconds, r.text.to_owned())));
        assert_eq!(seen[0], (Some(374_115), "pci 0000:00:01.0: x".into()));
        assert_eq!(seen[1], (Some(1_411_421_320), "y".into()));
        assert_eq!(seen[2], (None, "no stamp".into()));
        assert_eq!(seen[3].0, None);
    }
}
