//! What a capture says of itself: `capture/about.json`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::tree::Tree;

/// Where it lies in a capture.
pub const PATH: &str = "capture/about.json";

/// What a capture says of itself; also what `capture --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct About {
    /// The program and its version.
    pub tool: String,
    /// When reading began, in UTC (RFC 3339).
    pub time: String,
    /// What was read: `live`, or what kind of source it was.
    pub source: String,
    /// First line of `/proc/version`.
    pub kernel: Option<String>,
    /// Number of functions.
    pub functions: usize,
    /// Whether everything was asked for. False when it was interrupted; the functions that were not read by then say so.
    pub complete: bool,
    /// What could not be read, and why, in the order of the paths; what is absent is not among it.
    pub unread: Vec<Unread>,
    /// Personal data that was replaced; `null` if nothing was to be replaced.
    pub redaction: Option<Vec<Replaced>>,
    /// Which pseudonyms: captures with the same value here have the same ones for the same data. `null` if nothing was to be
    /// replaced, or an older program replaced it.
    #[serde(default)]
    pub pseudonyms: Option<String>,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}

/// Most bytes that are read of it.
const LIMIT: usize = 64 << 20;

/// What a source says of itself; `None` of what is no capture.
pub fn read(tree: &dyn Tree) -> Option<About> {
    serde_json::from_slice(&crate::tree::read(tree, PATH, LIMIT).ok()?).ok()
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Unread {
    /// Path of the file.
    pub path: String,
    /// From which offset on, in bytes.
    pub offset: u64,
    /// The error, as in the manifest: `EIO`, `timeout:2000`.
    pub error: String,
}

/// Personal data that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Replaced {
    /// Path of the file.
    pub path: String,
    /// What kind of data.
    pub what: String,
    /// How often.
    pub count: usize,
    /// Where, of files that are no text: offset and length in bytes.
    #[serde(default)]
    pub ranges: Vec<[u64; 2]>,
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
    use std::time::Duration;

    use super::*;

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
