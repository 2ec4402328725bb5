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
const WORDS: &str = "host node server linux debian ubuntu fedora centos rocky nvidia kernel worker storage compute \
    master desktop laptop workstation test system device machine memory driver network intel amd \
    qemu guest router proxmox unraid truenas archlinux localhost default error port bridge link \
    cloud home main data backup monitor user";

/// One spelling of a value.
struct Spelling {
    new: Vec<u8>,
    what: &'static str,
    /// Where it is taken for the value.
    only: Only,
    /// Further parts of a long host name may follow.
    host: bool,
}

/// Where a spelling is taken for its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    /// Wherever it is.
    Anywhere,
    /// Where it is no part of a longer word.
    Words,
    /// Where no word goes on in front of it.
    Start,
    /// Where no word goes on behind it.
    End,
    /// Where it is a word of capitals: it could be any word.
    Capitals,
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
    /// Prepares the search. `common` are words, in lower case, that mean something else on this machine, such as names of
    /// drivers: a host or person of such a name is replaced only where a text says that it is one.
    pub fn new(key: &Key, secrets: Vec<Secret>, common: &BTreeSet<String>) -> Self {
        let secrets: BTreeSet<Secret> = secrets.into_iter().take(VALUES).collect();
        let (mut texts, mut bytes) = (Spellings::new(), Spellings::new());
        for secret in &secrets {
            match secret {
                Secret::Text(what, old) => text(key, (*what, old), common, &mut texts),
                _ => number(key, secret, &mut texts, &mut bytes),
            }
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
                let old = &bytes[found.range()];
                let (starts, ends) =
                    (!is_letter_before(bytes, found.start()), !is_letter_at(bytes, found.end()));
                let word = starts && ends;
                let here = match spelling.only {
                    Only::Anywhere => true,
                    Only::Words => word,
                    Only::Start => starts,
                    Only::End => ends,
                    Only::Capitals => word && !old.iter().any(u8::is_ascii_lowercase),
                };
                if !here {
                    continue;
                }
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

fn is_letter_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

fn is_letter_before(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|at| is_letter_at(bytes, at))
}

fn put(to: &mut Spellings, (old, new): (Vec<u8>, Vec<u8>), what: &'static str, only: Only) {
    to.entry(old).or_insert(Spelling { new, what, only, host: false });
}

/// Spellings of a text.
fn text(key: &Key, (text, old): (Text, &[u8]), common: &BTreeSet<String>, to: &mut Spellings) {
    let secret = Secret::Text(text, old.to_vec());
    let (new, what) = (secret.pseudonym(key), secret.what());
    let is_common = |name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        WORDS.split(' ').any(|word| word == name) || common.contains(&*name)
    };
    match text {
        Text::Host => {
            let first = old.iter().position(|byte| *byte == b'.').unwrap_or(old.len());
            let (name, domain) = (&old[..first], old.get(first + 1..).unwrap_or_default());
            let mut host = |old: &[u8], new: &[u8]| {
                to.entry(old.to_vec()).or_insert(Spelling {
                    new: new.to_vec(),
                    what,
                    only: Only::Words,
                    host: true,
                });
            };
            // The whole name of a machine in a domain is no ordinary word, however short or common its first part is.
            if domain.len() > 2 {
                host(old, &new);
            }
            if name.len() >= 4 && !is_common(name) {
                host(name, &new[..first]);
                // Names of logical volumes have every hyphen twice (lvm(8)), and begin with that of the machine.
                if name.contains(&b'-') {
                    host(&doubled(name), &doubled(&new[..first]));
                }
            }
            // Other machines in the same domain.
            if domain.len() >= SHORTEST && domain.contains(&b'.') {
                host(domain, &new[first + 1..]);
            }
        }
        // The name of an account may be any word, but not any folder.
        Text::User if old.len() >= 4 && !is_common(old) => {
            for (before, behind) in [("/", "/"), ("~", "/"), ("~", " "), ("/", "@")] {
                let whole = |name: &[u8]| [before.as_bytes(), name, behind.as_bytes()].concat();
                put(to, (whole(old), whole(&new)), what, Only::Anywhere);
            }
            // An account on another machine, and one of a domain; the kernel prints a backslash as \x5c (kernel:
            // kernel/printk/printk.c, msg_add_ext_text).
            put(to, ([old, b"@"].concat(), [&new, b"@".as_slice()].concat()), what, Only::Start);
            for before in ["\\", "\\x5c"] {
                let behind = |name: &[u8]| [before.as_bytes(), name].concat();
                put(to, (behind(old), behind(&new)), what, Only::End);
            }
        }
        Text::User | Text::Builder | Text::Oem | Text::Mail => {}
        Text::Serial | Text::Credential => {
            if old.len() < SHORTEST {
                return;
            }
            // A word without a digit may be any word.
            if !old.iter().any(u8::is_ascii_digit) {
                if !is_common(old) {
                    put(to, (old.to_vec(), new), what, Only::Capitals);
                }
                return;
            }
            let certain = old.len() >= CERTAIN;
            put(to, (old.to_vec(), new.clone()), what, if certain { Only::Anywhere } else { Only::Words });
            if certain {
                put(to, (reversed(old), reversed(&new)), what, Only::Anywhere);
                for case in [<[u8]>::to_ascii_lowercase, <[u8]>::to_ascii_uppercase] {
                    let (old, new) = (case(old), case(&new));
                    put(to, (hexadecimal(&old), hexadecimal(&new)), what, Only::Anywhere);
                    for separator in *b" :-" {
                        put(to, (spaced(&old, separator), spaced(&new, separator)), what, Only::Anywhere);
                    }
                }
            }
        }
    }
}

/// Spellings of a number.
fn number(key: &Key, secret: &Secret, texts: &mut Spellings, bytes: &mut Spellings) {
    let (new, what) = (secret.pseudonym(key), secret.what());
    let old: Vec<u8> = match secret {
        Secret::Eui48(old) => old.to_vec(),
        Secret::Eui64(old) => old.to_vec(),
        Secret::Uuid(old) => old.to_vec(),
        // Where these are, they were found by their form, and the addresses in them have no other place.
        Secret::Digits(_) | Secret::Text(..) => return,
    };
    let certain = old.iter().collect::<BTreeSet<_>>().len() >= DIFFERENT;
    let mut orders = vec![(old.clone(), new.clone()), (reversed(&old), reversed(&new))];
    if let (Ok(old), Ok(new)) = (<[u8; 16]>::try_from(old.as_slice()), <[u8; 16]>::try_from(new.as_slice())) {
        orders.push((mixed_order(old).to_vec(), mixed_order(new).to_vec()));
        put(texts, (dashed(&old), dashed(&new)), what, Only::Anywhere);
    }
    for (old, new) in &orders {
        if certain {
            put(bytes, (old.clone(), new.clone()), what, Only::Anywhere);
            put(texts, (hexadecimal(old), hexadecimal(new)), what, Only::Anywhere);
        }
        for separator in [b':', b'-', b' '] {
            put(texts, (spaced(old, separator), spaced(new, separator)), what, Only::Words);
        }
    }
    // Cisco writes an EUI-48 in three parts with dots, InfiniBand a GUID in four with colons, mdadm a UUID in four.
    let (part, separators) = if old.len() == 16 { (8, b":".as_slice()) } else { (4, b".:-".as_slice()) };
    for separator in separators {
        put(texts, (grouped(&old, part, *separator), grouped(&new, part, *separator)), what, Only::Words);
    }
    // The address that an EUI-64 was made of, and the other way round.
    match secret {
        Secret::Eui64([a, b, c, _, _, f, g, h]) => {
            if let Some(short) = Secret::eui_48(&[*a, *b, *c, *f, *g, *h]) {
                number(key, &short, texts, bytes);
            }
        }
        Secret::Eui48([a, b, c, d, e, f]) if certain => {
            // Modified EUI-64 as in an IPv6 address has bit 1 of the first byte turned (RFC 4291, 2.5.1).
            for first in [*a, *a ^ 2] {
                let whole = |n: &[u8]| [&[first, n[1], n[2], 0xff, 0xfe], &n[3..]].concat();
                let (old, new) = (whole(&[*a, *b, *c, *d, *e, *f]), whole(&new));
                for (old, new) in [(old.clone(), new.clone()), (reversed(&old), reversed(&new))] {
                    put(texts, (hexadecimal(&old), hexadecimal(&new)), what, Only::Anywhere);
                    put(bytes, (old, new), what, Only::Anywhere);
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

/// Digits in parts of as many.
fn grouped(bytes: &[u8], part: usize, separator: u8) -> Vec<u8> {
    hexadecimal(bytes).chunks(part).collect::<Vec<_>>().join(&separator)
}

/// A name with every hyphen twice.
fn doubled(name: &[u8]) -> Vec<u8> {
    name.iter().flat_map(|byte| std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'-'))).collect()
}

fn dashed(uuid: &[u8; 16]) -> Vec<u8> {
    let digits = hexadecimal(uuid);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join(&b'-')
}
