//! The MSI-X vector table: registers of the capability, `resource`, and the table's own bytes.
use pciscope::inspect::{Inspection, msix};
use pciscope::machine::platform::Platform;
use pciscope::machine::reading::Depth;
use pciscope::machine::{self, DEADLINE, Scope};
use pciscope::names::Names;
use pciscope::render::style::Style;
use pciscope::render::text;
use pciscope::tree::MemoryTree;

const FOLDER: &str = "sys/bus/pci/devices/0000:01:00.0";

/// One input.
pub fn run(data: &[u8]) {
    // Control, table and Pending Bit Array; three state bits; end of the BAR; then the table.
    let Some((head, table)) = data.split_at_checked(14) else { return };
    let mut config = vec![0; 256];
    config[..8].copy_from_slice(&[0x86, 0x80, 0xd3, 0x10, 0x06, 0, 0x10, 0]);
    config[0x34] = 0x40;
    config[0x40] = 0x11;
    config[0x42..0x4c].copy_from_slice(&head[..10]);
    let remapping = [None, Some(true), Some(false)][usize::from(head[10] % 3)];
    let size = u64::from(u16::from_le_bytes([head[11], head[12]]));
    let resource = format!("0xfe000000 {:#x} 0x40200\n", 0xfe00_0000 + size);
    let tree = MemoryTree::complete()
        .file(format!("{FOLDER}/config"), config)
        .file(format!("{FOLDER}/resource"), resource)
        .file(format!("{FOLDER}/resource0"), table);
    let scope = Scope {
        depth: Depth::Full,
        wanted: &|_| true,
        wake: false,
        deadline: DEADLINE,
        vital_product_data: false,
    };
    let Ok(machine) = machine::load(&tree, false, scope) else { return };
    let platform = Platform { interrupt_remapping: remapping, ..Platform::default() };
    static NAMES: std::sync::OnceLock<Names> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(Names::embedded);
    let inspection = Inspection { machine: &machine, tree: &tree, live: false, names, platform: &platform };
    let answer = msix::msix(inspection, None, true, true, Vec::new());
    for function in &answer.functions {
        std::hint::black_box(text::msix::function(function, Style::PLAIN));
    }
}
