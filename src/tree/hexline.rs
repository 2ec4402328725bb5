//! One line of a text that may hold hex dumps of `lspci`.

use crate::pci::Bdf;

/// Bytes in a row, as lspci prints them.
pub(super) const ROW: usize = 16;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing but white space and quote characters.
    Blank,
    /// `[domain:]bus:device.function`, and whatever text follows.
    Address(Bdf),
    /// Shaped like an address, but no function can have it.
    Impossible(&'a [u8]),
    /// `offset: xx xx …`
    Row(Row<'a>),
    /// Decoded text, mail, log, noise.
    Other,
}

/// A line that starts with an offset and at least one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// Offset of the first byte in configuration space, at most 0xfff.
    pub offset: u16,
    bytes: [u8; ROW],
    count: usize,
    /// What follows the bytes; empty in a row that is whole.
    pub rest: &'a [u8],
}

impl<'a> Row<'a> {
    /// The bytes, 1 to 16.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }

    /// Whether all sixteen bytes are there and what follows them, if anything, is not one more byte.
    pub fn is_full(&self) -> bool {
        self.count == ROW && next_byte(self.rest).is_none()
    }

    fn parse(text: &'a [u8]) -> Option<Self> {
        let digits = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let mut rest = text.get(digits..)?.strip_prefix(b":")?;
        if !(2..=3).contains(&digits) {
            return None;
        }
        let offset = number(&text[..digits])? as u16;
        let (mut bytes, mut count) = ([0; ROW], 0);
        while let Some((byte, after)) = next_byte(rest)
            && let Some(slot) = bytes.get_mut(count)
        {
            *slot = byte;
            count += 1;
            rest = after;
        }
        (count > 0).then_some(Row { offset, bytes, count, rest })
    }
}

impl<'a> Line<'a> {
    /// Tells what a line is. It comes without what [`split`] takes away.
    pub fn of(text: &'a [u8]) -> Self {
        if text.is_empty() {
            return Line::Blank;
        }
        if let Some(row) = Row::parse(text) {
            return Line::Row(row);
        }
        // With -vmm the address has a name in front.
        let named = [b"Slot:".as_slice(), b"Device:"].iter().find_map(|name| text.strip_prefix(*name));
        let text = named.map_or(text, <[u8]>::trim_ascii_start);
        let word = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match (is_shaped_like_an_address(word), str::from_utf8(word)) {
            (true, Ok(address)) => address.parse().map_or(Line::Impossible(word), Line::Address),
            _ => Line::Other,
        }
    }
}

/// Takes the white space off both ends of a line, and quote characters off its start (`> ` in mail, `|` in tables).
/// Returns what was taken off the start, and the rest.
pub(super) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_end();
    let start = line.iter().position(|b| !b" \t>|".contains(b)).unwrap_or(line.len());
    line.split_at(start)
}

/// A byte with white space before and after it, or the end; and what follows.
fn next_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let digits = text.trim_ascii_start();
    let (byte, rest) = digits.split_at_checked(2)?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    (digits.len() < text.len() && ends).then(|| Some((number(byte)? as u8, rest)))?
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// `bb:dd.f` with or without a domain of 4 to 8 digits: what lspci prints, narrower than what people may type.
fn is_shaped_like_an_address(word: &[u8]) -> bool {
    let Some((domain, address)) = word.len().checked_sub(7).and_then(|at| word.split_at_checked(at)) else {
        return false;
    };
    let separated = address[2] == b':' && address[5] == b'.';
    let digits = [0, 1, 3, 4, 6].iter().all(|i| address[*i].is_ascii_hexdigit());
    let domain = match domain.split_last() {
        None => true,
        Some((colon, domain)) => {
            *colon == b':' && (4..=8).contains(&domain.len()) && domain.iter().all(u8::is_ascii_hexdigit)
        }
    };
    separated && digits && domain
}
