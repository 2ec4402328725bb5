//! Every encoding of every field: functions made for the purpose, each with one field set to one value.
//!
//! Machines that exist have nearly all bits clear, and two decoders agree on a clear bit wherever they look for it.

use std::fmt::Write;

use pciscope::machine::Function;
use pciscope::machine::enumerate::Entry;
use pciscope::machine::reading::Reading;
use pciscope::pci::Bdf;
use pciscope::pci::decode::Placed;
use pciscope::pci::header;
use pciscope::pci::register::Meaning;
use pciscope::pci::space::ConfigSpace;
use pciscope::tree::Cause;

/// Functions with one field after the other set, and the same as text for lspci.
pub struct Walk {
    pub name: String,
    pub functions: Vec<Function>,
    pub dump: String,
}

/// Offset of the PCI Express capability, and of others on the standard list.
const EXPRESS: usize = 0x40;
const STANDARD: usize = 0x90;
/// Everything that is made fits, so lspci need not be told more.
const END: usize = 0x200;

/// Layout of the header, and the Capabilities register of PCI Express: port type, slot, version 2.
const ENDPOINT: (u8, u16) = (0, 0x0002);
const ROOT_PORT: (u8, u16) = (1, 0x0142);
const UPSTREAM_PORT: (u8, u16) = (1, 0x0052);
const DOWNSTREAM_PORT: (u8, u16) = (1, 0x0162);
const BRIDGE_TO_PCI: (u8, u16) = (1, 0x0072);
const BRIDGE_FROM_PCI: (u8, u16) = (1, 0x0182);
const INTEGRATED: (u8, u16) = (0, 0x0092);
const COLLECTOR: (u8, u16) = (0, 0x00a2);
const OLD_ROOT_PORT: (u8, u16) = (1, 0x0141);

/// A function without any capability but PCI Express.
fn function((layout, express): (u8, u16)) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    bytes[..4].copy_from_slice(&[0x86, 0x80, 0x34, 0x12]);
    // All of Command that makes lspci show more, and a self-test.
    (bytes[4], bytes[6], bytes[0x34], bytes[0x0f]) = (7, 0x10, EXPRESS as u8, 0x80);
    // Bridge or network controller.
    (bytes[0x0a], bytes[0x0b], bytes[0x0e]) = if layout == 1 { (4, 6, 1) } else { (0, 2, 0) };
    bytes[EXPRESS] = 0x10;
    bytes[EXPRESS + 2..][..2].copy_from_slice(&express.to_le_bytes());
    // 32 GT/s on 16 lanes, so that every register of a lane exists, with L0s and L1, which have latencies.
    bytes[EXPRESS + 0x0c..][..2].copy_from_slice(&[0x05, 0x0d]);
    bytes[EXPRESS + 0x12..][..2].copy_from_slice(&[0x05, 0x01]);
    bytes
}

/// The same with another capability on the standard list.
fn standard(kind: (u8, u16), body: &[u8]) -> Vec<u8> {
    let mut bytes = function(kind);
    bytes[EXPRESS + 1] = STANDARD as u8;
    bytes[STANDARD..][..body.len()].copy_from_slice(body);
    bytes
}

/// The same with a capability on the extended list; the body starts behind its header.
fn extended(kind: (u8, u16), id: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = function(kind);
    bytes.resize(4096, 0);
    (bytes[0x100], bytes[0x102]) = (id, 1);
    bytes[0x104..][..body.len()].copy_from_slice(body);
    bytes
}

/// A designated vendor-specific capability of CXL.
fn cxl(kind: (u8, u16), id: u8, revision: u8, length: u8) -> Vec<u8> {
    extended(kind, 0x23, &[0x98, 0x1e, length << 4 | revision, length >> 4, id])
}

/// Everything that is walked: what it is called, the function, the offset at which walking starts.
fn bases() -> Vec<(&'static str, Vec<u8>, usize)> {
    let virtio = |kind, length: u8| {
        let mut bytes = standard(ENDPOINT, &[0x09, 0, length, kind]);
        bytes[..4].copy_from_slice(&[0xf4, 0x1a, 0x41, 0x10]);
        bytes
    };
    let structures =
        [("virtio", virtio(1, 16)), ("virtio notify", virtio(2, 20)), ("virtio memory", virtio(8, 24))];
    // Of revision 1.02, the first that has all registers.
    let (mut slave, mut host) = ([0; 0x1c], [0; 0x18]);
    (slave[0], slave[0x0c]) = (0x08, 0x22);
    (host[0], host[3], host[0x08]) = (0x08, 0x20, 0x22);
    let set = |mut bytes: Vec<u8>, offset: usize, values: &[u8]| {
        bytes[offset..][..values.len()].copy_from_slice(values);
        bytes
    };
    let mut bases = vec![
        ("wide windows", set(set(function(ROOT_PORT), 0x1c, &[1, 1]), 0x24, &[1, 0, 1, 0]), 0x1c),
        (
            "prefixes, hints and DRS",
            set(set(function(ROOT_PORT), EXPRESS + 0x25, &[0x10, 0x20]), EXPRESS + 0x2f, &[0x80]),
            EXPRESS,
        ),
        ("endpoint", function(ENDPOINT), 0),
        ("root port", function(ROOT_PORT), 0),
        ("upstream port", function(UPSTREAM_PORT), EXPRESS),
        ("downstream port", function(DOWNSTREAM_PORT), EXPRESS),
        ("bridge to PCI", function(BRIDGE_TO_PCI), EXPRESS),
        ("bridge from PCI", function(BRIDGE_FROM_PCI), EXPRESS),
        ("integrated endpoint", function(INTEGRATED), EXPRESS),
        ("event collector", function(COLLECTOR), EXPRESS),
        ("version 1 root port", function(OLD_ROOT_PORT), EXPRESS),
        ("power", standard(ENDPOINT, &[0x01]), STANDARD),
        ("power of a bridge", standard(ROOT_PORT, &[0x01]), STANDARD),
        ("msi", standard(ENDPOINT, &[0x05]), STANDARD),
        ("msi 64 masked", standard(ENDPOINT, &[0x05, 0, 0x80, 0x01]), STANDARD),
        ("msix", standard(ENDPOINT, &[0x11]), STANDARD),
        ("subsystem", standard(ROOT_PORT, &[0x0d]), STANDARD),
        ("agp", standard(ENDPOINT, &[0x02]), STANDARD),
        ("agp 3", standard(ENDPOINT, &[0x02, 0, 0x30, 0, 0x08]), STANDARD),
        ("slot identification", standard(ROOT_PORT, &[0x04]), STANDARD),
        ("pci-x", standard(ENDPOINT, &[0x07]), STANDARD),
        ("pci-x bridge", standard(ROOT_PORT, &[0x07]), STANDARD),
        ("hypertransport slave", standard(ENDPOINT, &slave), STANDARD),
        ("hypertransport host", standard(ENDPOINT, &host), STANDARD),
        ("hypertransport msi", standard(ENDPOINT, &[0x08, 0, 0, 0xa8]), STANDARD),
        ("hypertransport revision", standard(ENDPOINT, &[0x08, 0, 0, 0x88]), STANDARD),
        ("debug port", standard(ENDPOINT, &[0x0a]), STANDARD),
        ("sata", standard(ENDPOINT, &[0x12]), STANDARD),
        ("advanced features", standard(ENDPOINT, &[0x13, 0, 6]), STANDARD),
        ("enhanced allocation", standard(ENDPOINT, &[0x14, 0, 1, 0, 4]), STANDARD),
        (
            "enhanced allocation with 64 bits",
            standard(ENDPOINT, &[0x14, 0, 1, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2]),
            STANDARD,
        ),
        ("enhanced allocation of a bridge", standard(ROOT_PORT, &[0x14, 0, 1, 0, 0, 0, 0, 0, 4]), STANDARD),
        ("aer", extended(ENDPOINT, 0x01, &[]), 0x104),
        ("aer of a root port", extended(ROOT_PORT, 0x01, &[]), 0x104),
        ("serial number", extended(ENDPOINT, 0x03, &[]), 0x104),
        ("vsec", extended(ENDPOINT, 0x0b, &[]), 0x104),
        ("acs", extended(ROOT_PORT, 0x0d, &[]), 0x104),
        ("ari", extended(ENDPOINT, 0x0e, &[]), 0x104),
        ("sriov", extended(ENDPOINT, 0x10, &[]), 0x104),
        ("rebar", extended(ENDPOINT, 0x15, &[0, 0, 0, 0, 0x20]), 0x104),
        ("vf rebar", extended(ENDPOINT, 0x24, &[0, 0, 0, 0, 0x20]), 0x104),
        ("ltr", extended(ENDPOINT, 0x18, &[]), 0x104),
        ("secondary", extended(ENDPOINT, 0x19, &[]), 0x104),
        ("dpc", extended(ROOT_PORT, 0x1d, &[]), 0x104),
        ("l1ss", extended(ENDPOINT, 0x1e, &[0x1f]), 0x104),
        ("dvsec", extended(ENDPOINT, 0x23, &[]), 0x104),
        ("physical 16", extended(ENDPOINT, 0x26, &[]), 0x104),
        ("physical 32", extended(ENDPOINT, 0x2a, &[]), 0x104),
        ("doe", extended(ENDPOINT, 0x2e, &[]), 0x104),
        ("virtual channels of a port", extended(ROOT_PORT, 0x02, &[2]), 0x104),
        ("virtual channels", extended(ENDPOINT, 0x02, &[1]), 0x104),
        ("link declaration", extended(INTEGRATED, 0x05, &[0, 2]), 0x104),
        ("event collector's buses", set(extended(COLLECTOR, 0x07, &[]), 0x102, &[2]), 0x104),
        ("ats", extended(ENDPOINT, 0x0f, &[]), 0x104),
        ("multicast", extended(ENDPOINT, 0x12, &[]), 0x104),
        ("multicast of a port", extended(DOWNSTREAM_PORT, 0x12, &[]), 0x104),
        ("page requests", extended(ENDPOINT, 0x13, &[]), 0x104),
        ("hints", extended(ENDPOINT, 0x17, &[]), 0x104),
        ("pasid", extended(ENDPOINT, 0x1b, &[]), 0x104),
        ("time", extended(ENDPOINT, 0x1f, &[]), 0x104),
        ("margining", extended(ENDPOINT, 0x27, &[]), 0x104),
        ("cxl device", set(cxl(ENDPOINT, 0, 1, 0x38), 0x116, &[1, 5]), 0x10a),
        ("cxl port", cxl(ROOT_PORT, 3, 0, 0x28), 0x10a),
        ("cxl power fail port", set(cxl(ROOT_PORT, 4, 0, 0x10), 0x10c, &[5, 0, 7, 0]), 0x10a),
        ("cxl power fail device", set(cxl(ENDPOINT, 5, 0, 0x10), 0x10a, &[5]), 0x10a),
        ("cxl flex bus", cxl(ENDPOINT, 7, 1, 0x14), 0x10a),
        ("cxl register locator", set(cxl(ENDPOINT, 8, 0, 0x14), 0x10d, &[1]), 0x10a),
    ];
    bases.extend(structures.map(|(name, bytes)| (name, bytes, STANDARD)));
    bases
}

/// All walks.
pub fn walks() -> Vec<Walk> {
    bases().into_iter().map(|(name, base, start)| walk(name, &base, start)).collect()
}

fn walk(name: &str, base: &[u8], start: usize) -> Walk {
    let mut walk = Walk { name: format!("walk {name}"), functions: Vec::new(), dump: String::new() };
    // Which layout it is and where the lists begin is not what is walked.
    // lspci 3.9 crashes on what a range of memory can be and has no name.
    let crashes = |p: &Placed| p.register.short == "RangeSizeLow";
    let walked =
        |p: &Placed| usize::from(p.offset) >= start && !matches!(p.offset, 0x0e | 0x34) && !crashes(p);
    let registers = registers(&read(0, base)).into_iter().filter(walked);
    let registers = registers.map(|placed| (encodings(&placed), placed));
    let (alone, together): (Vec<_>, Vec<_>) = registers.partition(|(_, placed)| decides(placed));
    for (encodings, placed) in &alone {
        for bits in encodings {
            walk.add(&with(base, placed, *bits));
        }
    }
    // Registers that do not depend on each other take part in the same functions, each with its own next encoding.
    let longest = together.iter().map(|(encodings, _)| encodings.len()).max().unwrap_or(0);
    for round in 0..longest {
        let mut bytes = base.to_vec();
        for (number, (encodings, placed)) in together.iter().enumerate().filter(|(_, (e, _))| !e.is_empty()) {
            bytes = with(&bytes, placed, encodings[(round + number) % encodings.len()]);
        }
        walk.add(&bytes);
    }
    walk
}

/// Whether other registers, or what lspci shows of them, depend on this one.
fn decides(placed: &Placed) -> bool {
    let body = usize::from(placed.offset) % 0x10;
    let control = placed.offset < 0x100 && (2..4).contains(&body);
    placed.offset < 0x40
        || control
        || matches!(placed.register.short, "ReBARCtl" | "Region" | "LnkCap2" | "DevCap2" | "L1SubCap")
}

fn with(bytes: &[u8], placed: &Placed, bits: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let width = usize::from(placed.register.width);
    bytes[usize::from(placed.offset)..][..width].copy_from_slice(&bits.to_le_bytes()[..width]);
    bytes
}

/// Every register of the header and of the capabilities.
fn registers(function: &Function) -> Vec<Placed> {
    let header = function.space().map(header::registers).unwrap_or_default();
    header.into_iter().chain(function.decode().0.into_iter().flat_map(|c| c.registers)).collect()
}

/// The register as it is but for one field: every value of a narrow one; every bit and all bits of a wide one.
fn encodings(placed: &Placed) -> Vec<u64> {
    let raw = placed.raw.unwrap_or(0);
    let mut values = Vec::new();
    for field in placed.register.fields {
        // Entries that are too short, or too many of them, are where lspci stops for good; more links than two are more
        // than is made here.
        if matches!(field.short, "EntrySize" | "NumEntries" | "NumLinks") {
            continue;
        }
        // Of a port of a reserved type nothing tells whether it has a link; lspci decodes one.
        let reserved = |value: &u64| match field.meaning {
            Meaning::Choice(choices) if field.short == "Type" => !choices.iter().any(|c| c.0 == *value),
            _ => false,
        };
        let width = field.high - field.low + 1;
        let ones = field.extract(u64::MAX);
        match width {
            ..=6 => values
                .extend((0..=ones).filter(|value| !reserved(value)).map(|value| field.insert(raw, value))),
            _ => values
                .extend((0..width).map(|bit| field.insert(raw, 1 << bit)).chain([field.insert(raw, ones)])),
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// lspci says less of functions other than 0 of device 0, so the numbers go on in domains.
fn address(number: u32) -> Bdf {
    Bdf { domain: number >> 8, bus: number as u8, device: 0, function: 0 }
}

/// The function as if all its bytes had been read.
fn read(number: u32, bytes: &[u8]) -> Function {
    let address = address(number);
    let mut reading = Reading::failed(address, Cause::NotCaptured);
    (reading.space, reading.config_error) = (ConfigSpace::from_bytes(bytes), None);
    Function::new(
        &Entry { address, path: String::new(), parent: None, host_bridge: None, linked: false },
        reading,
    )
}

impl Walk {
    fn add(&mut self, bytes: &[u8]) {
        let number = self.functions.len() as u32;
        self.functions.push(read(number, bytes));
        let _ = writeln!(self.dump, "{} Made for a test", address(number));
        for (row, bytes) in bytes[..END.min(bytes.len())].chunks(16).enumerate() {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(self.dump, "{:02x}: {}", row * 16, hex.join(" "));
        }
        self.dump.push('\n');
    }
}
