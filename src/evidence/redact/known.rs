//! Looking for values that are known, in every spelling: bytes in both orders, hexadecimal digits with and without
//! separators, text in both cases.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, Match, MatchKind};

use super::key::Key;
use super::pseudonym::{Secret, Text, hexadecimal, mixed_order, recased};
use super::spans::Spans;

/// Most values that are looked for; a log that names more was made up.
const VALUES: usize = 65_536;
/// Shortest text that is looked for outside its place: a shorter one is found in what it has nothing to do with.
const SHORTEST: usize = 6;
/// From this length on, a text is also looked for within words.
const CERTAIN: usize = 8;
/// A number with fewer different bytes is not looked for as bytes: zeros with a few bits are everywhere.
const DIFFERENT: usize = 4;
/// Host names that are words of kernel logs: only where a text says that it names a host are they replaced.
const WORDS: &[&str] = &[
    "host",
    "node",
    "server",
    "linux",
    "debian",
    "ubuntu",
    "fedora",
    "centos",
    "rocky",
    "nvidia",
    "kernel",
    "worker",
    "storage",
    "compute",
    "master",
    "desktop",
    "laptop",
    "workstation",
    "test",
    "system",
    "device",
    "machine",
    "memory",
    "driver",
    "network",
    "intel",
    "amd",
    "qemu",
    "guest",
    "router",
    "proxmox",
    "unraid",
    "truenas",
    "archlinux",
    "localhost",
    "default",
    "error",
    "port",
    "bridge",
    "link",
    "cloud",
    "home",
    "main",
    "data",
    "backup",
    "monitor",
];

/// One spelling of a value.
struct Spelling {
    new: Vec<u8>,
    what: &'static str,
    /// It is no part of a longer word.
    word: bool,
    /// Further parts of a long host name may follow.
    host: bool,
}

/// All values that are known.
pub struct Known {
    key: Key,
    texts: Option<AhoCorasick>,
    text_spellings: Vec<Spelling>,
    bytes: Option<AhoCorasick>,
    byte_spellings: Vec<Spelling>,
}

/// Spellings by what they are looked for.
type Spellings = BTreeMap<Vec<u8>, Spelling>;

impl Known {
    /// Prepares the search.
    pub fn new(key: &Key, secrets: Vec<Secret>) -> Self {
        let secrets: BTreeSet<Secret> = secrets.into_iter().take(VALUES).collect();
        let (mut texts, mut bytes) = (Spellings::new(), Spellings::new());
        for secret in &secrets {
            add(key, secret, &mut texts, &mut bytes);
        }
        let (texts, text_spellings) = automaton(texts, true);
        let (bytes, byte_spellings) = automaton(bytes, false);
        Known { key: key.clone(), texts, text_spellings, bytes, byte_spellings }
    }

    /// Finds all of them in bytes.
    pub fn find(&self, bytes: &[u8], spans: &mut Spans) {
        if let Some(texts) = &self.texts {
            for found in longest_first(texts, bytes) {
                let spelling = &self.text_spellings[found.pattern().as_usize()];
                if spelling.word && !is_word(bytes, found.start(), found.end()) {
                    continue;
                }
                let old = &bytes[found.range()];
                spans.add(found.start(), recased(old, &spelling.new), spelling.what);
                if spelling.host {
                    self.rest_of_host(bytes, found.end(), spans);
                }
            }
        }
        if let Some(automaton) = &self.bytes {
            for found in longest_first(automaton, bytes) {
                let spelling = &self.byte_spellings[found.pattern().as_usize()];
                spans.add(found.start(), spelling.new.clone(), spelling.what);
            }
        }
    }

    /// The domain behind a host name.
    fn rest_of_host(&self, bytes: &[u8], end: usize, spans: &mut Spans) {
        let rest = &bytes[end..];
        let length =
            rest.iter().take(255).take_while(|b| b.is_ascii_alphanumeric() || b"-.".contains(b)).count();
        let domain = rest[..length].trim_ascii_end();
        let domain = domain.strip_suffix(b".").unwrap_or(domain);
        if domain.first() == Some(&b'.')
            && let Some(secret) = Secret::text(Text::Host, &domain[1..])
        {
            spans.add(end + 1, secret.in_text(&self.key, &domain[1..]), secret.what());
        }
    }
}

/// What is found, long ones first, so that a short one does not claim part of a long one.
fn longest_first(automaton: &AhoCorasick, bytes: &[u8]) -> Vec<Match> {
    let mut found: Vec<Match> = automaton.find_overlapping_iter(bytes).collect();
    found.sort_by_key(|found| (std::cmp::Reverse(found.len()), found.start()));
    found
}

fn automaton(spellings: Spellings, ignore_case: bool) -> (Option<AhoCorasick>, Vec<Spelling>) {
    let (patterns, spellings): (Vec<_>, Vec<_>) = spellings.into_iter().unzip();
    if patterns.is_empty() {
        return (None, Vec::new());
    }
    let built = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(ignore_case)
        .build(patterns);
    (built.ok(), spellings)
}

fn is_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    !letter(start.checked_sub(1)) && !letter(Some(end))
}

fn add(key: &Key, secret: &Secret, texts: &mut Spellings, bytes: &mut Spellings) {
    let new = secret.pseudonym(key);
    let what = secret.what();
    let put = |to: &mut Spellings, old: Vec<u8>, new: Vec<u8>, word: bool, host: bool| {
        to.entry(old).or_insert(Spelling { new, what, word, host });
    };
    let old: Vec<u8> = match secret {
        Secret::Eui48(old) => old.to_vec(),
        Secret::Eui64(old) => old.to_vec(),
        Secret::Uuid(old) => old.to_vec(),
        Secret::Text(Text::Host, old) => {
            let name = old.split(|byte| *byte == b'.').next().unwrap_or(old);
            // The whole name of a machine in a domain is no ordinary word, however short or common its first part is.
            if old.len() > name.len() + 3 {
                put(texts, old.clone(), new.clone(), true, true);
            }
            if name.len() >= 4 && !WORDS.iter().any(|word| word.as_bytes() == name) {
                let length = name.len();
                put(texts, name.to_vec(), new[..length].to_vec(), true, true);
            }
            return;
        }
        // The name of an account may be any word.
        Secret::Text(Text::User | Text::Builder | Text::Oem, _) => return,
        Secret::Text(_, old) => {
            // A word without a digit may be any word.
            if old.len() < SHORTEST || !old.iter().any(u8::is_ascii_digit) {
                return;
            }
            put(texts, old.clone(), new.clone(), old.len() < CERTAIN, false);
            if old.len() >= CERTAIN {
                put(texts, reversed(old), reversed(&new), false, false);
                for case in [<[u8]>::to_ascii_lowercase, <[u8]>::to_ascii_uppercase] {
                    let (old, new) = (case(old), case(&new));
                    put(texts, hexadecimal(&old), hexadecimal(&new), false, false);
                    put(texts, spaced(&old, b' '), spaced(&new, b' '), false, false);
                }
            }
            return;
        }
    };
    let certain = old.iter().collect::<BTreeSet<_>>().len() >= DIFFERENT;
    let mut orders = vec![(old.clone(), new.clone()), (reversed(&old), reversed(&new))];
    if let (Ok(old), Ok(new)) = (<[u8; 16]>::try_from(old.as_slice()), <[u8; 16]>::try_from(new.as_slice())) {
        orders.push((mixed_order(old).to_vec(), mixed_order(new).to_vec()));
        put(texts, dashed(&old), dashed(&new), false, false);
    }
    for (old, new) in orders {
        if certain {
            put(bytes, old.clone(), new.clone(), false, false);
            put(texts, hexadecimal(&old), hexadecimal(&new), old.len() < CERTAIN, false);
        }
        for separator in [b':', b'-', b' '] {
            put(texts, spaced(&old, separator), spaced(&new, separator), true, false);
        }
    }
    if matches!(secret, Secret::Eui64(_)) {
        put(texts, grouped(&old), grouped(&new), true, false);
    }
    // The address that an EUI-64 was made of, and the other way round.
    match secret {
        Secret::Eui64([a, b, c, _, _, f, g, h]) => {
            if let Some(short) = Secret::eui_48(&[*a, *b, *c, *f, *g, *h]) {
                add(key, &short, texts, bytes);
            }
        }
        Secret::Eui48([a, b, c, d, e, f]) if certain => {
            // Modified EUI-64 as in an IPv6 address has bit 1 of the first byte turned (RFC 4291, 2.5.1).
            for first in [*a, *a ^ 2] {
                let whole = |n: &[u8]| [&[first, n[1], n[2], 0xff, 0xfe], &n[3..]].concat();
                let (old, new) = (whole(&[*a, *b, *c, *d, *e, *f]), whole(&new));
                for (old, new) in [(old.clone(), new.clone()), (reversed(&old), reversed(&new))] {
                    texts.entry(hexadecimal(&old)).or_insert(Spelling {
                        new: hexadecimal(&new),
                        what,
                        word: false,
                        host: false,
                    });
                    bytes.entry(old).or_insert(Spelling { new, what, word: false, host: false });
                }
            }
        }
        _ => {}
    }
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Bytes as digits with a separator between them.
fn spaced(bytes: &[u8], separator: u8) -> Vec<u8> {
    let pairs: Vec<Vec<u8>> = bytes.iter().map(|byte| hexadecimal(&[*byte])).collect();
    pairs.join(&separator)
}

/// Digits in fours, as InfiniBand writes a GUID.
fn grouped(bytes: &[u8]) -> Vec<u8> {
    hexadecimal(bytes).chunks(4).collect::<Vec<_>>().join(&b':')
}

fn dashed(uuid: &[u8; 16]) -> Vec<u8> {
    let digits = hexadecimal(uuid);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join(&b'-')
}
