//! Addresses of networks in texts: which numbers are one, and what stands in its place. They are written in few ways, so that
//! they are replaced where they stand and not looked for elsewhere.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::key::Key;
use super::pseudonym::with_digits;

/// Words before a version that looks like an address.
const VERSION: [&[u8]; 11] = [
    b"version",
    b"ver",
    b"v",
    b"fw",
    b"firmware",
    b"rev",
    b"revision",
    b"release",
    b"bios",
    b"driver",
    b"build",
];

/// Up to 24 bytes before a match.
pub fn before(bytes: &[u8], start: usize) -> &[u8] {
    &bytes[start.saturating_sub(24)..start]
}

/// Four numbers up to 255 that are no version of something and no address that every machine has.
pub fn is_ipv4(bytes: &[u8], range: &Range<usize>) -> bool {
    let text = &bytes[range.clone()];
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
    // Zeros in front are those of versions, unless every part is filled up with them.
    let filled = parts.iter().all(|part| part.len() == 3);
    let part = |part: &&[u8]| {
        let number = str::from_utf8(part).ok().and_then(|part| part.parse::<u16>().ok());
        (filled || part.len() == 1 || part[0] != b'0') && number.is_some_and(|number| number < 256)
    };
    let at = |place: Option<usize>| place.and_then(|place| bytes.get(place)).copied();
    let start = range.start;
    let left = match at(start.checked_sub(1)) {
        Some(b'.') => at(start.checked_sub(2)).is_some_and(|byte| byte.is_ascii_alphanumeric()),
        Some(b'-') => !is_other_end(&bytes[..start - 1], true),
        _ => false,
    };
    let right = match at(Some(range.end)) {
        // A name that stands for an address has its numbers in front (RFC 1035, 3.5).
        Some(b'.') if bytes[range.end..].starts_with(b".in-addr.") => false,
        Some(b'.') => at(Some(range.end + 1)).is_some_and(|byte| byte.is_ascii_alphanumeric()),
        Some(b'-') => !is_other_end(&bytes[range.end + 1..], false),
        _ => false,
    };
    let words = before(bytes, start).to_ascii_lowercase();
    let word =
        words.rsplit(|byte| !byte.is_ascii_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    let nobody = text.starts_with(b"127.") || text.starts_with(b"0.") || text.starts_with(b"255.");
    parts.iter().all(part) && !left && !right && !nobody && !VERSION.contains(&word)
}

/// Whether four numbers stand on the other side of a hyphen, at the end or the beginning of a text: a range of addresses.
fn is_other_end(text: &[u8], at_its_end: bool) -> bool {
    let part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let length = match at_its_end {
        true => text.iter().rev().take(16).take_while(part).count(),
        false => text.iter().take(16).take_while(part).count(),
    };
    let other = if at_its_end { &text[text.len() - length..] } else { &text[..length] };
    let other = other.strip_suffix(b".").unwrap_or(other);
    let parts: Vec<&[u8]> = other.split(|byte| *byte == b'.').collect();
    parts.len() == 4 && parts.iter().all(|part| (1..=3).contains(&part.len()))
}

/// Each part becomes another of as many digits.
pub fn ipv4(key: &Key, old: &[u8]) -> Vec<u8> {
    let stream = key.stream("ipv4", old, 4);
    let parts = old.split(|byte| *byte == b'.').zip(stream).map(|(part, random)| {
        let number = match part.len() {
            1 => random % 10,
            2 => 10 + random % 90,
            _ => 100 + random % 156,
        };
        number.to_string().into_bytes()
    });
    parts.collect::<Vec<_>>().join(&b'.')
}

/// Where an IPv6 address is within digits and colons; `None` if they are a part of something else.
pub fn ipv6_range(bytes: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let text = &bytes[found.clone()];
    let trimmed = text.strip_suffix(b":").filter(|text| !text.ends_with(b":")).unwrap_or(text);
    let range = found.start..found.start + trimmed.len();
    let after = bytes.get(range.end).is_some_and(u8::is_ascii_alphanumeric);
    let before = before(bytes, range.start);
    let within = match before {
        // `addr:2001:db8::1`; what stands before the colon is no group of digits.
        [.., other, b':'] => other.is_ascii_hexdigit() || *other == b':',
        [.., last] => last.is_ascii_alphanumeric() || *last == b'.' || *last == b'_' && text[0] == b':',
        [] => false,
    };
    (!after && !within).then_some(range)
}

/// Digits that are not zero become other ones that are not zero, so that short and long forms stay the same address.
pub fn ipv6(key: &Key, old: &[u8]) -> Option<Vec<u8>> {
    let address: Ipv6Addr = str::from_utf8(old).ok()?.parse().ok()?;
    if address.is_loopback() || address.is_unspecified() {
        return None;
    }
    let bytes = address.octets();
    let stream = key.stream("ipv6", &bytes, 32);
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let all: Vec<u8> = nibbles
        .zip(stream)
        .map(|(nibble, random)| if nibble == 0 { 0 } else { 1 + random % 15 })
        .map(|nibble| b"0123456789abcdef"[usize::from(nibble)])
        .collect();
    // The groups that are written, each without leading zeros: those before `::` from the left, the others from the right.
    let text = str::from_utf8(old).ok()?;
    let (left, right) = text.split_once("::").unwrap_or((text, ""));
    let groups =
        |part: &str| part.split(':').filter(|group| !group.is_empty()).map(str::len).collect::<Vec<_>>();
    let (left, right) = (groups(left), groups(right));
    let mut digits = Vec::new();
    for (place, length) in left.iter().enumerate() {
        digits.extend(all.get(4 * place + 4 - length..4 * place + 4)?);
    }
    for (place, length) in right.iter().enumerate() {
        let group = 8 - right.len() + place;
        digits.extend(all.get(4 * group + 4 - length..4 * group + 4)?);
    }
    Some(with_digits(old, &digits))
}
