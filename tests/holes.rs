//! What other tools leave out, capability by capability: constructed configuration spaces and what `show` says of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "holes/space.rs"]
mod space;
#[path = "holes/table.rs"]
mod table;

use pciscope::inspect::Inspection;
use pciscope::machine::platform::Platform;
use pciscope::machine::reading::Depth;
use pciscope::machine::{self, DEADLINE, Scope};
use pciscope::names::Names;
use pciscope::render::style::Style;
use pciscope::render::text;
use pciscope::tree::MemoryTree;

const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

/// What `show` prints of a function, with one blank between any two words.
fn shown(config: Vec<u8>, files: &[(&str, &str)]) -> String {
    let mut tree = MemoryTree::complete().file(format!("{FOLDER}/config"), config);
    for (name, content) in files {
        tree = tree.file(format!("{FOLDER}/{name}"), *content);
    }
    let scope = Scope {
        depth: Depth::Detail,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: false,
    };
    let machine = machine::load(&tree, false, scope).unwrap();
    let (names, platform) = (Names::embedded(), Platform::default());
    let inspection =
        Inspection { machine: &machine, tree: &tree, live: false, names: &names, platform: &platform };
    let function = machine.wanted().next().unwrap();
    let text = text::show::function(inspection, function, None, false, Style::PLAIN);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_hole_is_filled() {
    let mut missing = Vec::new();
    for hole in table::holes() {
        let text = shown(hole.space.bytes(), hole.files);
        let body = text.split_once("[40]").map_or(text.as_str(), |(_, body)| body);
        for expected in hole.expected.iter().filter(|expected| !text.contains(**expected)) {
            missing.push(format!("{}: {expected:?} is not in\n{body}\n", hole.name));
        }
        println!("{}: {} texts seen", hole.name, hole.expected.len());
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
