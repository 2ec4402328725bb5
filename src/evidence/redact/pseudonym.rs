//! Values that are personal data, and what stands in their place.

use super::key::Key;
use crate::pci::Bdf;

/// A value that names one machine, device or person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// EUI-48, as of a network interface: 24 bits of the company, 24 bits of the device (IEEE Std 802-2014, 8.2).
    Eui48([u8; 6]),
    /// EUI-64, as of a Device Serial Number: 24 bits of the company, 40 bits of the device.
    Eui64([u8; 8]),
    /// A UUID, in the order of its text (RFC 9562, 4).
    Uuid([u8; 16]),
    /// Text, in lower case: a serial number, a name.
    Text(Text, Vec<u8>),
    /// Bytes in which addresses are, nobody tells where.
    Digits(Vec<u8>),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// A serial number or asset tag.
    Serial,
    /// The name of a machine.
    Host,
    /// The name of a machine that something was built on, which may be any word.
    Builder,
    /// The name of a person's account.
    User,
    /// A password or key.
    Credential,
    /// An address of electronic mail.
    Mail,
    /// What only the manufacturer of the machine knows the meaning of.
    Oem,
}

/// Texts that stand where a serial number would, and name nothing. Lower case.
const PLACEHOLDERS: &[&str] = &[
    "0",
    "n/a",
    "na",
    "none",
    "no",
    "not",
    "not specified",
    "not available",
    "not provided",
    "not applicable",
    "not present",
    "unspecified",
    "unknown",
    "default string",
    "default",
    "to be filled by o.e.m.",
    "o.e.m.",
    "oem",
    "system serial number",
    "chassis serial number",
    "base board serial number",
    "serial number",
    "asset tag",
    "asset-1234567890",
    "no asset tag",
    "no asset information",
    "invalid",
    "empty",
    "123456789",
    "0123456789",
    "1234567890",
    "[not supported]",
    "[n/a]",
    "null",
    "(null)",
    "no dimm",
    "unset",
    "root",
    "localhost",
    "localhost.localdomain",
    "(none)",
];

impl Secret {
    /// A text that names something, unless it is a placeholder. What has the form of a UUID is one.
    pub fn text(what: Text, text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii().to_ascii_lowercase();
        let same = text.windows(2).all(|pair| pair[0] == pair[1]);
        let placeholder = PLACEHOLDERS.iter().any(|known| known.as_bytes() == text);
        // A USB controller gives its own name as the serial number of its root hub (kernel: drivers/usb/core/hcd.c,
        // rh_string): an address, or a name with hcd in it.
        let controller = text.windows(3).any(|part| part == b"hcd");
        let address = str::from_utf8(&text).is_ok_and(|text| text.parse::<Bdf>().is_ok());
        if text.len() < 2
            || same
            || placeholder
            || controller
            || address
            || !text.iter().any(|byte| is_replaced(*byte))
        {
            return None;
        }
        match digits(&text).as_deref() {
            Some(all) if is_uuid(&text) => Secret::uuid(all),
            _ => Some(Secret::Text(what, text)),
        }
    }

    /// A host name.
    pub fn host(text: &str) -> Option<Self> {
        Secret::text(Text::Host, text.as_bytes())
    }

    /// A UUID of 16 bytes; `None` if they name nothing: all zeros and all ones (RFC 9562, 5.9 and 5.10; SMBIOS 3.7,
    /// 7.2.1).
    pub fn uuid(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let same = bytes.iter().all(|byte| *byte == bytes[0]);
        (!same).then_some(Secret::Uuid(bytes))
    }

    /// An EUI-48; `None` if it names nothing: no bits, all bits, or none of the device's.
    pub fn eui_48(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 6] = bytes.try_into().ok()?;
        (!is_nothing(&bytes)).then_some(Secret::Eui48(bytes))
    }

    /// An EUI-64, in the order of its text; `None` if it names nothing.
    pub fn eui_64(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 8] = bytes.try_into().ok()?;
        (!is_nothing(&bytes)).then_some(Secret::Eui64(bytes))
    }

    /// Bytes with addresses in them; `None` if they name nothing.
    pub fn digits(bytes: &[u8]) -> Option<Self> {
        let same = bytes.iter().all(|byte| bytes.first() == Some(byte));
        (!same).then(|| Secret::Digits(bytes.to_vec()))
    }

    /// What it is called in the list of what was replaced.
    pub fn what(&self) -> &'static str {
        match self {
            Secret::Eui48(_) | Secret::Digits(_) => "MAC address",
            Secret::Eui64(_) => "device serial number",
            Secret::Uuid(_) => "UUID",
            Secret::Text(Text::Serial, _) => "serial number",
            Secret::Text(Text::Host | Text::Builder, _) => "host name",
            Secret::Text(Text::User, _) => "user name",
            Secret::Text(Text::Credential, _) => "credential",
            Secret::Text(Text::Mail, _) => "e-mail address",
            Secret::Text(Text::Oem, _) => "data of the manufacturer",
        }
    }

    /// What stands in its place: bytes in the same order, or text in lower case.
    pub fn pseudonym(&self, key: &Key) -> Vec<u8> {
        match self {
            Secret::Eui48(bytes) => eui_48(key, *bytes).to_vec(),
            Secret::Eui64([a, b, c, d, e, f, g, h]) => {
                let [p, q, r, x, y, z] = eui_48(key, [*a, *b, *c, *f, *g, *h]);
                // How a company makes an EUI-64 of an EUI-48 says nothing of the device, and stays; so the one remains
                // the other's.
                let middle = match (d, e) {
                    (0xff, 0xfe | 0xff) | (0x03, 0x00) | (0x00, 0x00) => vec![*d, *e],
                    _ => key.stream("eui-64", &[*a, *b, *c, *d, *e, *f, *g, *h], 2),
                };
                [&[p, q, r], middle.as_slice(), &[x, y, z]].concat()
            }
            Secret::Uuid(bytes) => {
                let mut new = key.stream("uuid", bytes, 16);
                // Version and variant stay, so that it is a UUID of the same kind.
                new[6] = bytes[6] & 0xf0 | new[6] & 0x0f;
                new[8] = bytes[8] & 0xc0 | new[8] & 0x3f;
                new
            }
            Secret::Digits(bytes) => key.stream("digits", bytes, bytes.len()),
            // The first part of a long name is also a name.
            Secret::Text(Text::Host | Text::Builder, text) => {
                let parts = text.split(|byte| *byte == b'.').map(|part| of_text(key, part));
                parts.collect::<Vec<_>>().join(&b'.')
            }
            Secret::Text(_, text) => of_text(key, text),
        }
    }

    /// What stands in the place of text that means this value: separators and case stay.
    pub fn in_text(&self, key: &Key, old: &[u8]) -> Vec<u8> {
        let new = self.pseudonym(key);
        match self {
            Secret::Text(..) => recased(old, &new),
            _ => with_digits(old, &hexadecimal(&new)),
        }
    }
}

fn is_nothing(bytes: &[u8]) -> bool {
    let rest = bytes.get(3..).unwrap_or_default();
    rest.iter().all(|byte| *byte == 0) || bytes.iter().all(|byte| *byte == 0xff)
}

/// The company stays. Addresses that no company gave (bit 1 of the first byte, IEEE Std 802-2014, 8.2.2) have none:
/// of these only the two lowest bits stay.
fn eui_48(key: &Key, bytes: [u8; 6]) -> [u8; 6] {
    let mut new = bytes;
    let stream = key.stream("eui-48", &bytes, 6);
    let from = if bytes[0] & 2 == 0 { 3 } else { 0 };
    new[from..].copy_from_slice(&stream[from..]);
    if from == 0 {
        new[0] = bytes[0] & 3 | stream[0] & !3;
    }
    new
}

fn is_replaced(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Digits become digits, letters letters, everything else stays.
fn of_text(key: &Key, text: &[u8]) -> Vec<u8> {
    let stream = key.stream("text", text, text.len());
    let new = text.iter().zip(stream).map(|(old, random)| match old {
        b'0'..=b'9' => b'0' + random % 10,
        _ if is_replaced(*old) => b'a' + random % 26,
        other => *other,
    });
    new.collect()
}

/// New text in the case of the old one.
pub fn recased(old: &[u8], new: &[u8]) -> Vec<u8> {
    let upper = is_upper(old);
    let byte = |(old, new): (&u8, &u8)| match old {
        b'A'..=b'Z' => new.to_ascii_uppercase(),
        b'a'..=b'z' => *new,
        _ if upper => new.to_ascii_uppercase(),
        _ => *new,
    };
    old.iter().zip(new).map(byte).collect()
}

/// Whether there are letters, and capitals only.
fn is_upper(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_uppercase) && !text.iter().any(u8::is_ascii_lowercase)
}

/// Old text with other hexadecimal digits.
pub fn with_digits(old: &[u8], digits: &[u8]) -> Vec<u8> {
    let upper = old.iter().any(|byte| matches!(byte, b'A'..=b'F'));
    let mut digits = digits.iter();
    let byte = |old: &u8| match old.is_ascii_hexdigit() {
        true => digits.next().map_or(*old, |new| if upper { new.to_ascii_uppercase() } else { *new }),
        false => *old,
    };
    old.iter().map(byte).collect()
}

/// Bytes as lower-case digits.
pub fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    crate::evidence::hexadecimal(bytes).into_bytes()
}

/// The bytes that a text of hexadecimal digits and separators means; `None` if there is something else in it.
pub fn digits(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !b"-:. ".contains(byte)).collect();
    let value = |digit: &u8| char::from(*digit).to_digit(16).map(|value| value as u8);
    let pair = |pair: &[u8]| Some(value(pair.first()?)? << 4 | value(pair.get(1)?)?);
    digits.chunks(2).map(pair).collect()
}

/// `8-4-4-4-12` digits, or 32 of them.
fn is_uuid(text: &[u8]) -> bool {
    let lengths: Vec<usize> = text.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    text.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
        && (lengths == [8, 4, 4, 4, 12] || lengths == [32])
}

/// The same UUID as SMBIOS stores it: the first three fields little-endian (SMBIOS 3.7, 7.2.1).
pub fn mixed_order(uuid: [u8; 16]) -> [u8; 16] {
    let mut mixed = uuid;
    mixed[..4].reverse();
    mixed[4..6].reverse();
    mixed[6..8].reverse();
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new([7; 32])
    }

    #[test]
    fn lengths_classes_and_separators_stay() {
        let serial = Secret::text(Text::Serial, b"MT2116X01-7 z").unwrap();
        let new = serial.in_text(&key(), b"MT2116X01-7 z");
        let class = |byte: &u8| match byte {
            b'0'..=b'9' => '9',
            b'a'..=b'z' => 'a',
            b'A'..=b'Z' => 'A',
            other => char::from(*other),
        };
        assert_eq!(new.iter().map(class).collect::<String>(), "AA9999A99-9 a");
        assert_ne!(new, b"MT2116X01-7 z");
        let lower = serial.in_text(&key(), b"mt2116x01-7 z");
        assert_eq!(lower, new.to_ascii_lowercase());
    }

    #[test]
    fn an_eui_64_and_the_eui_48_that_it_was_made_of_stay_together() {
        let mac = Secret::eui_48(&[0x48, 0xb0, 0x2d, 0x12, 0x34, 0x56]).unwrap().pseudonym(&key());
        for middle in [[0xff, 0xfe], [0xff, 0xff], [0x03, 0x00]] {
            let [m, n] = middle;
            let whole =
                Secret::eui_64(&[0x48, 0xb0, 0x2d, m, n, 0x12, 0x34, 0x56]).unwrap().pseudonym(&key());
            assert_eq!([&whole[..3], &whole[5..]].concat(), mac);
            assert_eq!(whole[3..5], middle);
        }
        assert_eq!(mac[..3], [0x48, 0xb0, 0x2d], "the company stays");
        assert_ne!(mac[3..], [0x12, 0x34, 0x56]);
    }

    #[test]
    fn the_version_of_a_uuid_stays() {
        let text = b"FA3C8A9E-0d3a-11EE-8c99-0242ac120002";
        let new = Secret::text(Text::Serial, text).unwrap().in_text(&key(), text);
        let new = String::from_utf8(new).unwrap();
        assert_eq!(new.len(), 36);
        assert_eq!(&new[14..15], "1");
        assert!(new.to_uppercase() == new, "{new}");
    }

    #[test]
    fn placeholders_name_nothing() {
        for text in [
            "0000:0e:00.0",
            "xhci-hcd.1.auto",
            "",
            "0",
            "N/A",
            "0000000",
            "Not Specified",
            "To Be Filled By O.E.M.",
            "--",
            "Default string",
        ] {
            assert_eq!(Secret::text(Text::Serial, text.as_bytes()), None, "{text}");
        }
        assert_eq!(Secret::eui_64(&[0; 8]), None);
        assert_eq!(Secret::eui_48(&[0xff; 6]), None);
        assert_eq!(Secret::text(Text::Serial, b"00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn a_name_is_the_first_part_of_a_longer_one() {
        let long = Secret::host("web01.example.com").unwrap().pseudonym(&key());
        let short = Secret::host("web01").unwrap().pseudonym(&key());
        assert!(long.starts_with(&short) && long.len() == 17 && long[5] == b'.');
    }
}
