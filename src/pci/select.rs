//! Selecting functions by address or by what they are, in the forms of lspci's `-s` and `-d`.
//!
//! All numbers are hexadecimal, without a prefix. A part that is left out or is `*` means any value.

use std::fmt;
use std::str::FromStr;

use super::address::Bdf;

/// Which functions are meant, by address: `[[[domain]:][bus]:][device][.[function]]`.
///
/// A lone number is a device on any bus, so `2` is device 2 and `2:` is bus 2. Differs from lspci in one thing: a
/// domain may have all 32 bits (lspci ends at 7fffffff), because Hyper-V uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotFilter {
    /// Domain, any if `None`.
    pub domain: Option<u32>,
    /// Bus, 0 to 255, any if `None`.
    pub bus: Option<u8>,
    /// Device, 0 to 31, any if `None`.
    pub device: Option<u8>,
    /// Function, 0 to 7, any if `None`.
    pub function: Option<u8>,
}

impl SlotFilter {
    /// Whether the function at this address is one of those meant.
    pub fn matches(&self, address: Bdf) -> bool {
        self.domain.is_none_or(|domain| domain == address.domain)
            && self.bus.is_none_or(|bus| bus == address.bus)
            && self.device.is_none_or(|device| device == address.device)
            && self.function.is_none_or(|function| function == address.function)
    }
}

/// Which functions are meant, by their IDs: `[vendor]:[device][:[class][:[prog-if]]]`.
///
/// `class` is base class and subclass; an `x` in it stands for any digit. As in lspci, digits in front that are left
/// out are zeros: `6xx` is `06xx`, and `xx` is `00xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    /// Vendor ID, any if `None`.
    pub vendor: Option<u16>,
    /// Device ID, any if `None`.
    pub device: Option<u16>,
    /// Base class and subclass, any if `None`.
    pub class: Option<ClassPattern>,
    /// Programming interface, any if `None`.
    pub programming_interface: Option<u8>,
}

/// A class in which some digits may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassPattern {
    /// Base class in the upper byte, subclass in the lower one; digits that may be anything are zero.
    pub value: u16,
    /// The bits that are compared.
    pub mask: u16,
}

impl DeviceFilter {
    /// Whether a function with these IDs is one of those meant. `class` has 24 bits, as in sysfs: base class,
    /// subclass, programming interface.
    pub fn matches(&self, vendor: u16, device: u16, class: u32) -> bool {
        let (kind, interface) = ((class >> 8) as u16, class as u8);
        self.vendor.is_none_or(|id| id == vendor)
            && self.device.is_none_or(|id| id == device)
            && self.class.is_none_or(|pattern| (pattern.value ^ kind) & pattern.mask == 0)
            && self.programming_interface.is_none_or(|id| id == interface)
    }
}

/// What was wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// One part is no number or is too large.
    #[error(
        "`{part}` in `{text}` is not a {what}: expected {expected} in hexadecimal, or nothing or `*` for any"
    )]
    Part {
        /// What was given.
        text: String,
        /// The part of it.
        part: String,
        /// What the part should be.
        what: &'static str,
        /// Its range.
        expected: &'static str,
    },
    /// The parts are not separated as they should be.
    #[error("`{text}` is not a {what}: expected {expected}")]
    Form {
        /// What was given.
        text: String,
        /// What it should be.
        what: &'static str,
        /// The form.
        expected: &'static str,
    },
}

/// Reads one part: `None` for any. An `x`, where allowed, counts as the digit 1 when the size is judged, as in lspci.
fn part(
    text: &str,
    part: Option<&str>,
    (what, expected): (&'static str, &'static str),
    max: u32,
    wildcards: bool,
) -> Result<Option<(u32, u32)>, FilterError> {
    let Some(digits) = part.filter(|part| !matches!(*part, "" | "*")) else { return Ok(None) };
    let (mut value, mut mask, mut bound) = (0_u32, u32::MAX, 0_u64);
    for character in digits.chars() {
        let any = wildcards && matches!(character, 'x' | 'X');
        let digit = if any { Some(0) } else { character.to_digit(16) };
        bound = bound << 4 | u64::from(if any { 1 } else { digit.unwrap_or(0) });
        match digit {
            Some(digit) if bound <= u64::from(max) => {
                value = value << 4 | digit;
                mask = mask << 4 | if any { 0 } else { 0xf };
            }
            _ => {
                let (text, part) = (text.to_owned(), digits.to_owned());
                return Err(FilterError::Part { text, part, what, expected });
            }
        }
    }
    Ok(Some((value, mask)))
}

impl FromStr for SlotFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let (domain, bus, slot) = match text.split(':').collect::<Vec<_>>()[..] {
            [slot] => (None, None, slot),
            [bus, slot] => (None, Some(bus), slot),
            [domain, bus, slot] => (Some(domain), Some(bus), slot),
            _ => return Err(slot_form(text)),
        };
        let (device, function) = match slot.split_once('.') {
            Some((_, function)) if function.contains('.') => return Err(slot_form(text)),
            Some((device, function)) => (device, Some(function)),
            None => (slot, None),
        };
        let number = |given, names, max| Ok(part(text, given, names, max, false)?.map(|(value, _)| value));
        Ok(SlotFilter {
            domain: number(domain, ("domain", "0 to ffffffff"), u32::MAX)?,
            bus: number(bus, ("bus", "0 to ff"), 0xff)?.map(|bus| bus as u8),
            device: number(Some(device), ("device", "0 to 1f"), 0x1f)?.map(|device| device as u8),
            function: number(function, ("function", "0 to 7"), 7)?.map(|function| function as u8),
        })
    }
}

fn slot_form(text: &str) -> FilterError {
    let expected = "[[[domain]:][bus]:][device][.[function]], like 82:00.0, 82: or .1";
    FilterError::Form { text: text.to_owned(), what: "selection of addresses", expected }
}

impl FromStr for DeviceFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let parts: Vec<&str> = text.split(':').collect();
        if !(2..=4).contains(&parts.len()) {
            let expected = "[vendor]:[device][:class[:prog-if]], like 10de:, :1533 or ::0302";
            return Err(FilterError::Form { text: text.to_owned(), what: "selection of devices", expected });
        }
        let read = |index: usize, names, max, wildcards| {
            part(text, parts.get(index).copied(), names, max, wildcards)
        };
        let class = read(2, ("class", "0 to ffff, `x` for any digit,"), 0xffff, true)?;
        Ok(DeviceFilter {
            vendor: read(0, ("vendor ID", "0 to ffff"), 0xffff, false)?.map(|(id, _)| id as u16),
            device: read(1, ("device ID", "0 to ffff"), 0xffff, false)?.map(|(id, _)| id as u16),
            class: class.map(|(value, mask)| ClassPattern { value: value as u16, mask: mask as u16 }),
            programming_interface: read(3, ("programming interface", "0 to ff"), 0xff, false)?
                .map(|(id, _)| id as u8),
        })
    }
}

impl fmt::Display for SlotFilter {
    /// The full form, `*` for any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |value: Option<u32>, width: usize| {
            value.map_or_else(|| "*".to_owned(), |value| format!("{value:0width$x}"))
        };
        let (bus, device) = (part(self.bus.map(u32::from), 2), part(self.device.map(u32::from), 2));
        write!(f, "{}:{bus}:{device}.{}", part(self.domain, 4), part(self.function.map(u32::from), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions of a machine, with vendor, device and class.
    const FUNCTIONS: &[(&str, u16, u16, u32)] = &[
        ("0000:00:00.0", 0x8086, 0x3405, 0x06_0000),
        ("0000:00:01.0", 0x8086, 0x3408, 0x06_0400),
        ("0000:00:1a.0", 0x8086, 0x3a37, 0x0c_0300),
        ("0000:00:1a.7", 0x8086, 0x3a3c, 0x0c_0320),
        ("0000:00:1f.3", 0x8086, 0x3a30, 0x0c_0500),
        ("0000:02:00.0", 0x10de, 0x05b1, 0x06_0400),
        ("0000:03:02.0", 0x10de, 0x05b1, 0x06_0400),
        ("0000:06:00.0", 0x10de, 0x0a65, 0x03_0000),
        ("0000:06:00.1", 0x10de, 0x0be3, 0x04_0300),
        ("0001:00:02.1", 0x1b36, 0x0010, 0x01_0802),
    ];

    fn found(matches: impl Fn(Bdf, u16, u16, u32) -> bool) -> String {
        let hits = FUNCTIONS
            .iter()
            .filter(|(bdf, vendor, device, class)| matches(bdf.parse().unwrap(), *vendor, *device, *class));
        hits.map(|(bdf, ..)| bdf.strip_prefix("0000:").unwrap_or(bdf)).collect::<Vec<_>>().join(" ")
    }

    const ALL: &str = "00:00.0 00:01.0 00:1a.0 00:1a.7 00:1f.3 02:00.0 03:02.0 06:00.0 06:00.1 0001:00:02.1";

    #[test]
    fn addresses_are_selected_as_lspci_does() {
        for (text, expected) in [
            ("2", "03:02.0 0001:00:02.1"),
            ("00002", "03:02.0 0001:00:02.1"),
            ("2:", "02:00.0"),
            (".1", "06:00.1 0001:00:02.1"),
            (":.1", "06:00.1 0001:00:02.1"),
            ("*.1", "06:00.1 0001:00:02.1"),
            ("06:*.1", "06:00.1"),
            ("00:1f.3", "00:1f.3"),
            ("0:1F.3", "00:1f.3"),
            ("1a", "00:1a.0 00:1a.7"),
            ("1a.", "00:1a.0 00:1a.7"),
            ("1a.7", "00:1a.7"),
            ("0:0", "00:00.0"),
            ("0", "00:00.0 02:00.0 06:00.0 06:00.1"),
            ("0001::", "0001:00:02.1"),
            ("0000:00:", "00:00.0 00:01.0 00:1a.0 00:1a.7 00:1f.3"),
            ("0::2", "03:02.0"),
            ("10000::", ""),
            ("", ALL),
            (".", ALL),
            (":", ALL),
            ("::", ALL),
            ("*", ALL),
            ("*:*", ALL),
            ("*:*:*.*", ALL),
        ] {
            let filter: SlotFilter = text.parse().expect(text);
            assert_eq!(found(|bdf, _, _, _| filter.matches(bdf)), expected, "{text}");
            assert_eq!(filter.to_string().parse(), Ok(filter), "{text}");
        }
        assert_eq!("feedbeef::".parse::<SlotFilter>().unwrap().domain, Some(0xfeed_beef));
    }

    #[test]
    fn devices_are_selected_as_lspci_does() {
        for (text, expected) in [
            ("10de:", "02:00.0 03:02.0 06:00.0 06:00.1"),
            ("10DE:0a65", "06:00.0"),
            (":0010", "0001:00:02.1"),
            (":10", "0001:00:02.1"),
            ("::0604", "00:01.0 02:00.0 03:02.0"),
            ("::604", "00:01.0 02:00.0 03:02.0"),
            ("*:*:0604", "00:01.0 02:00.0 03:02.0"),
            ("10de::0300", "06:00.0"),
            ("::06xx", "00:00.0 00:01.0 02:00.0 03:02.0"),
            ("::6Xx", "00:00.0 00:01.0 02:00.0 03:02.0"),
            ("::x3xx", "06:00.0"),
            ("::xx03", "00:1a.0 00:1a.7 06:00.1"),
            ("::xx", ""),
            ("::x", ""),
            ("::0c03:20", "00:1a.7"),
            (":::20", "00:1a.7"),
            ("::0108:2", "0001:00:02.1"),
            ("::xxxx", ALL),
            (":", ALL),
            ("*:*", ALL),
            ("*:*:*:*", ALL),
            (":::", ALL),
        ] {
            let filter: DeviceFilter = text.parse().expect(text);
            let selected = found(|_, vendor, device, class| filter.matches(vendor, device, class));
            assert_eq!(selected, expected, "{text}");
        }
    }

    #[test]
    fn what_lspci_refuses_is_refused_with_one_line_that_says_what_was_expected() {
        for text in [
            "0x2",
            "20",
            "100:",
            ".8",
            ".10",
            "1:2:3:4",
            "0.0.0",
            " 2",
            "2 ",
            "g",
            "-1",
            "+1",
            "x",
            "**",
            "é",
            "1.é",
            "100000000::",
        ] {
            let message = text.parse::<SlotFilter>().expect_err(text).to_string();
            assert!(message.starts_with('`') && message.contains("expected"), "{message}");
            assert!(!message.contains('\n') && message.contains(text), "{message}");
        }
        for text in [
            "",
            "8086",
            "0x8086:",
            "10000:",
            ":10000",
            ":::2x",
            ":::100",
            "::xxxxx",
            "::1xxxx",
            "::10000",
            "::0x0300",
            "1:2:3:4:5",
            "x:",
            ": 1",
            "é:",
        ] {
            let message = text.parse::<DeviceFilter>().expect_err(text).to_string();
            assert!(message.starts_with('`') && message.contains("expected"), "{message}");
        }
        assert_eq!(
            "82:20.0".parse::<SlotFilter>().unwrap_err().to_string(),
            "`20` in `82:20.0` is not a device: expected 0 to 1f in hexadecimal, or nothing or `*` for any"
        );
        assert_eq!(
            "10de".parse::<DeviceFilter>().unwrap_err().to_string(),
            "`10de` is not a selection of devices: expected [vendor]:[device][:class[:prog-if]], \
             like 10de:, :1533 or ::0302"
        );
    }
}
