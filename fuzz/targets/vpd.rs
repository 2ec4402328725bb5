//! Vital product data: whatever a card's small memory holds, taken apart, as JSON and as text.
use pciscope::inspect::vital_product_data;
use pciscope::machine::reading::Depth;
use pciscope::machine::{self, DEADLINE, Scope};
use pciscope::render::style::Style;
use pciscope::render::text;
use pciscope::tree::MemoryTree;

const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

/// One input.
pub fn run(data: &[u8]) {
    let mut config = vec![0; 256];
    config[..8].copy_from_slice(&[0x86, 0x80, 0xd3, 0x10, 0x06, 0, 0x10, 0]);
    config[0x34] = 0x40;
    config[0x40] = 0x03;
    let tree =
        MemoryTree::complete().file(format!("{FOLDER}/config"), config).file(format!("{FOLDER}/vpd"), data);
    let scope = Scope {
        depth: Depth::Full,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: true,
    };
    let Ok(machine) = machine::load(&tree, false, scope) else { return };
    for function in machine.wanted() {
        let Some(read) = vital_product_data::vital_product_data(&machine, function) else { continue };
        let mut out = String::new();
        text::vital_product_data::section(&mut out, &read, Style::PLAIN);
        assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{out:?}");
    }
}
