//! Records as JSON, one a line: `journalctl -o json`, `-o json-seq`, `-o json-sse`. Those with one field a line are in
//! `journal_fields.rs`.
//!
//! Fields: systemd.journal-fields(7) (`MESSAGE`, `_BOOT_ID`, `_TRANSPORT`, `__REALTIME_TIMESTAMP`,
//! `_SOURCE_MONOTONIC_TIMESTAMP`, `__MONOTONIC_TIMESTAMP`, `_KERNEL_DEVICE`, `SYSLOG_IDENTIFIER`); a message that is not
//! UTF-8 is an array of bytes (systemd, "Journal JSON Format").

use serde_json::{Map, Value};

use super::calendar::Clock;
use super::stamp::When;

/// What a line of JSON says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub when: When,
    /// The message, as bytes.
    pub message: Vec<u8>,
    /// `+pci:0000:82:00.0` and the like.
    pub device: Option<String>,
    /// Identifier of the boot.
    pub boot: Option<String>,
    /// Syslog severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Whether somebody else than the kernel wrote it.
    pub foreign: bool,
    /// Whether it says that the kernel wrote it: what says nothing may be anybody's.
    pub kernel: bool,
}

/// The object that a line holds: by itself, behind the separator of RFC 7464 (`json-seq`), or behind `data:` (`json-sse`).
pub fn object(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let line =
        line.strip_prefix(b"\x1e").or_else(|| line.strip_prefix(b"data:")).unwrap_or(line).trim_ascii();
    let line = line.strip_suffix(b",").unwrap_or(line);
    (line.len() > 2 && line.starts_with(b"{")).then_some(line)
}

/// Reads one line; `None` if it is no record in JSON.
pub fn entry(line: &[u8]) -> Option<Entry> {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(object(line)?) else { return None };
    of_fields(&fields)
}

/// What the fields of a record say; `None` if they are not those of one.
pub fn of_fields(fields: &Map<String, Value>) -> Option<Entry> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let number = |name: &str| match fields.get(name)? {
        Value::String(text) => text.parse::<u64>().ok(),
        other => other.as_u64(),
    };
    // Programs write a log with `time` and `msg` too, but no `pri`.
    if let (Some(message), Some(time), true) = (text("msg"), fields.get("time"), fields.contains_key("pri")) {
        // util-linux: {"fac": "kern", "pri": "warn", "time": 12.345678, "msg": "…"}
        let microseconds = time.as_f64().map(|seconds| (seconds * 1e6).round() as u64);
        return Some(Entry {
            when: When { microseconds, clock: None },
            message: message.as_bytes().to_vec(),
            device: None,
            boot: None,
            severity: None,
            foreign: false,
            kernel: true,
        });
    }
    let message = match fields.get("MESSAGE")? {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(bytes) => bytes.iter().filter_map(|b| u8::try_from(b.as_u64()?).ok()).collect(),
        _ => return None,
    };
    let clock = number("_SOURCE_REALTIME_TIMESTAMP").or_else(|| number("__REALTIME_TIMESTAMP"));
    let monotonic = number("_SOURCE_MONOTONIC_TIMESTAMP").or_else(|| number("__MONOTONIC_TIMESTAMP"));
    let speaker = text("_TRANSPORT").or_else(|| text("SYSLOG_IDENTIFIER"));
    Some(Entry {
        when: When { microseconds: monotonic, clock: clock.and_then(Clock::from_unix) },
        message,
        device: text("_KERNEL_DEVICE").map(str::to_owned),
        boot: text("_BOOT_ID").map(str::to_owned),
        severity: number("PRIORITY").and_then(|priority| u8::try_from(priority).ok()),
        foreign: speaker.is_some_and(|name| name != "kernel"),
        kernel: speaker == Some("kernel"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_journal_and_dmesg() {
        let line = br#"{"__REALTIME_TIMESTAMP":"1751927769000001","_SOURCE_MONOTONIC_TIMESTAMP":"12345678","_TRANSPORT":"kernel","_BOOT_ID":"ab","_KERNEL_DEVICE":"+pci:0000:82:00.0","MESSAGE":"x \"y\""}"#;
        let found = entry(line).unwrap();
        assert_eq!(found.message, br#"x "y""#);
        assert_eq!(found.when.microseconds, Some(12_345_678));
        assert_eq!(found.when.clock.unwrap().text, "2025-07-07T22:36:09.000001Z");
        assert_eq!(found.device.as_deref(), Some("+pci:0000:82:00.0"));
        assert!(!found.foreign);
        let bytes = entry(br#"{"MESSAGE":[78,86,255],"SYSLOG_IDENTIFIER":"gpud"}"#).unwrap();
        assert_eq!((bytes.message, bytes.foreign), (vec![78, 86, 255], true));
        let dmesg = entry(br#"      {"pri":6,"time":   12.345678,"msg":"x"},"#).unwrap();
        assert_eq!((dmesg.when.microseconds, dmesg.message), (Some(12_345_678), b"x".to_vec()));
        assert_eq!(entry(b"{1}[Hardware Error]: x"), None);
        assert_eq!(entry(br#"{"other":1}"#), None);
    }
}
