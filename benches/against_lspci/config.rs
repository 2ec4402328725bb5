//! Configuration spaces as rich as those of a current server, built from the register tables of the crate.

use pciscope::pci::capability::{express, msi, msix, power};
use pciscope::pci::decode::Specification;
use pciscope::pci::extended::{
    acs, aer, dpc, l1ss, ltr, physical_16gt, physical_32gt, rebar, secondary, serial_number, sriov,
};
use pciscope::pci::header;
use pciscope::pci::register::{Register, RegisterType};

/// What a function is, as far as its configuration space depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub vendor: u16,
    pub device: u16,
    pub subsystem: (u16, u16),
    pub class: u32,
    pub revision: u8,
    pub driver: &'static str,
    /// MSI-X vectors; 0 for a function that only has MSI.
    pub vectors: u16,
    /// Sizes of 64-bit memory BARs, in bytes.
    pub bars: &'static [u64],
    pub resizable: bool,
    pub virtual_functions: u16,
}

/// The root ports.
pub const ROOT_PORT: Kind = Kind {
    vendor: 0x8086,
    device: 0x352a,
    subsystem: (0x8086, 0x0000),
    class: 0x06_0400,
    revision: 0x04,
    driver: "pcieport",
    vectors: 0,
    bars: &[],
    resizable: false,
    virtual_functions: 0,
};

/// What is behind them, one kind a slot, in turn.
pub const ENDPOINTS: [Kind; 4] = [
    Kind {
        vendor: 0x10de,
        device: 0x2330,
        subsystem: (0x10de, 0x16c1),
        class: 0x03_0200,
        revision: 0xa1,
        driver: "nvidia",
        vectors: 9,
        bars: &[16 << 20, 128 << 30, 32 << 20],
        resizable: true,
        virtual_functions: 16,
    },
    Kind {
        vendor: 0x144d,
        device: 0xa80a,
        subsystem: (0x144d, 0xa813),
        class: 0x01_0802,
        revision: 0x00,
        driver: "nvme",
        vectors: 32,
        bars: &[16 << 10],
        resizable: false,
        virtual_functions: 0,
    },
    Kind {
        vendor: 0x15b3,
        device: 0x1021,
        subsystem: (0x15b3, 0x0023),
        class: 0x02_0000,
        revision: 0x00,
        driver: "mlx5_core",
        vectors: 64,
        bars: &[32 << 20, 8 << 20],
        resizable: false,
        virtual_functions: 127,
    },
    Kind {
        vendor: 0x8086,
        device: 0x1592,
        subsystem: (0x8086, 0x0002),
        class: 0x02_0000,
        revision: 0x02,
        driver: "ice",
        vectors: 128,
        bars: &[32 << 20, 64 << 10],
        resizable: false,
        virtual_functions: 64,
    },
];

/// Place of a function in the tree, as far as its configuration space depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Number of the port that it is or is below, for slot numbers and the like.
    pub port: u8,
    /// For a port, the bus behind it.
    pub secondary_bus: Option<u8>,
    /// Function number.
    pub function: u8,
}

/// Configuration space under construction.
struct Config {
    bytes: Vec<u8>,
    /// Where the next capability of the standard list goes, and where the pointer to it is.
    standard: (u16, u16),
    /// The same for the extended list; no pointer leads to the first.
    extended: (u16, Option<u16>),
}

impl Config {
    fn new() -> Self {
        let pointer = header::CapabilitiesPointer::REGISTER.offset;
        Config { bytes: vec![0; 4096], standard: (0x40, pointer), extended: (0x100, None) }
    }

    fn put(&mut self, offset: u16, value: u64, width: u8) {
        let start = usize::from(offset);
        self.bytes[start..start + usize::from(width)]
            .copy_from_slice(&value.to_le_bytes()[..usize::from(width)]);
    }

    /// Sets fields of the register at `base` plus its own offset; all other bits of it are zero.
    fn set(&mut self, base: u16, register: &Register, fields: &[(&str, u64)]) {
        self.set_at(base + register.offset, register, fields);
    }

    fn set_at(&mut self, offset: u16, register: &Register, fields: &[(&str, u64)]) {
        let value = fields.iter().fold(0, |raw, (name, value)| match register.field(name) {
            Some(field) => field.insert(raw, *value),
            None => unreachable!("{} has no field {name}", register.key),
        });
        self.put(offset, value, register.width);
    }

    /// Adds a capability of the given length to the end of the standard list.
    fn standard(&mut self, specification: &Specification, length: u16) -> u16 {
        let (offset, pointer) = self.standard;
        self.put(pointer, offset.into(), 1);
        self.put(offset, specification.id.into(), 1);
        self.standard = (offset + length.next_multiple_of(4), offset + 1);
        offset
    }

    /// Adds a capability of the given length to the end of the extended list.
    fn extended(&mut self, specification: &Specification, version: u64, length: u16) -> u16 {
        let (offset, before) = self.extended;
        if let Some(before) = before {
            let pointer = u64::from(self.bytes[usize::from(before) + 2] & 0x0f) | u64::from(offset) << 4;
            self.put(before + 2, pointer, 2);
        }
        self.put(offset, u64::from(specification.id) | version << 16, 4);
        self.extended = (offset + length.next_multiple_of(4), Some(offset));
        offset
    }
}

/// The configuration space of a function, 4096 bytes.
pub fn build(kind: &Kind, place: Place) -> Vec<u8> {
    let mut config = Config::new();
    header(&mut config, kind, place);
    standard_list(&mut config, kind, place);
    extended_list(&mut config, kind, place);
    config.bytes
}

fn header(config: &mut Config, kind: &Kind, place: Place) {
    use header::*;
    let bridge = place.secondary_bus.is_some();
    config.set(0, VendorId::REGISTER, &[("id", kind.vendor.into())]);
    config.set(0, DeviceId::REGISTER, &[("id", kind.device.into())]);
    config.set(0, Command::REGISTER, &[("Mem", 1), ("BusMaster", 1), ("SERR", 1), ("DisINTx", 1)]);
    config.set(0, Status::REGISTER, &[("Cap", 1)]);
    config.set(0, Revision::REGISTER, &[("id", kind.revision.into())]);
    config.set(0, ProgrammingInterface::REGISTER, &[("id", u64::from(kind.class & 0xff))]);
    let (base_class, subclass) = (u64::from(kind.class >> 16), u64::from(kind.class >> 8 & 0xff));
    config.set(0, ClassCode::REGISTER, &[("base", base_class), ("subclass", subclass)]);
    config.set(0, CacheLineSize::REGISTER, &[("size", 16)]);
    let layout = [("layout", u64::from(bridge)), ("MultiFunction", u64::from(!bridge))];
    config.set(0, HeaderType::REGISTER, &layout);
    config.set(0, InterruptLine::REGISTER, &[("line", 0xff)]);
    config.set(0, InterruptPin::REGISTER, &[("pin", 1)]);
    if let Some(bus) = place.secondary_bus {
        config.set(0, SecondaryBus::REGISTER, &[("number", bus.into())]);
        config.set(0, SubordinateBus::REGISTER, &[("number", bus.into())]);
        config.set(0, IoBase::REGISTER, &[("base", 0xf)]);
        config.set(0, MemoryBase::REGISTER, &[("base", 0x900 + u64::from(bus))]);
        config.set(0, MemoryLimit::REGISTER, &[("limit", 0x900 + u64::from(bus))]);
        config.set(0, PrefetchableBase::REGISTER, &[("kind", 1), ("base", 0)]);
        config.set(0, PrefetchableLimit::REGISTER, &[("kind", 1), ("limit", 0xfff)]);
        config.set(0, PrefetchableBaseUpper::REGISTER, &[("base", 0x200 + u64::from(bus))]);
        config.set(0, PrefetchableLimitUpper::REGISTER, &[("limit", 0x200 + u64::from(bus))]);
        config.set(0, BridgeControl::REGISTER, &[("SERR", 1)]);
    } else {
        config.set(0, SubsystemVendorId::REGISTER, &[("id", kind.subsystem.0.into())]);
        config.set(0, SubsystemId::REGISTER, &[("id", kind.subsystem.1.into())]);
        for (index, address) in bar_addresses(kind, place).enumerate() {
            config.put(0x10 + 8 * index as u16, address | 0xc, 8);
        }
    }
}

/// Where the BARs of a function are.
pub fn bar_addresses(kind: &Kind, place: Place) -> impl Iterator<Item = u64> {
    let function = 0x200_0000_0000 + (u64::from(place.port) << 44) + (u64::from(place.function) << 40);
    (0..kind.bars.len() as u64).map(move |index| function + (index << 38))
}

fn standard_list(config: &mut Config, kind: &Kind, place: Place) {
    let port = place.secondary_bus.is_some();
    let at = config.standard(&power::SPECIFICATION, 8);
    config.set(at, power::Capabilities::REGISTER, &[("version", 3), ("PME(D0)", 1), ("PME(D3hot)", 1)]);
    config.set(at, power::ControlStatus::REGISTER, &[("NoSoftRst", 1)]);

    let at = config.standard(&msi::SPECIFICATION, 0x18);
    let enabled = u64::from(kind.vectors == 0);
    let control = [("Enable", enabled), ("64bit", 1), ("Maskable", 1)];
    config.set(at, msi::Control::REGISTER, &control);
    config.set(at, msi::Address::REGISTER, &[("Address", 0xfee0_0000 >> 2)]);
    // With a 64-bit address, the registers behind it are 4 bytes further on.
    config.put(at + 0x0c, 0x4021, 2);

    if kind.vectors > 0 {
        let at = config.standard(&msix::SPECIFICATION, 12);
        let count = u64::from(kind.vectors) - 1;
        config.set(at, msix::Control::REGISTER, &[("table_size", count), ("Enable", 1)]);
        config.set(at, msix::Table::REGISTER, &[("offset", 0x2000 >> 3)]);
        config.set(at, msix::PendingBitArray::REGISTER, &[("offset", 0x3000 >> 3)]);
    }
    express_capability(config, place, port);
}

fn express_capability(config: &mut Config, place: Place, port: bool) {
    use express::*;
    let at = config.standard(&SPECIFICATION, 0x3c);
    let port_type = if port { PortType::RootPort } else { PortType::Endpoint };
    let kind = [("version", 2), ("device_port_type", port_type as u64), ("Slot", port.into())];
    config.set(at, Capabilities::REGISTER, &kind);
    let capabilities = [("MaxPayload", 2), ("ExtTag", 1), ("L0s", 7), ("L1", 6), ("RBE", 1)];
    config.set(at, DeviceCapabilities::REGISTER, &capabilities);
    let reporting = [("CorrErr", 1), ("NonFatalErr", 1), ("FatalErr", 1), ("UnsupReq", 1)];
    let traffic = [("RlxdOrd", 1), ("MaxPayload", 1), ("ExtTag", 1), ("NoSnoop", 1), ("MaxReadReq", 2)];
    config.set(at, DeviceControl::REGISTER, &[reporting.as_slice(), &traffic].concat());
    config.set(at, DeviceStatus::REGISTER, &[("CorrErr", u64::from(place.port % 8 == 3))]);
    let speed = 5;
    let capability = [("Speed", speed), ("Width", 16), ("ASPM", 2), ("L1", 4), ("ASPMOptComp", 1)];
    let port_only = [("Surprise", 1), ("LLActRep", 1), ("BwNot", 1), ("Port", place.port.into())];
    let capability = if port { [capability.as_slice(), &port_only].concat() } else { capability.to_vec() };
    config.set(at, LinkCapabilities::REGISTER, &capability);
    config.set(at, LinkControl::REGISTER, &[("CommClk", 1), ("RCB", 0)]);
    let status = [("Speed", speed), ("Width", 16), ("SlotClk", 1), ("DLActive", port.into())];
    config.set(at, LinkStatus::REGISTER, &status);
    if port {
        let slot = [("HotPlug", 1), ("PowerLimit", 75), ("Slot", u64::from(place.port) + 1)];
        config.set(at, SlotCapabilities::REGISTER, &slot);
        config.set(at, SlotControl::REGISTER, &[("PresDet", 1), ("HPIrq", 1), ("LinkChg", 1)]);
        config.set(at, SlotStatus::REGISTER, &[("PresDet", 1)]);
        config.set(at, RootControl::REGISTER, &[("PMEIntEna", 1), ("CRSVisible", 1)]);
        config.set(at, RootCapabilities::REGISTER, &[("CRSVisible", 1)]);
    }
    let capabilities = [("Completion Timeout", 0xf), ("TimeoutDis", 1), ("ARIFwd", port.into()), ("LTR", 1)];
    let tags = [("10BitTagComp", 1), ("10BitTagReq", u64::from(!port)), ("ExtFmt", 1), ("EETLPPrefix", 1)];
    config.set(at, DeviceCapabilities2::REGISTER, &[capabilities.as_slice(), &tags].concat());
    config.set(at, DeviceControl2::REGISTER, &[("LTR", 1), ("ARIFwd", port.into())]);
    let speeds = [("Supported Link Speeds", 0x1f), ("Retimer", 1), ("2Retimers", 1)];
    config.set(at, LinkCapabilities2::REGISTER, &speeds);
    config.set(at, LinkControl2::REGISTER, &[("Target Link Speed", speed)]);
    let equalized = [
        ("EqualizationComplete", 1),
        ("EqualizationPhase1", 1),
        ("EqualizationPhase2", 1),
        ("EqualizationPhase3", 1),
    ];
    config.set(at, LinkStatus2::REGISTER, &equalized);
}

fn extended_list(config: &mut Config, kind: &Kind, place: Place) {
    let port = place.secondary_bus.is_some();
    error_reporting(config, place, port);

    let at = config.extended(&serial_number::SPECIFICATION, 1, 12);
    config.put(at + 4, 0x0011_22ff_ff33_4400 + u64::from(place.port), 8);

    if port {
        let at = config.extended(&acs::SPECIFICATION, 1, 8);
        let wanted = [("SrcValid", 1), ("ReqRedir", 1), ("CmpltRedir", 1), ("UpstreamFwd", 1)];
        config.set(at, acs::AcsCapability::REGISTER, &[wanted.as_slice(), &[("TransBlk", 1)]].concat());
        config.set(at, acs::AcsControl::REGISTER, &wanted);
        containment(config);
    } else {
        let at = config.extended(&ltr::SPECIFICATION, 1, 8);
        config.put(at + 4, 0x1003_1003, 4);
    }
    let at = config.extended(&l1ss::SPECIFICATION, 1, 20);
    let substates = [("PCI-PM_L1.2", 1), ("PCI-PM_L1.1", 1), ("ASPM_L1.2", 1), ("ASPM_L1.1", 1)];
    let times = [("L1_PM_Substates", 1), ("PortCommonModeRestoreTime", 50), ("PortTPowerOnTime", 5)];
    config.set(at, l1ss::Capabilities::REGISTER, &[substates.as_slice(), &times].concat());
    let threshold = [("T_CommonMode", 50), ("LTR1.2_Threshold", 163), ("LTR1.2_Scale", 2)];
    config.set(at, l1ss::Control1::REGISTER, &threshold);
    config.set(at, l1ss::Control2::REGISTER, &[("T_PwrOn", 5)]);

    if kind.resizable {
        let at = config.extended(&rebar::SPECIFICATION, 1, 12);
        config.set(at, rebar::ResizableBarCapability::REGISTER, &[("supported", 0x3ffc0)]);
        let control = [("BAR", 2), ("Number", 1), ("current size", 17)];
        config.set(at, rebar::ResizableBarControl::REGISTER, &control);
    }
    if kind.virtual_functions > 0 && place.function == 0 {
        virtualization(config, kind);
    }
    let at = config.extended(&secondary::SPECIFICATION, 1, 0x2c);
    for lane in 0..16 {
        config.put(at + 0x0c + 2 * lane, 0x7575, 2);
    }
    let at = config.extended(&physical_16gt::SPECIFICATION, 1, 0x30);
    config.put(at + 0x0c, 0x0f, 4);
    for lane in 0..16 {
        config.put(at + 0x20 + lane, 0x55, 1);
    }
    let at = config.extended(&physical_32gt::SPECIFICATION, 1, 0x30);
    config.set(at, physical_32gt::Capabilities::REGISTER, &[("EqualizationBypass", 1), ("ModTsMode0", 1)]);
    config.put(at + 0x0c, 0x0f, 4);
    for lane in 0..16 {
        config.put(at + 0x20 + lane, 0x55, 1);
    }
}

fn error_reporting(config: &mut Config, place: Place, port: bool) {
    use aer::*;
    let at = config.extended(&SPECIFICATION, 2, 0x48);
    let severe = [("DLP", 1), ("SDES", 1), ("FCP", 1), ("RxOF", 1), ("MalfTLP", 1), ("UncorrIntErr", 1)];
    config.set(at, UncorrectableSeverity::REGISTER, &severe);
    config.set(at, CorrectableStatus::REGISTER, &[("RxErr", u64::from(place.port % 8 == 3))]);
    config.set(at, CorrectableMask::REGISTER, &[("AdvNonFatalErr", 1)]);
    let checks = [("ECRCGenCap", 1), ("ECRCChkCap", 1), ("MultHdrRecCap", 1)];
    config.set(at, CapabilitiesAndControl::REGISTER, &checks);
    if port {
        config.set(at, RootErrorCommand::REGISTER, &[("CERptEn", 1), ("NFERptEn", 1), ("FERptEn", 1)]);
    }
}

fn containment(config: &mut Config) {
    let at = config.extended(&dpc::SPECIFICATION, 1, 0x38);
    let capability =
        [("RPExt", 1), ("PoisonedTLP", 1), ("SwTrigger", 1), ("RP PIO Log", 5), ("DL_ActiveErr", 1)];
    config.set(at, dpc::DpcCapability::REGISTER, &capability);
    config.set(at, dpc::DpcControl::REGISTER, &[("Trigger", 1), ("INT", 1)]);
    config.set(at, dpc::DpcStatus::REGISTER, &[("RP PIO ErrPtr", 0x1f)]);
}

fn virtualization(config: &mut Config, kind: &Kind) {
    use sriov::*;
    let at = config.extended(&SPECIFICATION, 1, 0x40);
    config.set(at, Capabilities::REGISTER, &[("10BitTagReq", 1)]);
    config.set(at, Control::REGISTER, &[("ARIHierarchy", 1)]);
    let number = u64::from(kind.virtual_functions);
    config.put(at + InitialVfs::REGISTER.offset, number, 2);
    config.put(at + TotalVfs::REGISTER.offset, number, 2);
    config.put(at + FirstVfOffset::REGISTER.offset, 8, 2);
    config.put(at + VfStride::REGISTER.offset, 1, 2);
    config.put(at + VfDeviceId::REGISTER.offset, u64::from(kind.device) + 1, 2);
    config.put(at + SupportedPageSizes::REGISTER.offset, 0x553, 4);
    config.put(at + SystemPageSize::REGISTER.offset, 1, 4);
    config.put(at + 0x24, 0x300_0000_000c, 8);
}
