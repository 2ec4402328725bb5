//! The MSI-X vector table: registers of the capability, the BAR, `resource`, and the table's own bytes.

use std::hint::black_box;
use std::sync::OnceLock;

use pciscope::inspect::{Inspection, msix};
use pciscope::machine::attributes;
use pciscope::machine::enumerate::Entry;
use pciscope::machine::platform::Platform;
use pciscope::machine::reading::Reading;
use pciscope::machine::{Function, Machine};
use pciscope::names::Names;
use pciscope::pci::Bdf;
use pciscope::pci::space::ConfigSpace;
use pciscope::render::style::Style;
use pciscope::render::text;
use pciscope::tree::{Cause, MemoryTree};

const ADDRESS: Bdf = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

/// One input. Gives how many vectors were decoded.
///
/// Ten bytes of the capability (control, table, Pending Bit Array); what is known of interrupt remapping and of the
/// architecture; last offset in the BAR; kind of the BAR, power state, header layout, memory decode; then the table.
pub fn run(data: &[u8]) -> usize {
    let Some((head, table)) = data.split_at_checked(14) else { return 0 };
    let mut config = vec![0; 256];
    config[..8].copy_from_slice(&[0x86, 0x80, 0xd3, 0x10, 0x06 & !(head[13] >> 6 & 2), 0, 0x10, 0]);
    config[0x0e] = head[13] >> 6 & 1;
    config[0x10] = head[13] & 0x0f;
    config[0x13] = 0xfe;
    config[0x34] = 0x40;
    config[0x40..0x42].copy_from_slice(&[0x11, 0x50]);
    config[0x42..0x4c].copy_from_slice(&head[..10]);
    config[0x50] = 0x01;
    config[0x54] = head[13] >> 4 & 3;
    let end = 0xfe00_0000 + u64::from(u16::from_le_bytes([head[11], head[12]]));
    let mut reading = Reading::failed(ADDRESS, Cause::NotCaptured);
    (reading.space, reading.config_error) = (ConfigSpace::from_bytes(&config), None);
    if let Some(place) = attributes::index("resource") {
        reading.answers.push((place, Ok(format!("0xfe000000 {end:#x} 0x40200"))));
    }
    let entry =
        Entry { address: ADDRESS, path: FOLDER.to_owned(), parent: None, host_bridge: None, linked: false };
    let mut machine = Machine::from_functions(vec![Function::new(&entry, reading)]);
    machine.wanted = vec![ADDRESS];
    let tree = MemoryTree::complete().file(format!("{FOLDER}/resource0"), table);
    let platform = Platform {
        interrupt_remapping: [None, Some(true), Some(false)][usize::from(head[10] & 0x7f) % 3],
        architecture: (head[10] & 0x80 == 0).then(|| "x86_64".to_owned()),
        ..Platform::default()
    };
    static NAMES: OnceLock<Names> = OnceLock::new();
    let names = NAMES.get_or_init(Names::embedded);
    let inspection = Inspection { machine: &machine, tree: &tree, live: false, names, platform: &platform };
    let answer = msix::msix(inspection, None, true, true, Vec::new());
    for function in &answer.functions {
        black_box(text::msix::function(function, Style::PLAIN));
    }
    answer.functions.iter().flat_map(|function| function.vectors.iter().flatten()).count()
}
