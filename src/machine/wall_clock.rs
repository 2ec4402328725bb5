//! Time of day: when the machine started, so that times since then can be dated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::tree::{Tree, read};

/// When the machine started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Seconds since 1970.
    pub seconds: u64,
    /// What tells, for people.
    pub source: &'static str,
}

/// Most bytes of `/proc/stat`: it has a line for every processor and a number for every interrupt.
const LIMIT: usize = 4 << 20;
/// How much of a log is searched: the clock is set in the first seconds.
const LOG: usize = 4 << 20;
/// What the kernel says when it takes the time from the machine's clock (drivers/rtc/class.c, rtc_hctosys).
const SET: &str = "setting system clock to ";

/// When the machine started: the line `btime` of `/proc/stat` (Documentation/filesystems/proc.rst), else what the log says of the
/// machine's clock. The kernel counts from there without the time that the machine slept, and whoever sets the clock moves
/// `btime` too: dates that are made of it are as good as that. `None` if nothing tells.
pub fn started(tree: &dyn Tree) -> Option<Started> {
    let stat = read(tree, "proc/stat", LIMIT).ok();
    let stat = stat.as_deref().map(String::from_utf8_lossy);
    let line = stat.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")));
    if let Some(seconds) = line.and_then(|number| number.trim().parse().ok()) {
        return Some(Started { seconds, source: "btime of /proc/stat" });
    }
    let logs = ["var/log/kmsg", "var/log/dmesg"];
    let text = logs.iter().find_map(|path| beginning(tree, path))?;
    text.lines()
        .find_map(set)
        .map(|seconds| Started { seconds, source: "the clock that the log says was set" })
}

fn beginning(tree: &dyn Tree, path: &str) -> Option<String> {
    let mut bytes = vec![0; LOG];
    let length = tree.open(path).ok()?.read_at(0, &mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

/// The start, from `[    1.234567] rtc_cmos 00:01: setting system clock to 2026-11-22T03:30:40 UTC (1795318240)` or the same
/// as a record of /dev/kmsg.
fn set(line: &str) -> Option<u64> {
    let (before, rest) = line.split_once(SET)?;
    let (_, number) = rest.split_once(" (")?;
    let seconds: u64 = number.split(')').next()?.parse().ok()?;
    let since = match before.split_once('[').filter(|_| before.trim_start().starts_with('[')) {
        Some((_, stamp)) => stamp.trim_start().split('.').next()?.parse().ok()?,
        None => before.split(',').nth(2)?.parse::<u64>().ok()? / 1_000_000,
    };
    seconds.checked_sub(since)
}

impl Started {
    /// The date of a moment that is so many microseconds after the start, to the second.
    pub fn date(&self, microseconds: u64) -> String {
        let moment = Duration::from_secs(self.seconds).saturating_add(Duration::from_micros(microseconds));
        rfc3339(UNIX_EPOCH.checked_add(moment).unwrap_or(UNIX_EPOCH))
    }
}

/// A time as RFC 3339 says it, in UTC, to the second.
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970: leap years repeat every 400 years of 146,097 days, counted from
/// the first of March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn the_start_is_what_the_kernel_or_its_log_says() {
        let tree = MemoryTree::complete().file("proc/stat", "cpu 1 2\nbtime 1795318240\nprocesses 7\n");
        let found = started(&tree).unwrap();
        assert_eq!(found.date(343_000_003), "2026-11-22T03:36:23Z");
        for (name, line) in [
            (
                "dmesg",
                "[    2.900000] rtc_cmos 00:01: setting system clock to 2026-11-22T03:30:42 UTC (1795318242)",
            ),
            (
                "kmsg",
                "6,300,2900000,-;rtc_cmos 00:01: setting system clock to 2026-11-22T03:30:42 UTC (1795318242)",
            ),
        ] {
            let tree = MemoryTree::complete().file(format!("var/log/{name}"), format!("x\n{line}\ny\n"));
            assert_eq!(started(&tree).unwrap().seconds, 1_795_318_240, "{name}");
        }
        assert_eq!(started(&MemoryTree::complete().file("proc/stat", "btime soon\n")), None);
    }

    #[test]
    fn times_are_those_of_date() {
        // `date -u -d @N +%FT%TZ`
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_311_000, "2026-11-22T01:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
