//! Lines by which a driver complains of its device in words that the catalogue does not know.
//!
//! No catalogue has every line of every driver. What was not understood must not count as if all were well: lines that name a
//! function and sound like trouble are events too, of which less is concluded than of any other. Which words
//! sound so is our own reading of logs.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::catalogue::Said;
use super::event::{Fields, Kind, Level, Part, Value};
use crate::pci::Bdf;

/// Everything that is told from words alone.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "driver.register-reads-all-ones",
        Level::Bus,
        "A driver prints a register of its device as all-ones, as it reads where nothing answers. Some registers have that value.",
        "PCIe 6.2, 2.3.2: a read that nobody completes is answered with all-ones",
        &[],
    ),
    Kind::new(
        "driver.alarm",
        Level::Depends,
        "A driver says in words that this catalogue does not know that its device hangs, died, or does not answer.",
        "the words of the line alone",
        &[],
    ),
    Kind::new(
        "driver.complaint",
        Level::Information,
        "A driver says in words that this catalogue does not know that something failed. Many such lines are harmless.",
        "the words of the line alone",
        &[],
    ),
    Kind::new(
        "driver.recovered",
        Level::Information,
        "A driver says in words that this catalogue does not know that its device works again.",
        "the words of the line alone",
        &[],
    ),
];

const ALL_ONES: &Kind = &KINDS[0];
const ALARM: &Kind = &KINDS[1];
const COMPLAINT: &Kind = &KINDS[2];
const RECOVERED: &Kind = &KINDS[3];

/// Words of a device that is in trouble: these pieces, at the beginning of a word (`changed` is no `hang`).
const ALARMING: [&str; 28] = [
    "not respond",
    "stopped respond",
    "unresponsive",
    "hung",
    "hang",
    r"dead\b",
    "died",
    "fatal",
    "wedged",
    "unrecoverable",
    "killing",
    "crash",
    "disconnect",
    "gone",
    "hardware error",
    "hw error",
    "stuck",
    "lockup",
    "lock up",
    "locked up",
    "halted",
    "device lost",
    "reset failed",
    // Ports, processors and tests are offline too, and disks are told so; the device itself is when its driver gave it up.
    "controller is offline",
    "controller offline",
    "device is offline",
    "device offline",
    "adapter is offline",
];

/// Words of a device that works again, unless the line says that something failed or did not succeed.
const RECOVERING: [&str; 4] = ["successfully recovered", "reset done", "reset succeeded", "reset successful"];

/// With these words what sounds alarming is a complaint only: its driver still tries.
const TRYING: [&str; 1] = ["attempting to recover"];

/// Words of something that did not work: these pieces, at the beginning of a word (`default` is no `fault`).
const COMPLAINING: [&str; 9] =
    ["fail", "error", "timeout", "timed out", "fault", "unable to", "abort", "lost", "ffffffff"];

/// What sounds like trouble and is none: files that are not installed, settings, and reports that something is well.
const HARMLESS: [&str; 25] = [
    r"timeouts?\s*[:=]\s*\d",
    "direct firmware load for",
    "failed to load",
    "can't disable aspm",
    "error reporting",
    "error handling",
    "error recovery",
    "no error",
    "non-fatal",
    "nonfatal",
    "hang check",
    "hangcheck",
    "default timeout",
    "timeout set to",
    "fault tolerant",
    "page fault handling",
    "crash dump",
    // ixgbe, fm10k and ice name so what turned out to be none (ixgbe_tx_timeout in drivers/net/ethernet/intel/ixgbe/ixgbe_main.c).
    "fake tx hang",
    "lockup detector",
    "lockup detection",
    "lockup_timeout",
    "lockup timeout",
    r"(?:^|[^\w-])correct(?:ed|able) (?:hardware|hw) error",
    "no hang",
    r"\b0 (?:new )?uncorrectable",
];

struct Words {
    /// Words of either kind, anywhere: for the filter.
    any: Option<AhoCorasick>,
    complaining: Option<Regex>,
    alarming: Option<Regex>,
    recovering: Option<Regex>,
    in_vain: Option<Regex>,
    trying: Option<Regex>,
    harmless: Option<Regex>,
    who: Option<Regex>,
    all_ones: Option<Regex>,
    row: Option<Regex>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let search = |words: &[&str]| AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
    let all = ALARMING.iter().chain(&COMPLAINING).chain(&RECOVERING);
    let pieces: Vec<&str> = all.map(|piece| piece.trim_end_matches(r"\b")).collect();
    let regex = |text: &str| regex::bytes::RegexBuilder::new(text).unicode(false).build().ok();
    Words {
        complaining: regex(&format!(r"(?i)\b(?:0x)?(?:{})", COMPLAINING.join("|"))),
        any: search(&pieces),
        alarming: regex(&format!(r"(?i)\b(?:{})", ALARMING.join("|"))),
        recovering: regex(&format!(r"(?i)\b(?:{})", RECOVERING.join("|"))),
        in_vain: regex(r"(?i)\b(?:not (?:\w+ )?|un)success|\bfail"),
        trying: regex(&format!("(?i)(?:{})", TRYING.join("|"))),
        harmless: regex(&format!("(?i)(?:{})", HARMLESS.join("|"))),
        // As in the wordings of the catalogue, and as qla2xxx writes it (drivers/scsi/qla2xxx/qla_dbg.c, ql_dbg_prefix).
        who: regex(
            r"^(?:(?P<driver>[\w.+-]+) \[?(?P<device>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:\]-[0-9a-f]{4}:\d*: |(?: [^:\[\]]{1,64})?: )|(?:nvme )?(?P<controller>nvme\d+|mpt[23]sas_cm\d+): )(?P<message>.+)$",
        ),
        all_ones: regex(r"(?i)(?P<name>[\w\]]+)(?:\s*(?P<sign>[=:(])[\s(]*|\s+(?:is\s+)?)(?:0x)?ffffffff\b"),
        row: regex(r"(?i)(?:\b(?:0x)?ffffffff\b[,\s]*){4}"),
    }
});

/// What stands before a number that is no register: a result, a size, an address, a mask, a name of something, what is written.
const NO_REGISTERS: [&str; 41] = [
    "mask", "masks", "bits", "limit", "size", "length", "len", "count", "addr", "address", "base", "end",
    "to", "range", "mem", "ret", "rc", "rval", "retval", "ret_val", "err", "error", "errno", "result", "id",
    "key", "lun", "flags", "features", "handle", "tag", "index", "vlan", "pasid", "of", "value", "val",
    "data", "write", "writing", "wrote",
];

/// What stands before a number that is a register's although no sign of equality is between them; so do names in capitals or with
/// an underscore.
const REGISTERS: [&str; 13] = [
    "register",
    "registers",
    "reg",
    "regs",
    "status",
    "state",
    "response",
    "cause",
    "control",
    "doorbell",
    "csr",
    "read",
    "reads",
];

/// Whether a line may be one of these: it names a function and has a word of trouble, or is marked as an error. Never wrong when
/// it says no.
pub fn may_be(line: &[u8]) -> bool {
    let words = &*WORDS;
    let sounds = || words.any.as_ref().is_none_or(|words| words.is_match(line));
    names_function(line) && (is_marked(line) || sounds())
}

/// Whether a function is named anywhere: `:82:00.0`.
fn names_function(line: &[u8]) -> bool {
    memchr::memchr_iter(b'.', line).any(|dot| {
        let around = dot.checked_sub(6).and_then(|start| line.get(start..dot + 2));
        matches!(around, Some([b':', bus @ .., b'.', b'0'..=b'7'])
            if bus[2] == b':' && [0, 1, 3, 4].iter().all(|at| bus[*at].is_ascii_hexdigit()))
    })
}

/// Whether what stands before the message says that it is an error or worse: `<3>` (dmesg -r, syslog), `3,123,` (/dev/kmsg),
/// `"PRIORITY":"3"` (the journal as JSON), `kern  :err   : ` (dmesg -x), `kern:     err: [` (talosctl).
fn is_marked(line: &[u8]) -> bool {
    let severe = |bytes: &[u8], end: u8| {
        let digits = bytes.iter().position(|b| !b.is_ascii_digit()).filter(|at| bytes[*at] == end);
        let number = digits.and_then(|at| str::from_utf8(&bytes[..at]).ok()?.parse::<u16>().ok());
        number.is_some_and(|number| number & 7 <= 3)
    };
    let has = |text: &[u8]| memchr::memmem::find(line, text).is_some();
    match line.first() {
        Some(b'<') => severe(&line[1..], b'>'),
        Some(b'0'..=b'9') => severe(line, b','),
        Some(b'{') => {
            let at = memchr::memmem::find(line, b"\"PRIORITY\"");
            at.and_then(|at| line[at + 10..].iter().find(|b| b.is_ascii_digit())).is_some_and(|b| *b <= b'3')
        }
        Some(b'k') => has(b":err ") || has(b":crit ") || has(b" err: [") || has(b" crit: ["),
        _ => false,
    }
}

/// What a message says that is none of the catalogue's. `severity`: as syslog counts, if it is known.
pub fn parse(text: &str, severity: Option<u8>) -> Option<Said> {
    let words = &*WORDS;
    let captures = words.who.as_ref()?.captures(text.as_bytes())?;
    let part =
        |name: &str| captures.name(name).map(|group| String::from_utf8_lossy(group.as_bytes()).into_owned());
    let message = captures.name("message")?.as_bytes();
    let driver = part("driver");
    // The core of PCI speaks of numbers that no driver read, and the catalogue has its lines.
    if matches!(driver.as_deref(), Some("pci" | "pci_bus" | "pcieport" | "acpi")) {
        return None;
    }
    let kind = kind(message, severity)?;
    let device: Option<Bdf> = part("device").and_then(|device| device.parse().ok());
    let mut fields = Fields::new();
    let controller = part("controller");
    let of = match controller.as_deref() {
        Some(name) if name.starts_with("nvme") => "nvme",
        Some(_) => "mpt3sas",
        None => "",
    };
    fields.extend(controller.map(|name| ("controller", Value::Text(name))));
    Some(Said { kind, part: Part::Whole, of, driver, device, fields })
}

fn kind(message: &[u8], severity: Option<u8>) -> Option<&'static Kind> {
    let words = &*WORDS;
    let says = |search: &Option<Regex>| search.as_ref().is_some_and(|search| search.is_match(message));
    if says(&words.harmless) {
        return None;
    }
    let row = words.row.as_ref().is_some_and(|row| row.is_match(message));
    if row || names_register(message) {
        return Some(ALL_ONES);
    }
    let alarming = says(&words.alarming) && !says(&words.trying);
    if !alarming && says(&words.recovering) && !says(&words.in_vain) {
        return Some(RECOVERED);
    }
    if alarming || severity.is_some_and(|severity| severity <= 2) {
        return Some(ALARM);
    }
    (says(&words.complaining) || says(&words.alarming) || severity == Some(3)).then_some(COMPLAINT)
}

/// Whether something that may be a register is printed as all-ones: `CSR_GP_CNTRL 0xffffffff`, `status=ffffffff`. Sizes, masks,
/// addresses and results of functions have that value too.
fn names_register(message: &[u8]) -> bool {
    let Some(search) = &WORDS.all_ones else { return false };
    search.captures_iter(message).any(|found| {
        let written = found.name("name").map(|group| group.as_bytes()).unwrap_or_default();
        let name = written.to_ascii_lowercase();
        let last = name.rsplit(|b| *b == b'_').next().unwrap_or_default();
        let in_capitals = written.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
        let like_a_register = found.name("sign").is_some()
            || in_capitals && written.iter().any(|b| b.is_ascii_uppercase())
            || written.iter().any(|b| matches!(b, b'_' | b']'))
            || REGISTERS.iter().any(|word| name == word.as_bytes());
        like_a_register && !NO_REGISTERS.iter().any(|word| name == word.as_bytes() || last == word.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> &'static str {
        assert!(!text.contains("ffffffff") || may_be(text.as_bytes()), "{text}");
        parse(text, None).map_or("-", |said| said.kind.id)
    }

    #[test]
    fn a_register_that_reads_all_ones_is_told_from_masks_and_sizes() {
        for text in [
            "foo 0000:0a:00.0: status register = 0xffffffff",
            "foo 0000:0a:00.0 eth0: CSR_GP_CNTRL 0xFFFFFFFF",
            "foo 0000:0a:00.0: 00000000: ffffffff ffffffff ffffffff ffffffff",
            "tg3 0000:0a:00.0 eth0: 0x00000000: 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff",
            "snd_hda_intel 0000:0a:00.1: spurious response 0xffffffff:0x0, rp = 255, wp = 255",
            "qla2xxx [0000:d8:00.0]-00fb:5: RISC status ffffffff",
            "foo 0000:0a:00.0: doorbell is 0xffffffff",
            "foo 0000:0a:00.0: reg[3] ffffffff",
        ] {
            assert_eq!(id(text), "driver.register-reads-all-ones", "{text}");
        }
        for text in [
            "foo 0000:0a:00.0: DMA mask 0xffffffff",
            "foo 0000:0a:00.0: dma_mask: 0xffffffff",
            "foo 0000:0a:00.0: address 0xffffffffffffffff",
            "foo 0000:0a:00.0: reg 0x10: [mem 0xfee00000-0xffffffff]",
            "foo 0000:0a:00.0: register 0xffffffffffffffff",
            "pci 0000:0a:00.0: BAR 0: error updating (0xf7000004 != 0xffffffff)",
            "nouveau 0000:0a:00.0: bus: MMIO write of ffffffff FAULT at 10eb14 [ PRIVRING ]",
            "foo 0000:0a:00.0: DMA mask is 0xffffffff",
            "foo 0000:0a:00.0: fault at offset 10 wrote 0xffffffff",
            "foo 0000:0a:00.0: error, cookie ffffffff",
        ] {
            assert_ne!(id(text), "driver.register-reads-all-ones", "{text}");
        }
    }

    #[test]
    fn words_and_marks_tell_what_sounds_like_trouble() {
        for (text, kind) in [
            ("foo 0000:0a:00.0: firmware is not responding", "driver.alarm"),
            ("foo 0000:0a:00.0 eth0: TX queue 3 hung", "driver.alarm"),
            ("foo 0000:0a:00.0: init failed: -5", "driver.complaint"),
            ("nvme nvme3: Identify Controller failed (-4)", "driver.complaint"),
            ("iwlwifi 0000:0a:00.0: Direct firmware load for x.ucode failed with error -2", "-"),
            ("foo 0000:0a:00.0: firmware version 1.2", "-"),
            ("nvidia 0000:0a:00.0: vgaarb: changed VGA decodes: olddecodes=io+mem,decodes=none", "-"),
            ("foo 0000:0a:00.0: AER: error reporting enabled", "-"),
            ("foo: init failed", "-"),
            ("megaraid_sas 0000:0a:00.0: FW provided TM TaskAbort/Reset timeout\t: 0 secs/0 secs", "-"),
            ("foo 0000:0a:00.0: using the default deadline", "-"),
            ("foo 0000:0a:00.0: lockup detector enabled", "-"),
            ("foo 0000:0a:00.0: the card locked up", "driver.alarm"),
            ("foo 0000:0a:00.0 eth1: offline testing starting", "-"),
            ("foo 0000:0a:00.0: host controller halted", "driver.alarm"),
            ("foo 0000:0a:00.0: firmware crash, attempting to recover", "driver.complaint"),
            ("foo 0000:0a:00.0: link successfully recovered", "driver.recovered"),
            ("foo 0000:0a:00.0: port was not successfully recovered", "-"),
            ("foo 0000:0a:00.0: reset done, but init failed", "driver.complaint"),
            ("foo 0000:0a:00.0: 3 corrected hardware errors", "-"),
            ("foo 0000:0a:00.0: 0 uncorrectable hardware errors", "-"),
            ("foo 0000:0a:00.0: 30 uncorrectable hardware errors", "driver.alarm"),
            ("foo 0000:0a:00.0: [drm] *ERROR* CPU pipe A FIFO underrun", "driver.complaint"),
        ] {
            assert_eq!(id(text), kind, "{text}");
        }
        assert_eq!(parse("foo 0000:0a:00.0: x", Some(3)).unwrap().kind.id, "driver.complaint");
        assert_eq!(parse("foo 0000:0a:00.0: x", Some(2)).unwrap().kind.id, "driver.alarm");
        assert!(parse("foo 0000:0a:00.0: x", Some(4)).is_none());
        for (line, marked) in [
            ("<3>[    1.000000] foo 0000:0a:00.0: x", true),
            ("<6>[    1.000000] foo 0000:0a:00.0: x", false),
            ("3,12,1000000,-;foo 0000:0a:00.0: x", true),
            ("6,12,1000000,-;foo 0000:0a:00.0: x", false),
            ("kern  :err   : [    1.000000] foo 0000:0a:00.0: x", true),
            (r#"{"PRIORITY":"3","MESSAGE":"foo 0000:0a:00.0: x"}"#, true),
            (r#"{"PRIORITY":"6","MESSAGE":"foo 0000:0a:00.0: x"}"#, false),
        ] {
            assert_eq!(may_be(line.as_bytes()), marked, "{line}");
        }
    }
}
