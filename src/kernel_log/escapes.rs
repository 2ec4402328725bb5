//! What programs write for a terminal between the words of a line, taken out: colours, links, character sets.
//!
//! Sources: ECMA-48, 5.4 (control sequences) and 5.6 (control strings); util-linux, lib/colors.c (`dmesg --color`); systemd,
//! basic/terminal-util.c (links). Where a line was shown by a pager or copied from a screen, ESC stands there as `^[`, or is lost.

use std::borrow::Cow;

const ESC: u8 = 0x1b;
/// Most bytes of a control sequence. ECMA-48 has no limit; colours and cursor movements are much shorter.
const SEQUENCE: usize = 64;
/// Most bytes of a control string: the address of a link.
const STRING: usize = 4096;

/// The line without them; as it is if it has none. A lone ESC stays: it is for who prints the line to replace it.
pub fn without_escapes(line: &[u8]) -> Cow<'_, [u8]> {
    let bare = colour(line) > 0;
    if !bare && memchr::memchr2(ESC, b'^', line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let length = match rest {
            [ESC, behind @ ..] => match escape(behind) {
                0 => 0,
                length => 1 + length,
            },
            [b'^', b'[', behind @ ..] => match colour(behind) {
                0 => 0,
                length => 2 + length,
            },
            [b'[', ..] if bare => colour(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(line[at]);
        }
        at += length.max(1);
    }
    if out.len() == line.len() { Cow::Borrowed(line) } else { Cow::Owned(out) }
}

/// Length of what follows ESC as long as it belongs to it; 0 if nothing does.
fn escape(rest: &[u8]) -> usize {
    match rest {
        [b'[', behind @ ..] => control_sequence(behind).map_or(0, |length| 1 + length),
        // Operating system command, such as a link; device control, privacy message, application program command.
        [b']' | b'P' | b'^' | b'_', behind @ ..] => control_string(behind).map_or(0, |length| 1 + length),
        // Which characters are meant: `ESC ( B`, which terminals are set back with.
        [b'(' | b')' | b'*' | b'+', 0x30..=0x7e, ..] => 2,
        // Other functions of one character.
        [b'=' | b'>' | b'7' | b'8' | b'c' | b'M' | b'\\', ..] => 1,
        _ => 0,
    }
}

/// Parameters, intermediate bytes, a final byte.
fn control_sequence(rest: &[u8]) -> Option<usize> {
    let parameters = rest.iter().take(SEQUENCE).take_while(|b| matches!(b, 0x30..=0x3f)).count();
    let between = rest[parameters..].iter().take(SEQUENCE).take_while(|b| matches!(b, 0x20..=0x2f)).count();
    let length = parameters + between;
    rest.get(length).filter(|last| matches!(last, 0x40..=0x7e)).map(|_| length + 1)
}

/// Up to BEL or ESC \.
fn control_string(rest: &[u8]) -> Option<usize> {
    let at = rest.iter().take(STRING).position(|b| matches!(*b, 0x07 | ESC))?;
    match &rest[at..] {
        [0x07, ..] => Some(at + 1),
        [ESC, b'\\', ..] => Some(at + 2),
        _ => None,
    }
}

/// Length of `[0m`, `[1;31m` at the beginning; 0 if there is none.
fn colour(rest: &[u8]) -> usize {
    let Some(behind) = rest.strip_prefix(b"[") else { return 0 };
    let digits = behind.iter().take(SEQUENCE).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    if behind.get(digits) == Some(&b'm') { digits + 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_links_go_and_the_rest_stays() {
        let plain = "[    3.000001] NVRM: Xid (PCI:0000:01:00): 79, pid=1";
        for line in [
            "\x1b[32m[    3.000001] \x1b[0m\x1b[33mNVRM: \x1b[0m\x1b[31mXid (PCI:0000:01:00): 79, pid=1\x1b[0m",
            "^[[32m[    3.000001] ^[[0m^[[33mNVRM: ^[[0m^[[31mXid (PCI:0000:01:00): 79, pid=1^[[0m",
            "[32m[    3.000001] [0m[33mNVRM: [0m[31mXid (PCI:0000:01:00): 79, pid=1[0m",
            "\x1b[0;1;38;5;185m[    3.000001] NVRM: Xid (PCI:0000:01:00): 79, pid=1\x1b(B\x1b[m\x1b[K",
            "\x1b]8;;https://example.com/a\x1b\\[    3.000001] NVRM: Xid\x1b]8;;\x07 (PCI:0000:01:00): 79, pid=1",
        ] {
            assert_eq!(without_escapes(line.as_bytes()), plain.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_escape_sequence_stays() {
        for line in [
            "a ^ b",
            "x^[y",
            "a \x1b b",
            "\x1b",
            "\x1b[",
            "\x1b[12",
            "\x1b]0;never ends",
            "[    1.0] [drm] x",
            "[",
            "a [0m",
        ] {
            assert!(matches!(without_escapes(line.as_bytes()), Cow::Borrowed(_)), "{line:?}");
        }
    }
}
