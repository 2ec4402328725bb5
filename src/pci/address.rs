//! Addresses of PCI functions: domain, bus, device, function.

use std::fmt;
use std::str::FromStr;

/// The address of one PCI function, known as BDF.
///
/// The domain (Linux: segment group) is 16 bits in ACPI but wider on Linux where a driver invents one
/// (Intel VMD starts at 10000, Hyper-V uses 32 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bdf {
    /// Domain, up to 32 bits.
    pub domain: u32,
    /// Bus, 0 to 255.
    pub bus: u8,
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl Bdf {
    /// The 16-bit requester ID that the function puts into its packets (without ARI).
    pub const fn requester_id(self) -> u16 {
        (self.bus as u16) << 8 | (self.device as u16) << 3 | self.function as u16
    }
}

impl fmt::Display for Bdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device, self.function)
    }
}

impl serde::Serialize for Bdf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a PCI address: expected [domain:]bus:device.function in hexadecimal, like 82:00.0 or 0000:82:00.0"
)]
pub struct AddressError {
    /// What was given.
    pub text: String,
}

/// An address as people type it: the domain may be left out and then means any domain, as in lspci.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialBdf {
    /// The domain, if one was given.
    pub domain: Option<u32>,
    /// Bus, 0 to 255.
    pub bus: u8,
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl fmt::Display for PartialBdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(domain) = self.domain {
            write!(f, "{domain:04x}:")?;
        }
        write!(f, "{:02x}:{:02x}.{:x}", self.bus, self.device, self.function)
    }
}

impl PartialBdf {
    /// Whether the full address is one of those meant.
    pub fn matches(&self, address: Bdf) -> bool {
        self.domain.is_none_or(|d| d == address.domain)
            && (self.bus, self.device, self.function) == (address.bus, address.device, address.function)
    }
}

fn hex(text: &str, digits: std::ops::RangeInclusive<usize>, max: u32) -> Option<u32> {
    let ok = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    ok.then(|| u32::from_str_radix(text, 16).ok()).flatten().filter(|value| *value <= max)
}

impl FromStr for PartialBdf {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parse = || {
            let (rest, function) = text.rsplit_once('.')?;
            let (rest, device) = rest.rsplit_once(':')?;
            let (domain, bus) = match rest.rsplit_once(':') {
                Some((domain, bus)) => (Some(hex(domain, 1..=8, u32::MAX)?), bus),
                None => (None, rest),
            };
            Some(PartialBdf {
                domain,
                bus: hex(bus, 1..=2, 0xff)? as u8,
                device: hex(device, 1..=2, 0x1f)? as u8,
                function: hex(function, 1..=1, 7)? as u8,
            })
        };
        parse().ok_or_else(|| AddressError { text: text.to_owned() })
    }
}

impl FromStr for Bdf {
    type Err = AddressError;

    /// Reads the full form that sysfs uses for folder names; a missing domain is domain 0.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let p: PartialBdf = text.parse()?;
        Ok(Bdf { domain: p.domain.unwrap_or(0), bus: p.bus, device: p.device, function: p.function })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type_and_what_sysfs_says() {
        let bdf: Bdf = "0000:82:00.1".parse().unwrap();
        assert_eq!(bdf, Bdf { domain: 0, bus: 0x82, device: 0, function: 1 });
        assert_eq!(bdf.to_string(), "0000:82:00.1");
        assert_eq!(bdf.requester_id(), 0x8201);
        assert_eq!("10000:e1:1f.7".parse::<Bdf>().unwrap().to_string(), "10000:e1:1f.7");
        assert_eq!("feedbeef:00:02.0".parse::<Bdf>().unwrap().domain, 0xfeed_beef);
        let partial: PartialBdf = "82:00.1".parse().unwrap();
        assert!(partial.matches(bdf) && partial.matches(Bdf { domain: 7, ..bdf }));
        assert!(!"1:82:00.1".parse::<PartialBdf>().unwrap().matches(bdf));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            ".",
            ":",
            "82:00",
            "82:20.0",
            "82:00.8",
            "100:00.0x",
            "123456789:00:00.0",
            "82:00.0.0",
            "+1:0.0",
            "8 2:0.0",
            "::.",
            "é:0.0",
        ] {
            let error = text.parse::<Bdf>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("`{text}`")));
        }
    }
}
