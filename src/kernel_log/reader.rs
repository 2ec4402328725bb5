//! From a stream of lines to records: any style, several boots, gigabytes.
//!
//! Only lines that [`filter`](Wanted) lets through are taken apart; the others cost one look. So the order of work is:
//! find the line, ask the filter, then read time stamp and speaker.

use std::io::{self, Read};

use super::escapes::without_escapes;
use super::journal::{self, Entry};
use super::journal_fields::{Partial, Step};
use super::lines::{Line, each_line};
use super::record::{Boot, Reading, Record};
use super::stamp::{self, When, head};
use crate::tree::printable;

/// Whether a line may say something that is wanted. Looks at raw bytes: a time stamp may stand before, JSON around it.
pub type Wanted<'a> = &'a dyn Fn(&[u8]) -> bool;

/// How far time since the start may go back within one boot: messages of several processors are not quite in order, and
/// excerpts of a log quote lines out of order by a little.
const BACKWARDS: u64 = 2_000_000;

/// Most boots that are kept apart. A machine that restarts every minute makes 1,440 a day; more come from a made-up log.
pub const BOOTS_LIMIT: usize = 10_000;

/// Lines that are looked at to find out whether this is a kernel log. What stands before one (a listing's heading, a report,
/// other services in a log that they share with the kernel) is shorter.
const LINES_LOOKED_AT: u64 = 1_000_000;

/// Lines of which it is counted how many are the kernel's.
const LINES_COUNTED: u64 = 10_000;

/// The first message of every boot (kernel: init/main.c, start_kernel, linux_banner).
pub const BANNER: &str = "Linux version ";

/// Reads a stream to its end and gives every wanted record to `take`. `name` is what the boot is called that the stream
/// begins with, `relative` which one it is.
pub fn read(
    stream: &mut dyn Read,
    name: &str,
    relative: Option<i32>,
    wanted: Wanted<'_>,
    take: &mut dyn FnMut(&Record<'_>),
) -> io::Result<Reading> {
    let mut reader = Reader::new(name, relative, wanted, take);
    let extent = each_line(stream, &mut |line| reader.line(line))?;
    let mut reading = reader.finish();
    reading.lines = extent.lines;
    reading.bytes = extent.bytes;
    if extent.cut > 0 {
        let text = format!("{} lines longer than {} bytes were cut", extent.cut, super::lines::LINE_LIMIT);
        reading.notes.push(text);
    }
    Ok(reading)
}

/// A record of /dev/kmsg or the journal whose device may still follow.
struct Pending {
    when: When,
    severity: Option<u8>,
    text: String,
    device: Option<String>,
    line: u64,
    offset: u64,
    raw: String,
}

/// A message with what belongs to it.
struct Text<'t> {
    severity: Option<u8>,
    text: &'t str,
    device: Option<&'t str>,
}

/// Where in a report by nvidia-bug-report.sh the reader is. The script writes a line of underscores before each part,
/// `dmesg:` before the kernel's log, and two spaces, a name and a colon before what it found in other logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// This is no such report.
    No,
    /// In a part that holds no log.
    Elsewhere,
    /// In a part that holds a log.
    Log,
}

struct Reader<'a> {
    wanted: Wanted<'a>,
    take: &'a mut dyn FnMut(&Record<'_>),
    boots: Vec<Boot>,
    /// Records given in the current boot.
    given: u64,
    /// Latest time since the start in the current boot.
    latest: u64,
    boot_id: Option<String>,
    /// Time of the record before, for lines of one message that have none of their own.
    last: When,
    pending: Option<Pending>,
    /// An entry of the journal with one field a line, as far as it was read.
    partial: Option<Partial>,
    report: Report,
    /// Whether a record was given.
    took: bool,
    /// Whether a line was seen that begins as those of a kernel log do, and that nobody else wrote.
    recognized: bool,
    /// Lines that were looked at to find that out.
    looked_at: u64,
    /// Lines that are the kernel's, as far as they were looked at.
    kernel_lines: u64,
    /// Number of the record of /dev/kmsg before.
    sequence: Option<u64>,
    /// Records of /dev/kmsg that are missing: before the first, and between others.
    missing: (u64, u64),
    /// Boots beyond [`BOOTS_LIMIT`].
    boots_left_out: u64,
}

impl<'a> Reader<'a> {
    fn new(
        name: &str,
        relative: Option<i32>,
        wanted: Wanted<'a>,
        take: &'a mut dyn FnMut(&Record<'_>),
    ) -> Self {
        let boot = Boot { first_line: 1, name: name.to_owned(), relative, kernel: None };
        Reader {
            wanted,
            take,
            boots: vec![boot],
            given: 0,
            latest: 0,
            boot_id: None,
            last: When::default(),
            pending: None,
            partial: None,
            report: Report::No,
            took: false,
            recognized: false,
            looked_at: 0,
            kernel_lines: 0,
            sequence: None,
            missing: (0, 0),
            boots_left_out: 0,
        }
    }

    fn line(&mut self, line: Line<'_>) {
        if let Some(partial) = self.partial.as_mut().filter(|partial| partial.is_binary()) {
            partial.take(&line);
            return;
        }
        let bytes = without_escapes(line.bytes);
        self.plain(Line { bytes: &bytes, ..line });
    }

    fn plain(&mut self, line: Line<'_>) {
        if let Some(mut partial) = self.partial.take() {
            match partial.take(&line) {
                Step::Taken => {
                    self.partial = Some(partial);
                    return;
                }
                Step::Ended => return self.finish_partial(partial),
                Step::Behind => self.finish_partial(partial),
            }
        }
        if self.report != Report::Elsewhere
            && let Some(partial) = Partial::begin(&line)
        {
            self.flush();
            self.partial = Some(partial);
            return;
        }
        match line.bytes.first() {
            Some(b' ') if self.pending.is_some() && self.dictionary(line.bytes) => return,
            Some(b'_') if line.bytes.len() >= 20 && line.bytes.iter().all(|b| *b == b'_') => {
                self.flush();
                self.report = Report::Elsewhere;
                return;
            }
            Some(b'-') if line.bytes.starts_with(b"-- ") && line.bytes.ends_with(b" --") => {
                return self.marker(line);
            }
            _ => {}
        }
        // Whatever follows, wanted or not: what belongs to the record before ends here.
        self.flush();
        self.count_records(line.bytes);
        if self.report != Report::No && self.heading(line) {
            return;
        }
        self.recognize(line.bytes);
        if self.report == Report::Elsewhere || !(self.wanted)(line.bytes) {
            return;
        }
        self.record(line);
    }

    /// Sees from the numbers of /dev/kmsg's records which were overwritten before they were read.
    fn count_records(&mut self, bytes: &[u8]) {
        let Some(number) = sequence(bytes) else { return };
        match self.sequence {
            None => self.missing.0 = number,
            // A smaller number begins another boot.
            Some(before) => self.missing.1 += number.saturating_sub(before.saturating_add(1)),
        }
        self.sequence = Some(number);
    }

    /// Looks whether this may be a kernel log at all, until one line was seen that is of one; and how many are, as long as none was
    /// wanted.
    fn recognize(&mut self, bytes: &[u8]) {
        let enough = self.took || self.looked_at >= LINES_COUNTED;
        if self.recognized && enough || self.looked_at >= LINES_LOOKED_AT {
            return;
        }
        self.looked_at += 1;
        let kernels = if journal::object(bytes).is_some() {
            journal::entry(bytes).is_some_and(|entry| !entry.foreign)
        } else {
            let text = printable(bytes.to_vec());
            kmsg(&text).is_some() || stamp::is_kernels(&head(&text))
        };
        self.recognized |= kernels;
        self.kernel_lines += u64::from(kernels);
    }

    /// Takes an entry of the journal that was read to its end.
    fn finish_partial(&mut self, partial: Partial) {
        let Some((entry, line, offset)) = partial.finish() else { return };
        self.recognized |= entry.kernel;
        self.kernel_lines += u64::from(entry.kernel);
        if !(self.wanted)(&entry.message) {
            return;
        }
        self.entry(entry, Line { number: line, offset, bytes: &[], cut: false }, None);
    }

    /// Takes ` KEY=value` behind a record of /dev/kmsg.
    fn dictionary(&mut self, bytes: &[u8]) -> bool {
        let is_key = bytes.get(1..).and_then(|b| b.split(|b| *b == b'=').next()).is_some_and(|key| {
            !key.is_empty()
                && key.len() < bytes.len() - 1
                && key.iter().all(|b| b.is_ascii_uppercase() || *b == b'_')
        });
        if is_key
            && let Some(pending) = &mut self.pending
            && let Some(device) = bytes.strip_prefix(b" DEVICE=")
        {
            pending.device.get_or_insert_with(|| printable(device.to_vec()));
        }
        is_key
    }

    /// `-- Boot 4bf… --` and its translations; `-- Reboot --` of older systemd. Others only say what the listing covers.
    fn marker(&mut self, line: Line<'_>) {
        let text = printable(line.bytes.to_vec());
        let inner = text.trim_matches(['-', ' ']);
        let covers = ["Logs begin", "Journal begins", "No entries"].iter().any(|w| inner.starts_with(w));
        if !covers && !text.contains(':') {
            self.flush();
            self.begin(inner, None, line.number);
        }
    }

    /// `dmesg:`, `  journalctl -b -1:`, `  /var/log/kern.log:` in a bug report.
    fn heading(&mut self, line: Line<'_>) -> bool {
        let Some(name) = line.bytes.strip_suffix(b":").map(<[u8]>::trim_ascii) else { return false };
        if name.len() > 80 {
            return false;
        }
        let relative = match name {
            b"dmesg" => Some(0),
            _ if name.starts_with(b"journalctl -b ") => {
                str::from_utf8(&name[14..]).ok().and_then(|n| n.parse().ok())
            }
            _ if name.starts_with(b"/var/log/") || name.starts_with(b"*** /var/log/") => None,
            _ => return false,
        };
        self.flush();
        self.report = Report::Log;
        let name = printable(name.to_vec());
        self.begin(&name, relative, line.number);
        true
    }

    fn record(&mut self, line: Line<'_>) {
        if let Some(entry) = journal::entry(line.bytes) {
            let raw = printable(line.bytes.to_vec());
            return self.entry(entry, line, Some(&raw));
        }
        let raw = printable(line.bytes.to_vec());
        if let Some((severity, microseconds, text)) = kmsg(&raw) {
            self.pending = Some(Pending {
                severity: Some(severity),
                when: When { microseconds: Some(microseconds), clock: None },
                text: text.to_owned(),
                device: None,
                line: line.number,
                offset: line.offset,
                raw: as_dmesg_prints(microseconds, text),
            });
            return;
        }
        let mut head = head(&raw);
        if head.foreign {
            return;
        }
        if head.when == When::default() && raw.starts_with([' ', '\t']) {
            // A further line of the message before it (journalctl indents them).
            head.when = self.last.clone();
        }
        let text = Text { severity: head.severity, text: head.text, device: None };
        self.give(head.when, text, line, &raw);
    }

    /// Takes an entry of the journal. `raw`: its line, if it is one.
    fn entry(&mut self, entry: Entry, line: Line<'_>, raw: Option<&str>) {
        if entry.foreign {
            return;
        }
        if entry.boot.is_some() && entry.boot != self.boot_id {
            let first = self.boot_id.is_none();
            self.boot_id.clone_from(&entry.boot);
            let id = entry.boot.unwrap_or_default();
            match self.boots.last_mut() {
                Some(boot) if first && self.given == 0 => boot.name = id,
                _ => self.begin(&id, None, line.number),
            }
        }
        for text in printable(without_escapes(&entry.message).into_owned()).lines() {
            let own = || match (entry.when.microseconds, &entry.when.clock) {
                (Some(microseconds), _) => as_dmesg_prints(microseconds, text),
                (None, Some(clock)) => format!("{} {text}", clock.text),
                (None, None) => text.to_owned(),
            };
            let raw = raw.map_or_else(own, str::to_owned);
            let text = Text { severity: entry.severity, text, device: entry.device.as_deref() };
            self.give(entry.when.clone(), text, line, &raw);
        }
    }

    fn give(&mut self, when: When, text: Text<'_>, line: Line<'_>, raw: &str) {
        let Text { severity, text, device } = text;
        self.last.clone_from(&when);
        let (text, repeated) = repeated(text).unwrap_or((text, 1));
        let back = when.microseconds.is_some_and(|now| now.saturating_add(BACKWARDS) < self.latest);
        if back || (text.starts_with(BANNER) && self.given > 0) {
            self.begin("", None, line.number);
        }
        self.latest = self.latest.max(when.microseconds.unwrap_or(0));
        self.given += 1;
        self.took = true;
        let boot = self.boots.len() - 1;
        if text.starts_with(BANNER) {
            self.boots[boot].kernel = Some(text.to_owned());
        }
        let (line, offset) = (line.number, line.offset);
        (self.take)(&Record { when, text, severity, device, boot, line, offset, raw, repeated });
    }

    fn begin(&mut self, name: &str, relative: Option<i32>, line: u64) {
        let boot = Boot { first_line: line, name: name.to_owned(), relative, kernel: None };
        let full = self.boots.len() >= BOOTS_LIMIT;
        match self.boots.last_mut() {
            _ if full && self.given > 0 => self.boots_left_out += 1,
            // Nothing was seen of the boot that the reader assumed to begin with.
            Some(last) if self.given == 0 => *last = boot,
            _ => self.boots.push(boot),
        }
        self.given = 0;
        self.latest = 0;
        self.last = When::default();
    }

    fn flush(&mut self) {
        if let Some(pending) = self.pending.take() {
            let line = Line { number: pending.line, offset: pending.offset, bytes: &[], cut: false };
            let text =
                Text { severity: pending.severity, text: &pending.text, device: pending.device.as_deref() };
            self.give(pending.when, text, line, &pending.raw);
        }
    }

    fn finish(mut self) -> Reading {
        if let Some(partial) = self.partial.take() {
            self.finish_partial(partial);
        }
        self.flush();
        let mut notes = Vec::new();
        let (before, between) = self.missing;
        if between > 0 {
            notes.push(format!(
                "{between} records were overwritten before they were read: what they said is not known"
            ));
        }
        if self.boots_left_out > 0 {
            notes.push(format!(
                "{} boots beyond the first {BOOTS_LIMIT} are not kept apart: their events are with the last one",
                self.boots_left_out
            ));
        }
        Reading {
            boots: self.boots,
            recognized: self.recognized,
            kernel_lines: self.kernel_lines,
            missing_before: before,
            notes,
            ..Reading::default()
        }
    }
}

/// The number of a record of /dev/kmsg: `priority,sequence,microseconds,…`; `None` for other lines.
fn sequence(line: &[u8]) -> Option<u64> {
    let mut parts = line.get(..64.min(line.len()))?.split(|b| *b == b',');
    let mut number = || {
        let part = parts.next().filter(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))?;
        str::from_utf8(part).ok()?.parse::<u64>().ok()
    };
    let (_priority, sequence, _time) = (number()?, number()?, number()?);
    Some(sequence)
}

/// `priority,sequence,microseconds,flags[,…];text` (Documentation/ABI/testing/dev-kmsg).
fn kmsg(line: &str) -> Option<(u8, u64, &str)> {
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (head, text) = line.split_once(';')?;
    let mut parts = head.split(',');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (priority, sequence, time) = (parts.next()?, parts.next()?, parts.next()?);
    let _flags = parts.next()?;
    if !is_number(priority) || !is_number(sequence) {
        return None;
    }
    let severity = (priority.parse::<u16>().ok()? & 7) as u8;
    Some((severity, time.parse().ok()?, text))
}

/// A record with its time in seconds, which people know; the numbers before a record of /dev/kmsg tell them nothing
/// (kernel/printk/printk.c, print_time).
fn as_dmesg_prints(microseconds: u64, text: &str) -> String {
    format!("[{:5}.{:06}] {text}", microseconds / 1_000_000, microseconds % 1_000_000)
}

/// rsyslog's `message repeated 3 times: [ text]`.
fn repeated(text: &str) -> Option<(&str, u64)> {
    let rest = text.strip_prefix("message repeated ")?;
    let (count, rest) = rest.split_once(" times: [")?;
    Some((rest.strip_suffix(']')?.trim_start(), count.parse().ok()?))
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
