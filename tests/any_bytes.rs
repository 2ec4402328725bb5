//! Whatever a device says, every command ends, none panics, and JSON fits the committed schemas.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use pciscope::inspect::{Inspection, list, msix, path, show};
use pciscope::machine::platform::Platform;
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

/// Runs every command over two functions: one with the bytes, one bridge with the same bytes above it.
fn everything(config: &[u8], attribute: &str) {
    let mut tree = MemoryTree::complete()
        .file(format!("{FOLDER}/config"), config.to_vec())
        .file(format!("{BRIDGE}/config"), config.to_vec())
        .file(format!("{FOLDER}/resource0"), config.to_vec());
    for name in
        ["resource", "uevent", "irq", "current_link_speed", "max_link_width", "aer_dev_fatal", "numa_node"]
    {
        tree = tree.file(format!("{FOLDER}/{name}"), attribute.as_bytes().to_vec());
    }
    let tree = tree.file("proc/interrupts", attribute.as_bytes().to_vec());
    let scope = Scope {
        depth: Depth::Bytes,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: true,
    };
    let machine = machine::load(&tree, false, scope).unwrap();
    let names = Names::embedded();
    let platform = Platform { interrupt_remapping: Some(false), ..Platform::default() };
    let inspection =
        Inspection { machine: &machine, tree: &tree, live: false, names: &names, platform: &platform };
    let lines = machine::interrupts::read_interrupts(&tree);
    let lines = lines.as_deref();
    let show = show::show(inspection, lines, true, Vec::new());
    fits("show", &show);
    fits("list", &list::list(inspection, Vec::new()));
    fits("msix", &msix::msix(inspection, lines, true, false, Vec::new()));
    fits("path", &path::path(inspection, lines, Vec::new()));
    for function in machine.wanted() {
        text::show::function(inspection, function, lines, true, Style::PLAIN);
        let vectors = msix::function_vectors(inspection, function, lines, false);
        text::msix::function(&vectors, Style { color: true, width: Some(80) });
        text::path::function(&path::function_path(inspection, function, lines), Style::PLAIN);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes(config in proptest::collection::vec(any::<u8>(), 0..4200), attribute in "[ -~\\n]{0,200}") {
        everything(&config, &attribute);
    }

    #[test]
    fn plausible_functions(config in plausible(), attribute in "(0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16} 0x[0-9a-f]{1,16}\n){0,14}") {
        everything(&config, &attribute);
    }

    #[test]
    fn mostly_ones(at in 0usize..4096, value in any::<u8>()) {
        let mut config = vec![0xff; 4096];
        config[at] = value;
        everything(&config, "");
    }
}
