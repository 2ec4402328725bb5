//! Whatever a device says, every command ends, none panics, and JSON fits the committed schemas.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use pciscope::inspect::{Inspection, field, list, msix, path, show};
use pciscope::machine::attributes::{self, Kind, When};
use pciscope::machine::platform::{Platform, read_platform};
use pciscope::machine::reading::Depth;
use pciscope::machine::{self, DEADLINE, Scope};
use pciscope::names::Names;
use pciscope::render::style::Style;
use pciscope::render::text;
use pciscope::tree::MemoryTree;

const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";
const BRIDGE: &str = "sys/bus/pci/devices/0000:00:01.0";

/// The answer as JSON is what the committed schema says.
fn fits<T: serde::Serialize>(name: &str, answer: &T) {
    static SCHEMAS: LazyLock<HashMap<&str, jsonschema::Validator>> = LazyLock::new(|| {
        ["list", "show", "msix", "path"]
            .map(|name| {
                let file = format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
                let schema = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
                (name, jsonschema::validator_for(&schema).unwrap())
            })
            .into()
    });
    let json = serde_json::to_value(answer).unwrap();
    if let Err(error) = SCHEMAS[name].validate(&json) {
        panic!("{name}: {error} at {}", error.instance_path());
    }
}

/// Text for people has no control characters but line ends and tabs, whatever a file holds. Colors are ours.
fn is_harmless(text: &str) {
    let mut parts = text.split('\u{1b}');
    let plain = parts.next().unwrap_or_default().to_owned();
    let plain = parts.fold(plain, |plain, part| {
        let color = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        match color.filter(|(code, _)| code.bytes().all(|b| b.is_ascii_digit() || b == b';')) {
            Some((_, rest)) => plain + rest,
            None => panic!("an escape sequence that is no color: {part:?}"),
        }
    });
    let bad = plain.find(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
    assert_eq!(bad.map(|at| plain[at..].chars().take(20).collect::<String>()), None);
}

/// Text without colors: also no escape.
fn is_plain(text: &str) {
    assert!(!text.contains('\u{1b}'), "an escape where there are no colors");
    is_harmless(text);
}

const COLOR: Style = Style { color: true, width: Some(80) };

/// Runs every command over two functions, whatever is known of interrupt remapping: one with the bytes, one bridge with
/// the same bytes above it.
fn everything(config: &[u8], attribute: &[u8]) {
    for remapping in [None, Some(true), Some(false)] {
        with_remapping(config, attribute, remapping);
    }
}

fn with_remapping(config: &[u8], attribute: &[u8], interrupt_remapping: Option<bool>) {
    let mut tree = MemoryTree::complete()
        .file(format!("{FOLDER}/config"), config.to_vec())
        .file(format!("{BRIDGE}/config"), config.to_vec())
        .file(format!("{FOLDER}/resource0"), config.to_vec());
    // Presence is not among them: it would stop nearly everything else.
    let files = attributes::ALL.iter().filter(|a| a.kind == Kind::Text && a.when != When::Presence);
    for attribute_file in files {
        tree = tree.file(format!("{FOLDER}/{}", attribute_file.name), attribute);
    }
    for name in [
        "proc/interrupts",
        "proc/cmdline",
        "proc/version",
        "sys/module/pcie_aspm/parameters/policy",
        "sys/firmware/acpi/tables/FACP",
        "sys/bus/pci/slots/1/address",
        "var/log/kmsg",
    ] {
        tree = tree.file(name, attribute);
    }
    let scope = Scope {
        depth: Depth::Bytes,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: true,
    };
    let machine = machine::load(&tree, false, scope).unwrap();
    let names = Names::embedded();
    let platform = Platform { interrupt_remapping, ..read_platform(&tree, false, None) };
    let inspection =
        Inspection { machine: &machine, tree: &tree, live: false, names: &names, platform: &platform };
    let lines = machine::interrupts::read_interrupts(&tree);
    let lines = lines.as_deref();
    let show = show::show(inspection, lines, true, Vec::new());
    fits("show", &show);
    let list = list::list(inspection, Vec::new());
    fits("list", &list);
    let rows: Vec<_> = machine.wanted().map(|f| text::list::row(&names, f)).collect();
    let titles: Vec<String> = machine.wanted().map(|f| list::title(&names, f)).collect();
    is_plain(&text::list::list(&rows, &[], Style::PLAIN));
    is_harmless(&text::list::list(&rows, &[], COLOR));
    is_plain(&text::tree::tree(&list, &titles, Style::PLAIN));
    fits("msix", &msix::msix(inspection, lines, true, false, Vec::new()));
    fits("path", &path::path(inspection, lines, Vec::new()));
    for function in machine.wanted() {
        let vectors = msix::function_vectors(inspection, function, lines, false);
        let path = path::function_path(inspection, function, lines);
        let decoded = show::Decoded::new(function);
        for name in ["header", "express", "LnkSta.Speed", "aer.header_log", "lane", "uesta"] {
            let found = field::find(&decoded, name);
            assert!(function.answers() || found.is_empty(), "{name}");
        }
        is_plain(&text::show::function(inspection, function, lines, true, Style::PLAIN));
        is_harmless(&text::show::function(inspection, function, lines, true, COLOR));
        is_plain(&text::msix::function(&vectors, Style::PLAIN));
        is_harmless(&text::msix::function(&vectors, COLOR));
        is_plain(&text::path::function(&path, Style::PLAIN));
        is_harmless(&text::path::function(&path, COLOR));
        if !function.answers() {
            assert!(
                show.functions.iter().all(|f| f.summary.address != function.address || f.fields.is_empty())
            );
        }
    }
}

/// Bytes that look enough like a function to be decoded deeply: capability lists with real IDs and random contents.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let standard = proptest::collection::vec((0u8..0x16, any::<u8>()), 1..12);
    let extended = proptest::collection::vec((0u16..0x3b, 0u16..1024), 1..24);
    (proptest::collection::vec(any::<u8>(), 4096), standard, extended, 0u8..3).prop_map(
        |(mut bytes, std, ext, layout)| {
            bytes[..4].copy_from_slice(&[0xf4, 0x1a, 0x41, 0x10]);
            bytes[6] |= 0x10;
            bytes[0x0e] = layout;
            let pointer = if layout == 2 { 0x14 } else { 0x34 };
            bytes[pointer] = 0x40;
            let mut offset = 0x40usize;
            for (id, step) in std {
                let next = (offset + 4 + usize::from(step % 24) * 4).min(252) & !3;
                bytes[offset] = id;
                bytes[offset + 1] = next as u8;
                offset = next;
            }
            let mut offset = 0x100usize;
            for (id, step) in ext {
                let next = (offset + 4 + usize::from(step % 96) * 4).min(4092) & !3;
                let header = u32::from(id) | 1 << 16 | (next as u32) << 20;
                bytes[offset..offset + 4].copy_from_slice(&header.to_le_bytes());
                offset = next;
            }
            bytes
        },
    )
}

/// Any bytes, some behind words that make a file mean something: what is behind them is shown.
fn attribute_bytes() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 8] = [
        b"",
        b"DRIVER=",
        b"\nDRIVER=\x1b[31m",
        b"[default\x1b]0;x\x07] ",
        b"0000:01:00\x1b[2J",
        b"           CPU0\n 24:  1  PCI-MSI\x1b[1m  0-edge  a\x9bb\xc2\x9b ",
        b"6,1,1,-;acpi PNP0A08:00: _OSC: OS now controls [PME \x1b[7m AER]\n",
        b"RxErr\x08 3\nTOTAL_ERR_COR 3\n",
    ];
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    (proptest::sample::select(&WORDS[..]), bytes).prop_map(|(word, bytes)| [word, &bytes].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes(config in proptest::collection::vec(any::<u8>(), 0..4200), attribute in "[ -~\\n]{0,200}") {
        everything(&config, attribute.as_bytes());
    }

    #[test]
    fn plausible_functions(config in plausible(), attribute in "(0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16}\n){0,14}") {
        everything(&config, attribute.as_bytes());
    }

    #[test]
    fn arbitrary_attribute_bytes(config in plausible(), attribute in attribute_bytes()) {
        everything(&config, &attribute);
    }

    #[test]
    fn mostly_ones(at in 0usize..4096, value in any::<u8>()) {
        let mut config = vec![0xff; 4096];
        config[at] = value;
        everything(&config, b"");
    }
}

/// Every entry claims the one before as the bridge above it.
#[test]
fn a_chain_without_end_is_drawn_and_followed_only_as_deep_as_a_machine_can_be() {
    let names: Vec<String> = (0..20_000).map(|n| format!("{:04x}:{:02x}:00.0", n / 256, n % 256)).collect();
    let mut tree = MemoryTree::complete();
    for (n, name) in names.iter().enumerate() {
        let above = &names[n.saturating_sub(1)];
        tree = tree.link(
            format!("sys/bus/pci/devices/{name}"),
            format!("../../../devices/pci0000:00/{above}/{name}"),
        );
    }
    let scope = Scope {
        depth: Depth::Summary,
        wanted: &|_| true,
        wake: false,
        deadline: machine::DEADLINE,
        vital_product_data: false,
    };
    let machine = machine::load(&tree, false, scope).unwrap();
    let (names_of_devices, platform) = (Names::embedded(), Platform::default());
    let inspection = Inspection {
        machine: &machine,
        tree: &tree,
        live: false,
        names: &names_of_devices,
        platform: &platform,
    };
    let list = list::list(inspection, Vec::new());
    let titles = vec![String::new(); list.functions.len()];
    let drawn = text::tree::tree(&list, &titles, Style::PLAIN);
    assert!(drawn.lines().all(|line| line.chars().count() < 1000));
    assert_eq!(drawn.lines().filter(|line| line.contains(":00.0")).count(), names.len());
    assert!(drawn.contains("deeper than the 256 buses that a domain has"));
    let last = machine.functions.last().unwrap();
    assert_eq!(machine.path(last).len(), 256);
}
