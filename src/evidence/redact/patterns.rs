//! Personal data that texts show by its form, or name by the words before it: the table.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexSet};

use super::pseudonym::Text;

/// What a match means. Group `v` of a pattern is the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Digits of a UUID.
    Uuid,
    /// Pairs of digits with separators: how many tells what it is.
    Pairs,
    /// Digits of an EUI-48.
    Eui48,
    /// The same in a form that versions and dates have too: there is a letter among the digits.
    Eui48WithLetter,
    /// Digits of an EUI-64.
    Eui64,
    /// A text that is personal whatever it is.
    Text(Text),
    /// A serial number behind words that mean nothing else.
    Serial,
    /// A serial number behind words that stand before other things too: it is taken for one if it looks like one.
    PerhapsSerial,
    /// An address of electronic mail, or a name that looks like one.
    Mail,
    /// An IPv4 address, with dots.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
}

/// Begin and end of digits that are no part of a longer number; `_` is no part of one, though regular expressions think so.
macro_rules! digits {
    ($digits:literal) => {
        concat!(r"(?i)(?:\b|_|0x)(?P<v>", $digits, r")(?:\b|_)")
    };
}

/// What stands between a name and its value: `=`, `: `, `": "`, `>`, ` (`.
macro_rules! is {
    () => {
        r#"\.?["']?[ \t]*[:=#>(][ \t]*["'<(\[]?"#
    };
}

/// Words before an EUI-48 that is written without separators.
macro_rules! address_words {
    () => {
        r#"(?i)(?:\b|_)(?:mac(?:[ _-]?addr(?:ess)?)?|hw[ _-]?addr(?:ess)?|ether(?:net)?|link/ether|eth_?addr|perm_?addr|permaddr|lladdr|bssid|bd_?addr(?:ess)?|station)(?:[ \t]+is)?["']?[ \t:=#(<]{1,4}["']?"#
    };
}

/// Words that mean a serial number and nothing else.
macro_rules! serial_words {
    () => {
        r"(?i)(?:\b|_)(?:serial[ _-]?(?:number|num|nr|no)|s/n|s/no|ser(?:ial)?[ \t]*#|asset[ _-]?tag|service[ _-]?tag|svc[ _-]?tag|(?:board|base ?board|chassis|product|system|unit|drive|disk|device|module|card|enclosure|battery|psu)[ _-]serial)"
    };
}

/// Names of options whose value is a secret.
macro_rules! credential_words {
    () => {
        r"(?:[a-z0-9]*passw(?:or)?d|passphrase|pass|[a-z]{0,8}pw|psk|secret|token|bearer|(?:api|auth|private|access|secret|preshared|encryption|license)[_-]?key)(?:[_-](?:hash|id|enc|base64))?"
    };
}

/// Words that mean a secret and nothing else.
macro_rules! secret_words {
    () => {
        r"(?:password|passwd|passphrase|bearer|psk|(?:api|auth|private|access|secret)[_-]?key)"
    };
}

/// A host name.
macro_rules! host {
    () => {
        r"(?P<v>[A-Za-z0-9][A-Za-z0-9._-]*)"
    };
}

/// Words before the name of an account.
macro_rules! account_words {
    () => {
        r#"(?:\b|_)(?:acct|user|username|ruser|logname|USER|LOGNAME|SUDO_USER)["']?=["']?"#
    };
}

/// A backslash, also as the kernel prints it in records (kernel: kernel/printk/printk.c, msg_add_ext_text) and as strings
/// of programs have it.
macro_rules! backslash {
    () => {
        r"(?:\\x5c|\\\\?)"
    };
}

/// The domain before the name of an account: `DOMAIN\name`.
macro_rules! domain {
    () => {
        concat!(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*", backslash!(), ")?")
    };
}

/// The name of an account.
macro_rules! account {
    () => {
        r"(?P<v>[A-Za-z_][A-Za-z0-9_.-]*)"
    };
}

/// Words before an account on another machine: `name@host`.
macro_rules! remote_words {
    () => {
        r#"(?i)\b(?:user|ssh|scp|sftp|sshfs|rsync|login)[ \t]+["']?"#
    };
}

/// Patterns, those that say more first.
const TABLE: &[(Means, &str)] = &[
    (Means::Uuid, digits!(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")),
    (Means::Uuid, digits!(r"[0-9a-f]{32}")),
    // mdadm(8) writes a UUID in four words.
    (Means::Uuid, digits!(r"[0-9a-f]{8}(?::[0-9a-f]{8}){3}")),
    // Lines of packet filters: the header of the frame, receiver and sender in front of its type (kernel:
    // net/netfilter/nf_log_syslog.c, dump_mac_header).
    (Means::Eui48, r"(?i)\bMAC=(?P<v>(?:[0-9a-f]{2}:){5}[0-9a-f]{2}):"),
    (Means::Eui48, r"(?i)\bMAC=(?:[0-9a-f]{2}:){6}(?P<v>(?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b"),
    (Means::Pairs, digits!(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,63}")),
    (Means::Eui48WithLetter, digits!(r"[0-9a-f]{4}[.-][0-9a-f]{4}[.-][0-9a-f]{4}")),
    // systemd.net-naming-scheme(7): x and the address.
    (Means::Eui48, r"(?:\b|_)(?:en|wl|ww|sl|ib)x(?P<v>[0-9a-f]{12})(?:\b|_)"),
    (Means::Eui48, concat!(address_words!(), r"(?:0x)?(?P<v>[0-9a-f]{12})(?:\b|_)")),
    (Means::Eui48, concat!(address_words!(), r"(?P<v>[0-9a-f]{4}[.-][0-9a-f]{4}[.-][0-9a-f]{4})(?:\b|_)")),
    (Means::Eui48, concat!(address_words!(), r"(?P<v>[0-9a-f]{6}[:-][0-9a-f]{6})(?:\b|_)")),
    (
        Means::Eui64,
        r#"(?i)(?:\b|_)(?:(?:attached_)?sas_?addr(?:ess)?|sas address|wwn|wwpn|wwnn|wwid|(?:node_|port_|sys_image_|node |port |system image |image )?guid|nguid|eui-?64|dsn|logical id|device name)\W{1,60}(?:0x)?(?P<v>[0-9a-f]{16}|[0-9a-f]{4}(?::[0-9a-f]{4}){3})(?:\b|_)"#,
    ),
    (Means::Eui64, r"(?i)(?:\b|_)(?:eui|naa)\.(?P<v>[0-9a-f]{16})(?:\b|_)"),
    // Links to disks carry model and serial number, or the number of a name (systemd: 60-persistent-storage.rules).
    (Means::Text(Text::Serial), r#"/disk/by-id/(?P<v>[^\s/"',;]+)"#),
    (Means::Text(Text::Serial), r#"(?i)\bt10\.(?P<v>[^\s"',;]+)"#),
    // NVM Express Base 2.1, 4.7; RFC 3721, 1.1: names of subsystems and initiators.
    (Means::Text(Text::Serial), r#"(?i)\bnqn\.[0-9]{4}[-.][0-9]{2}\.[^\s:"']+:(?P<v>[^\s"',;]+)"#),
    (Means::Text(Text::Serial), r#"(?i)\biqn\.[0-9]{4}-[0-9]{2}\.[^\s:"']+:(?P<v>[^\s"',;]+)"#),
    (Means::Text(Text::Serial), r#"(?i)(?:\b|_)(?:PART)?UUID=["']?(?P<v>[0-9a-f]+(?:-[0-9a-f]+)*)"#),
    // nvidia-smi -q: a number that is one GPU's.
    (Means::Serial, r"(?i)\bPDI\s*:\s*0x(?P<v>[0-9a-f]{8,16})\b"),
    // A line of dmidecode or nvidia-smi: the value goes up to the end of the line.
    (
        Means::Serial,
        r"(?im)^[ \t]*(?:[a-z/]+[ \t]+){0,3}(?:serial number|serial no|s/n|asset tag|service tag)[ \t]*:[ \t]*(?P<v>\S[^\r\n]*?)[ \t\r]*$",
    ),
    (Means::Serial, concat!(serial_words!(), is!(), r#"(?P<v>[^\s"',;<>()\[\]]{2,})"#)),
    (
        Means::PerhapsSerial,
        concat!(serial_words!(), r"[ \t]+(?:is[ \t]+)?(?P<v>[A-Za-z0-9][A-Za-z0-9._/-]{4,})"),
    ),
    (
        Means::PerhapsSerial,
        concat!(r"(?i)(?:\b|_)(?:sn|ser|serial)", is!(), r#"(?P<v>[^\s"',;<>()\[\]]{4,})"#),
    ),
    (Means::PerhapsSerial, r"\bSN[ \t]+(?P<v>[A-Z0-9][A-Z0-9._-]{4,})\b"),
    (
        Means::Text(Text::Credential),
        concat!(r"(?i)(?:\b|_)", credential_words!(), r#"=["']?(?P<v>[^\s"']+)"#),
    ),
    // systemd.system-credentials(7).
    (
        Means::Text(Text::Credential),
        r#"(?i)\bsystemd\.set_credential(?:_binary)?=["']?[^:\s]+:(?P<v>[^\s"']+)"#,
    ),
    // Words that mean nothing else may have a colon behind them; a value behind a blank is told by its digits.
    (
        Means::Text(Text::Credential),
        concat!(r"(?i)\b", secret_words!(), r#"["']?[ \t]*:[ \t]*["']?(?P<v>[^\s"',;]{4,})"#),
    ),
    (
        Means::Text(Text::Credential),
        concat!(
            r"(?i)\b",
            secret_words!(),
            r#"[ \t]+(?:is[ \t]+)?["']?(?P<v>[^\s"',;:]{3,}[0-9][^\s"',;]*)"#
        ),
    ),
    // What shows by its form: keys of clouds and networks, JSON Web Tokens (RFC 7519).
    (Means::Text(Text::Credential), r"\b(?P<v>(?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    (
        Means::Text(Text::Credential),
        r"\b(?P<v>tskey-[A-Za-z0-9-]{8,}|gh[opsur]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{16,})",
    ),
    (Means::Text(Text::Credential), r"\b(?P<v>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]+)?)"),
    // The comment of an SSH key: who made it, and where.
    (
        Means::Text(Text::User),
        concat!(r"\b(?:ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9]+)\s+AAAA[A-Za-z0-9+/=]+\s+", account!(), "@"),
    ),
    (
        Means::Text(Text::Host),
        concat!(
            r"\b(?:ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9]+)\s+AAAA[A-Za-z0-9+/=]+\s+[A-Za-z0-9_.-]+@",
            host!()
        ),
    ),
    // Addresses with an account: http://name:password@host, iscsi:name:password@host (dracut.cmdline(7)).
    (Means::Text(Text::Credential), r"(?i)(?://|\biscsi:)[^/\s:@]+:(?P<v>[^/\s:@]+)@"),
    (Means::Text(Text::Credential), r"(?i)(?://|\biscsi:)(?P<v>[^/\s:@]{2,}):[^/\s:@]+@"),
    // systemd: "Hostname set to <name>."; options of the kernel's command line.
    (
        Means::Text(Text::Host),
        r#"(?i)\bhost ?name(?:[ \t]*:|[ \t]+(?:is|(?:set |changed )?(?:to|from)))[ \t]+["'<]?(?P<v>[A-Za-z0-9][A-Za-z0-9._-]*)"#,
    ),
    (
        Means::Text(Text::Host),
        r#"(?i)(?:\b|_)(?:hostname|nodename|fqdn)=["']?(?P<v>[A-Za-z0-9][A-Za-z0-9.-]*)"#,
    ),
    (
        Means::Text(Text::Host),
        r#"(?i)\bdomain(?:name)?=["']?(?P<v>[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)"#,
    ),
    (Means::Text(Text::Host), r"\bnode=(?P<v>[A-Za-z][A-Za-z0-9._-]*) type="),
    // The fifth part of ip= (kernel: Documentation/admin-guide/nfs/nfsroot.rst; dracut.cmdline(7)); addresses of IPv6 are
    // in brackets.
    (Means::Text(Text::Host), concat!(r#"(?:^|[\s"'])ip=(?:(?:\[[^\]\s]*\]|[^:\s\[]*):){4}"#, host!())),
    // Servers that a machine starts from (nfsroot.rst; dracut.cmdline(7)).
    (
        Means::Text(Text::Host),
        r"(?i)(?:\bnfsroot=|\b(?:net)?root=(?:nfs4?:|nbd:|(?:i?scsi):(?:[^@\s]*@)?)|\bnbdroot=|(?:\b|\.)(?:repo|ks|stage2|url)=nfs4?:(?:[^:/\s]*:)?)(?P<v>[A-Za-z][A-Za-z0-9.-]*):",
    ),
    (
        Means::Text(Text::Host),
        concat!(
            r"(?i)=(?:[a-z0-9+.-]+:)?(?:https?|s?ftps?|tftp|nfs4?|iscsi|ldaps?)://(?:[^/@\s]*@)?",
            host!()
        ),
    ),
    (Means::Text(Text::Host), concat!(r"(?i)\bcifsroot=//", host!())),
    // cloud-init: ds=nocloud;h=NAME (NoCloud, kernel command line).
    (Means::Text(Text::Host), concat!(r"(?i)\bds=nocloud\S*;(?:h|local-hostname)=", host!())),
    (Means::Text(Text::Host), concat!(r"(?i)\bnfs: server ", host!(), r" (?:not responding|OK)")),
    (Means::Text(Text::Host), concat!(r"\\\\\\?\\?", host!(), r"\\")),
    // Names that providers make of addresses.
    (
        Means::Text(Text::Host),
        r"(?i)\b(?P<v>(?:ip|ec2|host|static)-\d{1,3}(?:-\d{1,3}){3}(?:\.[a-z0-9-]+)*)\b",
    ),
    // uname -a.
    (
        Means::Text(Text::Host),
        concat!(r"(?m)(?:^|uname: |uname -a: |Operating System: )Linux ", host!(), r" \d+\.\d+"),
    ),
    (Means::Text(Text::Host), r#""_?HOSTNAME"\s*:\s*"(?P<v>[^"]+)""#),
    // RFC 3164 and systemd's journalctl: time, host, speaker.
    (
        Means::Text(Text::Host),
        concat!(
            r"(?m)^(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.,+:Z-]*|\d{10}\.\d{6}) ",
            host!(),
            r" (?:[A-Za-z0-9_./@-]+(?:\[\d+\])?:|kernel) "
        ),
    ),
    (
        Means::Text(Text::Host),
        concat!(r"(?m)^\[ *\d+\.\d{6}\] ", host!(), r" (?:kernel|[A-Za-z0-9_./@-]+\[\d+\]): "),
    ),
    // "(who@where)" of a kernel or module that was built there.
    (Means::Text(Text::User), r"\((?P<v>[A-Za-z0-9_.-]+)@[A-Za-z0-9_.-]+\)"),
    (Means::Text(Text::Builder), r"\([A-Za-z0-9_.-]+@(?P<v>[A-Za-z0-9_.-]+)\)"),
    (Means::Text(Text::User), r#"/(?:home\d*|Users|run/media|media)/(?P<v>[^/\s:'",;)\]<>]+)"#),
    (Means::Text(Text::User), concat!(account_words!(), domain!(), account!())),
    (
        Means::Text(Text::Builder),
        concat!(account_words!(), r"(?P<v>[A-Za-z0-9][A-Za-z0-9._-]*)", backslash!(), "[A-Za-z_]"),
    ),
    (Means::Text(Text::User), concat!(remote_words!(), account!(), "@[A-Za-z0-9]")),
    (Means::Text(Text::Host), concat!(remote_words!(), "[A-Za-z_][A-Za-z0-9_.-]*@", host!())),
    (Means::Text(Text::User), r#""(?:user|username|acct)"\s*:\s*"(?P<v>[^"]+)""#),
    (Means::Text(Text::User), concat!(r"\b(?:for|by|of) (?:[Uu]ser|invalid user) '?", domain!(), account!())),
    (
        Means::Text(Text::User),
        concat!(r"\b(?:Accepted|Failed) [a-z-]+ for ", domain!(), account!(), r"(?:@\S+)? from "),
    ),
    (Means::Text(Text::User), r"\bby (?P<v>[A-Za-z_][A-Za-z0-9_.-]*)\(uid=\d+\)"),
    (Means::Text(Text::User), r"\bsudo(?:\[\d+\])?: +(?P<v>[A-Za-z_][A-Za-z0-9_.-]*) : "),
    // ls -l: the owner.
    (
        Means::Text(Text::User),
        r"(?m)^[-bcdlps](?:[-r][-w][-xsStT]){3}[.+@]? +\d+ (?P<v>[A-Za-z_][A-Za-z0-9_.-]*) ",
    ),
    (Means::Mail, r"(?i)\b(?P<v>[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b"),
    (Means::Ipv4, r"(?:\b|_)(?P<v>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?:\b|_)"),
    (Means::Ipv6, r"(?i)(?:\b|_)(?P<v>[0-9a-f]{1,4}:[0-9a-f:]{2,34})"),
    (Means::Ipv6, r"(?i)(?P<v>::[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)\b"),
];

/// The patterns, ready for use. One that does not compile would be found by the tests, which count them.
static PATTERNS: LazyLock<Vec<(Means, Regex)>> = LazyLock::new(|| {
    let compiled = TABLE.iter().filter_map(|(means, text)| Some((*means, Regex::new(&raw(text)).ok()?)));
    compiled.collect()
});

/// All of them in one: which of them a short text has at all. Of a long one that is slower than asking each.
static TOGETHER: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(TABLE.iter().map(|(_, text)| raw(text))).ok());
const SHORT: usize = 4096;

fn raw(pattern: &str) -> String {
    format!("(?-u){pattern}")
}

/// The patterns that a text may have.
pub fn patterns_of(text: &[u8]) -> Vec<&'static (Means, Regex)> {
    let all = PATTERNS.iter();
    match TOGETHER.as_ref().filter(|_| text.len() <= SHORT && PATTERNS.len() == TABLE.len()) {
        Some(together) => {
            let matches = together.matches(text);
            all.enumerate().filter(|(place, _)| matches.matched(*place)).map(|(_, pattern)| pattern).collect()
        }
        None => all.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_a_value() {
        for (means, text) in TABLE {
            let pattern = Regex::new(&raw(text)).unwrap();
            assert!(pattern.capture_names().any(|name| name == Some("v")), "{means:?} {text}");
        }
        assert_eq!(PATTERNS.len(), TABLE.len());
        assert!(TOGETHER.is_some());
    }
}
