//! A machine of 4,096 functions as a folder: the files that Linux 6.12 has for such functions, in their places.
//!
//! 16 segments with a host bridge each, 32 root ports a segment, below every port a device of seven functions.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::config::{self, ENDPOINTS, Kind, Place, ROOT_PORT};

const SEGMENTS: u32 = 16;
const PORTS: u8 = 32;
const FUNCTIONS_BELOW: u8 = 7;

/// How many functions there are.
pub const FUNCTIONS: u32 = SEGMENTS * PORTS as u32 * (1 + FUNCTIONS_BELOW as u32);

/// Space that the tree takes in a file system with pages of 4 KiB, generously.
pub const BYTES: u64 = 1536 << 20;

/// Most interrupts of one function.
const INTERRUPTS: u32 = 2;

/// One function.
struct Function {
    address: String,
    /// Path of its folder below `sys/`.
    path: String,
    kind: Kind,
    place: Place,
    /// Its first Linux interrupt.
    interrupt: u32,
}

impl Function {
    /// Its Linux interrupts: one for a port, two for an endpoint.
    fn interrupts(&self) -> std::ops::Range<u32> {
        let count = if self.place.secondary_bus.is_some() { 1 } else { INTERRUPTS };
        self.interrupt..self.interrupt + count
    }
}

/// Writes the tree into an empty folder.
pub fn write(root: &Path) -> io::Result<()> {
    let bus = root.join("sys/bus/pci");
    fs::create_dir_all(bus.join("devices"))?;
    let services = root.join("sys/bus/pci_express/drivers/aer");
    fs::create_dir_all(&services)?;
    fs::create_dir_all(root.join("sys/kernel/iommu_groups"))?;
    fs::create_dir_all(root.join("proc"))?;
    for driver in ENDPOINTS.iter().chain([&ROOT_PORT]).map(|kind| kind.driver) {
        fs::create_dir_all(bus.join("drivers").join(driver))?;
    }
    let functions = functions();
    for function in &functions {
        write_function(root, function)?;
        let link = format!("../../../{}", function.path);
        symlink(link, bus.join("devices").join(&function.address))?;
        if function.place.secondary_bus.is_some() {
            let service = format!("{}:pcie002", function.address);
            symlink(format!("../../../../{}/{service}", function.path), services.join(&service))?;
        }
    }
    for (number, port) in functions.iter().filter(|f| f.place.secondary_bus.is_some()).enumerate() {
        let slot = bus.join("slots").join((number + 1).to_string());
        fs::create_dir_all(&slot)?;
        let bus = port.place.secondary_bus.unwrap_or(0);
        fs::write(slot.join("address"), format!("{}:{bus:02x}:00\n", &port.address[..4]))?;
    }
    write_proc(root, &functions)
}

fn functions() -> Vec<Function> {
    let mut functions = Vec::new();
    for segment in 0..SEGMENTS {
        for port in 0..PORTS {
            let bus = port + 1;
            let address = format!("{segment:04x}:00:{port:02x}.0");
            let path = format!("devices/pci{segment:04x}:00/{address}");
            let place = Place { port, secondary_bus: Some(bus), function: 0 };
            let interrupt = 24 + INTERRUPTS * functions.len() as u32;
            functions.push(Function { address, path: path.clone(), kind: ROOT_PORT, place, interrupt });
            for function in 0..FUNCTIONS_BELOW {
                let address = format!("{segment:04x}:{bus:02x}:00.{function}");
                let path = format!("{path}/{address}");
                let kind = ENDPOINTS[usize::from(port) % ENDPOINTS.len()];
                let place = Place { port, secondary_bus: None, function };
                let interrupt = 24 + INTERRUPTS * functions.len() as u32;
                functions.push(Function { address, path, kind, place, interrupt });
            }
        }
    }
    functions
}

fn write_function(root: &Path, function: &Function) -> io::Result<()> {
    let Function { address, path, kind, place, interrupt } = function;
    let folder = root.join("sys").join(path);
    for below in ["power", "link", "msi_irqs"] {
        fs::create_dir_all(folder.join(below))?;
    }
    let port = place.secondary_bus.is_some();
    let file = |name: &str, text: &str| fs::write(folder.join(name), text);
    fs::write(folder.join("config"), config::build(kind, *place))?;
    let (vendor, device, class) = (kind.vendor, kind.device, kind.class);
    let (subvendor, subdevice) = kind.subsystem;
    let modalias = format!(
        "pci:v{vendor:08X}d{device:08X}sv{subvendor:08X}sd{subdevice:08X}bc{:02X}sc{:02X}i{:02X}",
        class >> 16,
        class >> 8 & 0xff,
        class & 0xff
    );
    file("vendor", &format!("{vendor:#06x}\n"))?;
    file("device", &format!("{device:#06x}\n"))?;
    file("class", &format!("{class:#08x}\n"))?;
    file("revision", &format!("{:#04x}\n", kind.revision))?;
    file("subsystem_vendor", &format!("{subvendor:#06x}\n"))?;
    file("subsystem_device", &format!("{subdevice:#06x}\n"))?;
    file("modalias", &format!("{modalias}\n"))?;
    file(
        "uevent",
        &format!(
            "DRIVER={}\nPCI_CLASS={class:X}\nPCI_ID={vendor:04X}:{device:04X}\nPCI_SUBSYS_ID={subvendor:04X}:{subdevice:04X}\nPCI_SLOT_NAME={address}\nMODALIAS={modalias}\n",
            kind.driver
        ),
    )?;
    file("resource", &resource(kind, *place))?;
    file("irq", &format!("{interrupt}\n"))?;
    for number in function.interrupts() {
        file(&format!("msi_irqs/{number}"), if port { "msi\n" } else { "msix\n" })?;
    }
    for (name, text) in CONSTANT {
        file(name, text)?;
    }
    for (name, kinds, total) in COUNTERS {
        let rows: String = kinds.iter().map(|kind| format!("{kind} 0\n")).collect();
        file(name, &format!("{rows}{total} 0\n"))?;
    }
    if port {
        for severity in ["cor", "nonfatal", "fatal"] {
            file(&format!("aer_rootport_total_err_{severity}"), "0\n")?;
        }
        let bus = place.secondary_bus.unwrap_or(0);
        file("secondary_bus_number", &format!("{bus}\n"))?;
        file("subordinate_bus_number", &format!("{bus}\n"))?;
    } else {
        for (name, text) in CONSTANT_OF_ENDPOINT {
            file(name, text)?;
        }
    }
    if !port && kind.virtual_functions > 0 && place.function == 0 {
        file("sriov_totalvfs", &format!("{}\n", kind.virtual_functions))?;
        file("sriov_numvfs", "0\n")?;
        file("sriov_drivers_autoprobe", "1\n")?;
    }
    let up = "../".repeat(path.split('/').count());
    symlink(format!("{up}bus/pci/drivers/{}", kind.driver), folder.join("driver"))?;
    symlink(format!("{up}bus/pci"), folder.join("subsystem"))?;
    let group = interrupt / INTERRUPTS;
    let groups = root.join("sys/kernel/iommu_groups");
    fs::create_dir_all(groups.join(group.to_string()))?;
    symlink(format!("{up}kernel/iommu_groups/{group}"), folder.join("iommu_group"))
}

/// Attributes with the same text everywhere.
const CONSTANT: &[(&str, &str)] = &[
    ("ari_enabled", "0\n"),
    ("broken_parity_status", "0\n"),
    ("consistent_dma_mask_bits", "64\n"),
    ("current_link_speed", "32.0 GT/s PCIe\n"),
    ("current_link_width", "16\n"),
    ("d3cold_allowed", "1\n"),
    ("dma_mask_bits", "64\n"),
    ("driver_override", "(null)\n"),
    ("enable", "1\n"),
    ("local_cpulist", "0-63\n"),
    ("local_cpus", "ffffffff,ffffffff\n"),
    ("max_link_speed", "32.0 GT/s PCIe\n"),
    ("max_link_width", "16\n"),
    ("msi_bus", "1\n"),
    ("numa_node", "0\n"),
    ("power_state", "D0\n"),
    ("power/async", "enabled\n"),
    ("power/control", "on\n"),
    ("power/runtime_active_kids", "0\n"),
    ("power/runtime_active_time", "8197\n"),
    ("power/runtime_enabled", "forbidden\n"),
    ("power/runtime_status", "active\n"),
    ("power/runtime_suspended_time", "0\n"),
    ("power/runtime_usage", "2\n"),
];

/// Attributes that root ports do not have.
const CONSTANT_OF_ENDPOINT: &[(&str, &str)] = &[
    ("link/l1_aspm", "0\n"),
    ("link/l1_1_aspm", "0\n"),
    ("link/l1_2_aspm", "0\n"),
    ("link/l1_1_pcipm", "0\n"),
    ("link/l1_2_pcipm", "0\n"),
    ("reset_method", "flr bus\n"),
];

/// The kernel's counters of errors: file, names, name of the sum.
const COUNTERS: &[(&str, &[&str], &str)] = &[
    (
        "aer_dev_correctable",
        &["RxErr", "BadTLP", "BadDLLP", "Rollover", "Timeout", "NonFatalErr", "CorrIntErr", "HeaderOF"],
        "TOTAL_ERR_COR",
    ),
    ("aer_dev_nonfatal", UNCORRECTABLE, "TOTAL_ERR_NONFATAL"),
    ("aer_dev_fatal", UNCORRECTABLE, "TOTAL_ERR_FATAL"),
];

const UNCORRECTABLE: &[&str] = &[
    "Undefined",
    "DLP",
    "SDES",
    "TLP",
    "FCP",
    "CmpltTO",
    "CmpltAbrt",
    "UnxCmplt",
    "RxOF",
    "MalfTLP",
    "ECRC",
    "UnsupReq",
    "ACSViol",
    "UncorrIntErr",
    "BlockedTLP",
    "AtomicOpBlocked",
    "TLPBlockedErr",
    "PoisonTLPBlocked",
];

fn resource(kind: &Kind, place: Place) -> String {
    let mut text = String::new();
    let mut row = |start: u64, size: u64, flags: u64| {
        let end = if size == 0 { 0 } else { start + size - 1 };
        let _ = writeln!(text, "{start:#018x} {end:#018x} {flags:#018x}");
    };
    for (address, size) in config::bar_addresses(kind, place).zip(kind.bars) {
        row(address, *size, 0x14_220c);
        row(0, 0, 0);
    }
    for _ in 2 * kind.bars.len()..7 {
        row(0, 0, 0);
    }
    if let Some(bus) = place.secondary_bus {
        row(0, 0, 0);
        row(0x9000_0000 + (u64::from(bus) << 20), 1 << 20, 0x200);
        row((0x200 + u64::from(bus)) << 32, 1 << 32, 0x10_2201);
        row(0, 0, 0);
    } else if kind.virtual_functions > 0 && place.function == 0 {
        for _ in 0..6 {
            row(0, 0, 0);
        }
    }
    text
}

fn write_proc(root: &Path, functions: &[Function]) -> io::Result<()> {
    let mut lines = String::from("           CPU0       CPU1       \n");
    for function in functions {
        let chip = if function.kind.vectors == 0 { "MSI" } else { "MSIX" };
        for (index, number) in function.interrupts().enumerate() {
            let _ = writeln!(
                lines,
                "{number:>3}:        {index:>3}          1  PCI-{chip}-{}   {index}-edge      {}",
                function.address, function.kind.driver
            );
            let folder = root.join(format!("proc/irq/{number}"));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("smp_affinity_list"), "0-1\n")?;
            fs::write(folder.join("effective_affinity_list"), "1\n")?;
        }
    }
    fs::write(root.join("proc/interrupts"), lines)?;
    fs::write(root.join("proc/cmdline"), "root=/dev/vda1 ro\n")?;
    fs::write(root.join("proc/version"), "Linux version 6.12.94+deb13-amd64 (gcc-14) #1 SMP\n")
}
