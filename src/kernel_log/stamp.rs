//! What stands in front of a message: time stamps and syslog headers in every style that ends up in a log.
//!
//! Sources: dmesg(1) of util-linux (`-T`, `-x`, `-r`, `-d`, `-e`, `--time-format iso`), systemd's journalctl(1) (`-o short`,
//! `short-iso`, `short-precise`, `short-full`, `short-monotonic`, `short-unix`, `short-delta`), RFC 3164, RFC 5424, and
//! kernel/printk/printk.c for `[ seconds]`, the caller's id (CONFIG_PRINTK_CALLER) and `<priority>`. Apache httpd writes dates as
//! `dmesg -T` does (server/log.c, ErrorLogFormat), and so do programs that took it for a model: level or module in brackets tell.

use super::calendar::{self, Clock};

/// When a record was written, as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Microseconds since the machine started.
    pub microseconds: Option<u64>,
    /// Time of day, as it was written.
    pub clock: Option<Clock>,
}

impl When {
    fn is_empty(&self) -> bool {
        self.microseconds.is_none() && self.clock.is_none()
    }

    /// Microseconds since an earlier moment of the same boot; `None` if the two cannot be compared: not both have a time of
    /// the same kind, or the clock was set back meanwhile (as at the end of a year, where stamps have none).
    pub fn since(&self, earlier: &When) -> Option<u64> {
        if let (Some(now), Some(then)) = (self.microseconds, earlier.microseconds) {
            return Some(now.saturating_sub(then));
        }
        let clock = |when: &When| when.clock.as_ref()?.microseconds;
        u64::try_from(clock(self)?.checked_sub(clock(earlier)?)?).ok()
    }
}

/// A line taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// When it was written.
    pub when: When,
    /// The message.
    pub text: &'a str,
    /// Syslog severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Whether the header names a speaker that is not the kernel.
    pub foreign: bool,
    /// Whether there is a stamp; `dmesg -e` has some that tell no time which can be counted with.
    pub stamped: bool,
    /// Whether other programs write such a header as well, so that it alone does not make a kernel log.
    pub ambiguous: bool,
}

/// How lines of the kernel begin that others hardly write: the banner, what every boot says, subsystems and drivers with the
/// name of a device behind them.
const KERNEL_BEGINNINGS: &[&str] = &[
    "Linux version ",
    "Command line: ",
    "Kernel command line: ",
    "BIOS-e820: ",
    "BIOS-provided ",
    "DMI: ",
    "ACPI: ",
    "ACPI BIOS ",
    "PCI: ",
    "PCI-DMA: ",
    "pci ",
    "pci_bus ",
    "pcieport ",
    "pciehp ",
    "DMAR: ",
    "AMD-Vi: ",
    "iommu: ",
    "NVRM: ",
    "nvidia ",
    "nvidia-nvswitch",
    "nvidia-modeset: ",
    "nvidia-uvm: ",
    "nvme ",
    "nvme0",
    "usb ",
    "usbcore: ",
    "xhci_hcd ",
    "hub ",
    "ata1",
    "ahci ",
    "scsi ",
    "sd ",
    "EXT4-fs ",
    "XFS (",
    "BTRFS ",
    "audit: ",
    "systemd[1]: ",
    "IPv6: ",
    "NET: ",
    "mce: ",
    "EDAC ",
    "smpboot: ",
    "clocksource: ",
    "[drm",
    "[Hardware Error]: ",
    "[Firmware Bug]: ",
    "Out of memory: ",
    "amdgpu ",
];

/// Whether a line is the kernel's for certain, by its stamp and, where others write the same, by how the message begins.
pub fn is_kernels(head: &Head<'_>) -> bool {
    let text = head.text;
    let known = || {
        let device = || {
            text.split(' ').nth(1).and_then(|word| word.trim_end_matches(':').parse::<crate::pci::Bdf>().ok())
        };
        KERNEL_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) || device().is_some()
    };
    // Without any stamp (dmesg -t, journalctl -o cat) the banner alone is sure.
    let bare = || !head.stamped && text.starts_with("Linux version ");
    !head.foreign && (bare() || head.stamped && (!head.ambiguous || known()))
}

/// Takes the time stamp and what else stands before the message off a line. What is no known style is all message.
pub fn head(line: &str) -> Head<'_> {
    let mut severity = None;
    let mut rest = line.trim_start_matches([' ', '\t', '>']);
    if let Some((priority, behind)) = raw_priority(rest) {
        severity = Some(priority & 7);
        // RFC 5424 has its version behind the priority.
        rest = behind.strip_prefix("1 ").unwrap_or(behind);
    }
    if let Some((level, behind)) = decoded_priority(rest) {
        severity = Some(level);
        rest = behind;
    }
    if let Some(head) = talos(rest) {
        return head;
    }
    let mut foreign = false;
    let (mut ambiguous, mut short) = (false, false);
    let mut when = When::default();
    if let Some((clock, behind, style)) = clock_stamp(rest) {
        when.clock = Some(clock);
        rest = behind;
        // What a console's or a program's stamp stands before is the kernel's by its own stamp.
        if style == Style::Syslog && seconds_stamp(rest).is_none() {
            match speaker(rest) {
                Some((kernel, behind)) => {
                    foreign = !kernel;
                    rest = behind;
                }
                None => foreign = true,
            }
        }
    }
    if let Some((microseconds, behind)) = seconds_stamp(rest) {
        when.microseconds = Some(microseconds);
        rest = behind;
        // Seconds since 1970 in brackets are a program's: no machine runs for decades.
        ambiguous = microseconds >= DECADES;
        // journalctl -o short-monotonic has host and speaker behind the time; dmesg has the message.
        if when.clock.is_none()
            && is_journal(rest)
            && let Some((kernel, behind)) = speaker(rest)
        {
            foreign = !kernel;
            rest = behind;
        }
    } else if let Some((clock, behind)) = rest.strip_prefix('[').and_then(bracket_clock) {
        // dmesg -T has no fractions, -e no date that others write.
        let fraction = clock.as_ref().is_some_and(|clock| has_fraction(&clock.text));
        foreign |= clock.is_some() && (fraction || is_of_web_server(behind));
        ambiguous = clock.is_some();
        short = clock.is_none();
        when.clock = clock.or(when.clock);
        rest = behind;
    }
    if !when.is_empty() {
        rest = without_caller(rest);
    }
    let stamped = short || !when.is_empty();
    Head { when, text: rest, severity, foreign, stamped, ambiguous }
}

/// Thirty years, in microseconds.
const DECADES: u64 = 30 * 365 * 86_400 * 1_000_000;

/// `[error] `, `[core:notice] `, `[pid 123] `, `[client 192.0.2.1:80] ` of Apache httpd (docs: ErrorLogFormat, LogLevel).
fn is_of_web_server(text: &str) -> bool {
    const LEVELS: [&str; 9] = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "-"];
    let Some((inner, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return false };
    let level = inner.rsplit_once(':').map_or(inner, |(_, level)| level);
    let is_level = LEVELS.contains(&level) || level.strip_prefix("trace").is_some_and(|n| n.len() == 1);
    let is_field = ["pid ", "client ", "remote ", "tid "].iter().any(|word| inner.starts_with(word));
    is_level && !inner.contains(' ') || is_field
}

/// Whether a time of day has a fraction: `14:32:52.123456`.
fn has_fraction(text: &str) -> bool {
    text.split_whitespace().any(|word| word.contains(':') && word.contains('.'))
}

/// `<6>`: facility times eight plus severity.
fn raw_priority(text: &str) -> Option<(u8, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let number: u16 = number.parse().ok().filter(|n| *n < 1024)?;
    Some(((number & 7) as u8, rest))
}

/// `172.20.0.2: kern:    info: [2024-01-15T19:37:30.689914441Z]: text` of `talosctl dmesg`, with or without the node (Talos Linux,
/// internal/app/machined/internal/server/v1alpha1, Dmesg).
fn talos(text: &str) -> Option<Head<'_>> {
    const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
    let (before, behind) = text.split_once(": [")?;
    let mut words = before.rsplit(": ");
    let (level, facility) = (words.next()?.trim_start(), words.next()?);
    let severity = LEVELS.iter().position(|name| *name == level)?;
    if facility.is_empty() || !facility.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return None;
    }
    let (stamp, text) = behind.split_once("]: ")?;
    let (clock, ..) = calendar::iso(&format!("{stamp} "))?;
    Some(Head {
        when: When { microseconds: None, clock: Some(clock) },
        text,
        severity: Some(severity as u8),
        foreign: facility != "kern",
        stamped: true,
        ambiguous: false,
    })
}

/// `kern  :warn  : ` of `dmesg -x`.
fn decoded_priority(text: &str) -> Option<(u8, &str)> {
    const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    let (facility, rest) = text.split_at_checked(6)?;
    if !facility.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let (level, rest) = rest.strip_prefix(':')?.split_at_checked(6)?;
    let level = LEVELS.iter().position(|l| *l == level.trim_end())?;
    Some((level as u8, rest.strip_prefix(": ")?))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Host and speaker follow.
    Syslog,
    /// The message follows.
    Plain,
}

/// A time of day that is not in brackets.
fn clock_stamp(text: &str) -> Option<(Clock, &str, Style)> {
    let first = text.as_bytes().first()?;
    if first.is_ascii_digit() {
        if let Some((clock, rest, comma)) = calendar::iso(text) {
            // util-linux writes a comma before the fraction (RFC 3339 as in ISO 8601), six digits, and the offset from UTC:
            // lib/timeutils.c, ISO_TIMESTAMP_COMMA_T. Syslog and systemd write a point; many programs a space between day and
            // time, a comma, three digits, and no offset.
            let of_dmesg = comma && clock.text.as_bytes().get(10) == Some(&b'T') && clock.text.len() == 32;
            return Some((clock, rest.trim_start(), if of_dmesg { Style::Plain } else { Style::Syslog }));
        }
        if let Some((clock, rest)) = calendar::unix(text) {
            return Some((clock, rest, Style::Syslog));
        }
    }
    let (clock, rest) = calendar::month_and_day(text)
        .or_else(|| calendar::full(text))
        .or_else(|| calendar::with_year(text))?;
    Some((clock, rest, Style::Syslog))
}

/// `host kernel: text` or `kernel: text`, and RFC 5424's `host kernel - - - text`. True if the speaker is the kernel.
fn speaker(text: &str) -> Option<(bool, &str)> {
    let text = without_facility(text);
    let (first, behind) = text.split_once(' ')?;
    let behind = without_facility(behind);
    if let Some(name) = first.strip_suffix(':').filter(|name| is_kernel(name)) {
        return Some((is_kernel(name), behind));
    }
    let (second, rest) = behind.split_once(' ')?;
    if is_kernel(second) {
        return Some((true, without_5424(rest)));
    }
    let name = second.strip_suffix(':')?;
    Some((is_kernel(name), rest))
}

/// Takes off process, message identifier and structured data of RFC 5424, and the byte order mark that may follow.
fn without_5424(text: &str) -> &str {
    let nil = |text: &'_ str| text.strip_prefix("- ").map(str::len);
    let mut rest = text;
    for _ in 0..2 {
        let number = rest
            .split_once(' ')
            .filter(|(word, _)| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()));
        let length = nil(rest).or(number.map(|(_, behind)| behind.len()));
        rest = length.map_or(rest, |length| &rest[rest.len() - length..]);
    }
    if let Some(length) = nil(rest) {
        rest = &rest[rest.len() - length..];
    } else if rest.starts_with('[')
        && let Some((data, behind)) = rest.split_once("] ")
        && data.contains("=\"")
    {
        rest = behind;
    }
    rest.trim_start_matches(['\u{feff}', ' '])
}

/// `kern.err kernel: text` of BusyBox's syslogd and logread (sysklogd/syslogd.c, parse_fac_prio_20): facility and level.
fn without_facility(text: &str) -> &str {
    const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    let is_facility = |word: &str| {
        let parts = word.split_once('.');
        parts.is_some_and(|(name, level)| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                && LEVELS.contains(&level)
        })
    };
    text.split_once(' ').filter(|(word, _)| is_facility(word)).map_or(text, |(_, rest)| rest)
}

/// Whether `host kernel:` or `host name[123]:` comes next.
fn is_journal(text: &str) -> bool {
    let Some(second) = text.split(' ').nth(1).and_then(|word| word.strip_suffix(':')) else { return false };
    let process = second.strip_suffix(']').and_then(|word| word.rsplit_once('['));
    second == "kernel"
        || process.is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

fn is_kernel(name: &str) -> bool {
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    matches!(name, "kernel" | "klogd")
}

/// `[   12.345678]`, `[   12.345678 <    0.000001>]`.
fn seconds_stamp(text: &str) -> Option<(u64, &str)> {
    let (stamp, rest) = text.strip_prefix('[')?.split_once(']')?;
    let stamp = stamp.split_once('<').map_or(stamp, |(time, _)| time).trim();
    let (seconds, fraction) = stamp.split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if fraction.len() != 6 || !is_number(fraction) || !is_number(seconds) {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    let microseconds = seconds.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)?;
    Some((microseconds, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// `Tue Nov 11 23:25:43 2025] ` of `dmesg -T`, `Nov11 23:25] ` and `  +0.000012] ` of `dmesg -e`, which tell no time that
/// can be counted with.
fn bracket_clock(text: &str) -> Option<(Option<Clock>, &str)> {
    let (stamp, rest) = text.split_once(']')?;
    let rest = rest.strip_prefix(' ')?;
    if let Some(clock) = calendar::date_and_year(stamp) {
        return Some((Some(clock), rest));
    }
    let relative = stamp.trim_start().strip_prefix('+').is_some_and(|t| t.trim().parse::<f64>().is_ok());
    let short = calendar::is_short(stamp);
    (relative || short).then_some((None, rest))
}

/// `[ T2808] text`, `[    C3] text` (CONFIG_PRINTK_CALLER): thread or processor; phones add more, as in `[T1@cpu0]`.
fn without_caller(text: &str) -> &str {
    let is_caller = |caller: &str| {
        let caller = caller.trim();
        let number = caller.strip_prefix(['T', 'C']).unwrap_or_default();
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let more = &number[digits..];
        digits > 0 && (more.is_empty() || more.starts_with(['@', '/', ':']) && !more.contains(' '))
    };
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((caller, rest)) if is_caller(caller) => rest.strip_prefix(' ').unwrap_or(rest),
        _ => text,
    }
}

#[cfg(test)]
#[path = "stamp_tests.rs"]
mod tests;
