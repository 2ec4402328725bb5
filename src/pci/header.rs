//! The predefined header, the first 64 bytes of configuration space. PCIe 6.2, 7.5.1; CardBus: PC Card 8.0, 4.5.
//!
//! Command, Status, Bridge Control and Secondary Status are declared here with the names that lspci gives their bits.

use super::decode::{Context, Placed};
use super::register::{Access, Meaning, Quantity, Register, RegisterType};
use super::space::ConfigSpace;
use super::walk::capabilities_pointer;
use crate::register;

/// Header layouts that exist: endpoint, PCI-to-PCI bridge, CardBus bridge.
pub const LAYOUTS: std::ops::RangeInclusive<u8> = 0..=2;

/// DEVSEL timing (PCI Local Bus 3.0, 6.2.3).
const DEVSEL: Meaning = Meaning::Choice(&[(0, "fast"), (1, "medium"), (2, "slow")]);
/// Interrupt pin (PCIe 6.2, 7.5.1.1.13).
const INTERRUPT_PIN: Meaning = Meaning::Choice(&[(0, "none"), (1, "A"), (2, "B"), (3, "C"), (4, "D")]);

register! {
    /// Identifies the manufacturer; FFFFh means that nothing answered, or a virtual function.
    pub struct VendorId(u16) at 0x00, "vendor_id", "Vendor", "PCIe 6.2, 7.5.1.1.1" {
        /// Assigned by the PCI-SIG.
        15:0 id HwInit "id" = Meaning::Hex,
    }
    /// Identifies the device, chosen by the manufacturer.
    pub struct DeviceId(u16) at 0x02, "device_id", "Device", "PCIe 6.2, 7.5.1.1.2" {
        /// Chosen by the manufacturer.
        15:0 id HwInit "id" = Meaning::Hex,
    }
    /// What the function may do on the bus.
    pub struct Command(u16) at 0x04, "command", "Control", "PCIe 6.2, 7.5.1.1.3" {
        /// Answers I/O space accesses.
        0 io_space_enable Rw "I/O",
        /// Answers memory space accesses; while it is off, no BAR and no MSI-X table can be read.
        1 memory_space_enable Rw "Mem",
        /// May issue requests: without it neither DMA nor MSI work.
        2 bus_master_enable Rw "BusMaster",
        /// Special cycles; hardwired to 0 in PCI Express.
        3 special_cycle_enable Ro "SpecCycle",
        /// Memory write and invalidate; hardwired to 0 in PCI Express.
        4 memory_write_and_invalidate Ro "MemWINV",
        /// VGA palette snoop; hardwired to 0 in PCI Express.
        5 vga_palette_snoop Ro "VGASnoop",
        /// Reports poisoned packets in Status.
        6 parity_error_response Rw "ParErr",
        /// Address and data stepping; hardwired to 0 in PCI Express.
        7 idsel_stepping Ro "Stepping",
        /// Reports non-fatal and fatal errors to the root complex.
        8 serr_enable Rw "SERR",
        /// Fast back-to-back transactions; hardwired to 0 in PCI Express.
        9 fast_back_to_back_enable Ro "FastB2B",
        /// Keeps the function from asserting INTx.
        10 interrupt_disable Rw "DisINTx",
    }
    /// What happened on the bus; the error bits stay until software clears them and may be old.
    pub struct Status(u16) at 0x06, "status", "Status", "PCIe 6.2, 7.5.1.1.4" {
        /// May be read as if it were ready at once after a reset.
        0 immediate_readiness Ro "ImmReady",
        /// An INTx interrupt is pending.
        3 interrupt_status Ro "INTx",
        /// There is a capability list.
        4 capabilities_list Ro "Cap",
        /// 66 MHz capable; 0 in PCI Express.
        5 capable_66mhz Ro "66MHz",
        /// User definable features; reserved since PCI 2.2.
        6 user_definable_features Ro "UDF",
        /// Fast back-to-back capable; 0 in PCI Express.
        7 fast_back_to_back_capable Ro "FastB2B",
        /// A poisoned packet was sent or received while Parity Error Response was on.
        8 master_data_parity_error Rw1c "ParErr",
        /// DEVSEL timing; 0 in PCI Express.
        10:9 devsel_timing Ro "DEVSEL" = DEVSEL,
        /// Answered a request with Completer Abort.
        11 signaled_target_abort Rw1c ">TAbort",
        /// A request of this function was answered with Completer Abort.
        12 received_target_abort Rw1c "<TAbort",
        /// A request of this function was answered with Unsupported Request.
        13 received_master_abort Rw1c "<MAbort",
        /// Sent an error message to the root complex.
        14 signaled_system_error Rw1c ">SERR",
        /// Received a poisoned packet.
        15 detected_parity_error Rw1c "<PERR",
    }
    /// Revision of the device.
    pub struct Revision(u8) at 0x08, "revision_id", "Rev", "PCIe 6.2, 7.5.1.1.5" {
        /// Chosen by the manufacturer.
        7:0 id HwInit "id" = Meaning::Hex,
    }
    /// What kind of function this is, lowest part.
    pub struct ProgrammingInterface(u8) at 0x09, "programming_interface", "ProgIf", "PCIe 6.2, 7.5.1.1.6" {
        /// Register-level programming interface.
        7:0 id Ro "id" = Meaning::Hex,
    }
    /// What kind of function this is: subclass and base class.
    pub struct ClassCode(u16) at 0x0a, "class_code", "Class", "PCIe 6.2, 7.5.1.1.6" {
        /// Subclass.
        7:0 subclass Ro "subclass" = Meaning::Hex,
        /// Base class.
        15:8 base_class Ro "base" = Meaning::Hex,
    }
    /// Cache line size in units of 4 bytes; without effect in PCI Express.
    pub struct CacheLineSize(u8) at 0x0c, "cache_line_size", "Cache Line Size", "PCIe 6.2, 7.5.1.1.7" {
        /// In units of 4 bytes.
        7:0 size Rw "size" = Meaning::Quantity(times_four),
    }
    /// Latency timer of conventional PCI; 0 in PCI Express.
    pub struct LatencyTimer(u8) at 0x0d, "latency_timer", "Latency", "PCIe 6.2, 7.5.1.1.8" {
        /// In bus clocks.
        7:0 clocks Rw "clocks" = Meaning::Unit("clocks"),
    }
    /// Which layout the rest of the header has.
    pub struct HeaderType(u8) at 0x0e, "header_type", "HeaderType", "PCIe 6.2, 7.5.1.1.9" {
        /// 0 endpoint, 1 PCI-to-PCI bridge, 2 CardBus bridge.
        6:0 layout Ro "layout" = Meaning::Choice(&[(0, "endpoint"), (1, "PCI-to-PCI bridge"), (2, "CardBus bridge")]),
        /// The device may have more than one function.
        7 multi_function Ro "MultiFunction",
    }
    /// Built-in self test.
    pub struct Bist(u8) at 0x0f, "bist", "BIST", "PCIe 6.2, 7.5.1.1.10" {
        /// 0 if the test passed.
        3:0 completion_code Ro "result" = Meaning::Hex,
        /// Starts the test.
        6 start Rw "Running",
        /// A test exists.
        7 capable Ro "Capable",
    }
    /// Where the capability list begins.
    pub struct CapabilitiesPointer(u8) at 0x34, "capabilities_pointer", "CapPtr", "PCIe 6.2, 7.5.1.1.11" {
        /// Offset of the first capability; the low two bits are reserved.
        7:0 offset Ro "offset" = Meaning::Hex,
    }
    /// Interrupt line that firmware assigned; without meaning to the hardware.
    pub struct InterruptLine(u8) at 0x3c, "interrupt_line", "IntLine", "PCIe 6.2, 7.5.1.1.12" {
        /// Number of the line, 255 if none.
        7:0 line Rw "line",
    }
    /// Which legacy interrupt the function uses.
    pub struct InterruptPin(u8) at 0x3d, "interrupt_pin", "IntPin", "PCIe 6.2, 7.5.1.1.13" {
        /// 0 none, 1 to 4 INTA to INTD.
        7:0 pin Ro "pin" = INTERRUPT_PIN,
    }
    /// A Base Address Register as it stands in configuration space.
    pub struct BaseAddress(u32) at 0x10 in "bar", "value", "Region", "PCIe 6.2, 7.5.1.2.1" {
        /// All 32 bits: flags in the low bits, address in the others, or the upper half of a 64-bit address.
        31:0 bits Rw "bits" = Meaning::Hex,
    }
}

register! {
    /// Base address of the expansion ROM.
    pub struct ExpansionRom(u32) at 0x30, "expansion_rom", "Expansion ROM", "PCIe 6.2, 7.5.1.2.4" {
        /// Answers accesses to the ROM.
        0 enable Rw "Enable",
        /// Result of a ROM validation.
        3:1 validation_status HwInit "validation" = Meaning::Number,
        /// Details of the validation.
        7:4 validation_details HwInit "details" = Meaning::Hex,
        /// Address bits 31:11.
        31:11 base Rw "base" = Meaning::Hex,
    }
    /// CardBus CIS pointer; reserved in PCI Express.
    pub struct CardbusCis(u32) at 0x28, "cardbus_cis", "CIS", "PCI Local Bus 3.0, 6.2.4" {
        /// Pointer to the card information structure.
        31:0 pointer Ro "pointer" = Meaning::Hex,
    }
    /// Who made the board.
    pub struct SubsystemVendorId(u16) at 0x2c, "subsystem_vendor_id", "SVendor", "PCIe 6.2, 7.5.1.2.3" {
        /// Assigned by the PCI-SIG.
        15:0 id HwInit "id" = Meaning::Hex,
    }
    /// Which board.
    pub struct SubsystemId(u16) at 0x2e, "subsystem_id", "SDevice", "PCIe 6.2, 7.5.1.2.3" {
        /// Chosen by the board's manufacturer.
        15:0 id HwInit "id" = Meaning::Hex,
    }
    /// Minimum grant; 0 in PCI Express.
    pub struct MinGrant(u8) at 0x3e, "min_grant", "MinGnt", "PCIe 6.2, 7.5.1.2.5" {
        /// In units of 250 ns.
        7:0 value Ro "value" = Meaning::Number,
    }
    /// Maximum latency; 0 in PCI Express.
    pub struct MaxLatency(u8) at 0x3f, "max_latency", "MaxLat", "PCIe 6.2, 7.5.1.2.5" {
        /// In units of 250 ns.
        7:0 value Ro "value" = Meaning::Number,
    }
}

register! {
    /// Bus on the side of the processor.
    pub struct PrimaryBus(u8) at 0x18, "primary_bus", "primary", "PCIe 6.2, 7.5.1.3.2" {
        /// Bus number.
        7:0 number Rw "number" = Meaning::Hex,
    }
    /// Bus on the side of the device.
    pub struct SecondaryBus(u8) at 0x19, "secondary_bus", "secondary", "PCIe 6.2, 7.5.1.3.3" {
        /// Bus number.
        7:0 number Rw "number" = Meaning::Hex,
    }
    /// Highest bus behind the bridge.
    pub struct SubordinateBus(u8) at 0x1a, "subordinate_bus", "subordinate", "PCIe 6.2, 7.5.1.3.4" {
        /// Bus number.
        7:0 number Rw "number" = Meaning::Hex,
    }
    /// Latency timer of the secondary bus; 0 in PCI Express.
    pub struct SecondaryLatencyTimer(u8) at 0x1b, "secondary_latency_timer", "sec-latency", "PCIe 6.2, 7.5.1.3.5" {
        /// In bus clocks.
        7:0 clocks Rw "clocks" = Meaning::Unit("clocks"),
    }
    /// Lower end of the I/O window.
    pub struct IoBase(u8) at 0x1c, "io_base", "IOBase", "PCIe 6.2, 7.5.1.3.6" {
        /// 0: 16-bit addresses, 1: 32-bit addresses.
        3:0 kind Ro "kind" = Meaning::Choice(&[(0, "16-bit"), (1, "32-bit")]),
        /// Address bits 15:12.
        7:4 base Rw "base" = Meaning::Hex,
    }
    /// Upper end of the I/O window.
    pub struct IoLimit(u8) at 0x1d, "io_limit", "IOLimit", "PCIe 6.2, 7.5.1.3.6" {
        /// 0: 16-bit addresses, 1: 32-bit addresses.
        3:0 kind Ro "kind" = Meaning::Choice(&[(0, "16-bit"), (1, "32-bit")]),
        /// Address bits 15:12.
        7:4 limit Rw "limit" = Meaning::Hex,
    }
    /// What happened on the secondary bus; the error bits stay until software clears them.
    pub struct SecondaryStatus(u16) at 0x1e, "secondary_status", "Secondary status", "PCIe 6.2, 7.5.1.3.7" {
        /// 66 MHz capable; 0 in PCI Express.
        5 capable_66mhz Ro "66MHz",
        /// Fast back-to-back capable; 0 in PCI Express.
        7 fast_back_to_back_capable Ro "FastB2B",
        /// A poisoned packet crossed the secondary side while Parity Error Response was on.
        8 master_data_parity_error Rw1c "ParErr",
        /// DEVSEL timing; 0 in PCI Express.
        10:9 devsel_timing Ro "DEVSEL" = DEVSEL,
        /// The secondary side answered with Completer Abort.
        11 signaled_target_abort Rw1c ">TAbort",
        /// The secondary side received Completer Abort.
        12 received_target_abort Rw1c "<TAbort",
        /// The secondary side received Unsupported Request.
        13 received_master_abort Rw1c "<MAbort",
        /// The secondary side received an error message.
        14 received_system_error Rw1c "<SERR",
        /// The secondary side received a poisoned packet.
        15 detected_parity_error Rw1c "<PERR",
    }
    /// Lower end of the memory window.
    pub struct MemoryBase(u16) at 0x20, "memory_base", "MemBase", "PCIe 6.2, 7.5.1.3.8" {
        /// Address bits 31:20.
        15:4 base Rw "base" = Meaning::Hex,
    }
    /// Upper end of the memory window.
    pub struct MemoryLimit(u16) at 0x22, "memory_limit", "MemLimit", "PCIe 6.2, 7.5.1.3.8" {
        /// Address bits 31:20.
        15:4 limit Rw "limit" = Meaning::Hex,
    }
    /// Lower end of the prefetchable memory window.
    pub struct PrefetchableBase(u16) at 0x24, "prefetchable_base", "PrefBase", "PCIe 6.2, 7.5.1.3.9" {
        /// 0: 32-bit addresses, 1: 64-bit addresses.
        3:0 kind Ro "kind" = Meaning::Choice(&[(0, "32-bit"), (1, "64-bit")]),
        /// Address bits 31:20.
        15:4 base Rw "base" = Meaning::Hex,
    }
    /// Upper end of the prefetchable memory window.
    pub struct PrefetchableLimit(u16) at 0x26, "prefetchable_limit", "PrefLimit", "PCIe 6.2, 7.5.1.3.9" {
        /// 0: 32-bit addresses, 1: 64-bit addresses.
        3:0 kind Ro "kind" = Meaning::Choice(&[(0, "32-bit"), (1, "64-bit")]),
        /// Address bits 31:20.
        15:4 limit Rw "limit" = Meaning::Hex,
    }
    /// Address bits 63:32 of the prefetchable window's lower end.
    pub struct PrefetchableBaseUpper(u32) at 0x28, "prefetchable_base_upper", "PrefBaseUpper", "PCIe 6.2, 7.5.1.3.10" {
        /// Address bits 63:32.
        31:0 base Rw "base" = Meaning::Hex,
    }
    /// Address bits 63:32 of the prefetchable window's upper end.
    pub struct PrefetchableLimitUpper(u32) at 0x2c, "prefetchable_limit_upper", "PrefLimitUpper", "PCIe 6.2, 7.5.1.3.10" {
        /// Address bits 63:32.
        31:0 limit Rw "limit" = Meaning::Hex,
    }
    /// Address bits 31:16 of the I/O window's lower end.
    pub struct IoBaseUpper(u16) at 0x30, "io_base_upper", "IOBaseUpper", "PCIe 6.2, 7.5.1.3.11" {
        /// Address bits 31:16.
        15:0 base Rw "base" = Meaning::Hex,
    }
    /// Address bits 31:16 of the I/O window's upper end.
    pub struct IoLimitUpper(u16) at 0x32, "io_limit_upper", "IOLimitUpper", "PCIe 6.2, 7.5.1.3.11" {
        /// Address bits 31:16.
        15:0 limit Rw "limit" = Meaning::Hex,
    }
    /// Base address of the bridge's own expansion ROM.
    pub struct BridgeExpansionRom(u32) at 0x38, "expansion_rom", "Expansion ROM", "PCIe 6.2, 7.5.1.3.12" {
        /// Answers accesses to the ROM.
        0 enable Rw "Enable",
        /// Address bits 31:11.
        31:11 base Rw "base" = Meaning::Hex,
    }
    /// What the bridge does for its secondary side.
    pub struct BridgeControl(u16) at 0x3e, "bridge_control", "BridgeCtl", "PCIe 6.2, 7.5.1.3.13" {
        /// Reports poisoned packets of the secondary side in Secondary Status.
        0 parity_error_response Rw "Parity",
        /// Forwards error messages from the secondary side.
        1 serr_enable Rw "SERR",
        /// Restricts I/O forwarding to avoid ISA aliases.
        2 isa_enable Rw "NoISA",
        /// Forwards VGA accesses.
        3 vga_enable Rw "VGA",
        /// Decodes 16 bits of VGA I/O addresses.
        4 vga_16bit_decode Rw "VGA16",
        /// Master abort mode; 0 in PCI Express.
        5 master_abort_mode Ro "MAbort",
        /// Holds the secondary side in reset.
        6 secondary_bus_reset Rw ">Reset",
        /// Fast back-to-back; 0 in PCI Express.
        7 fast_back_to_back_enable Ro "FastB2B",
        /// Primary discard timer; 0 in PCI Express.
        8 primary_discard_timer Ro "PriDiscTmr",
        /// Secondary discard timer; 0 in PCI Express.
        9 secondary_discard_timer Ro "SecDiscTmr",
        /// Discard timer status; 0 in PCI Express.
        10 discard_timer_status Rw1c "DiscTmrStat",
        /// Discard timer SERR enable; 0 in PCI Express.
        11 discard_timer_serr_enable Ro "DiscTmrSERREn",
    }
    /// What happened on the secondary side of a CardBus bridge.
    pub struct CardbusSecondaryStatus(u16) at 0x16, "cardbus_secondary_status", "Secondary status", "PC Card 8.0, 4.5" {
        /// Can do fast back-to-back transactions.
        7 fast_back_to_back_capable Ro "FastB2B",
        /// A parity error was seen while the bridge was master.
        8 master_data_parity_error Rw1c "ParErr",
        /// How fast the bridge answers.
        10:9 devsel_timing Ro "DEVSEL" = DEVSEL,
        /// The bridge ended a transaction with target abort.
        11 signaled_target_abort Rw1c "<TAbort",
        /// A transaction of the bridge was ended with target abort.
        12 received_target_abort Rw1c ">TAbort",
        /// Nobody answered a transaction of the bridge.
        13 received_master_abort Rw1c "<MAbort",
        /// A system error was seen.
        14 received_system_error Rw1c "<SERR",
        /// A parity error was seen.
        15 detected_parity_error Rw1c "<PERR",
    }
    /// Where a window to memory behind a CardBus bridge begins.
    pub struct CardbusMemoryBase(u32) at 0x1c in "memory_window", "base", "Memory window", "PC Card 8.0, 4.5" {
        /// Address bits 31:12.
        31:12 base Rw "base" = Meaning::OfRegister(|raw| Quantity::Address(raw & !0xfff)),
    }
    /// Where a window to memory behind a CardBus bridge ends. A window that ends in front of its beginning is closed.
    pub struct CardbusMemoryLimit(u32) at 0x20 in "memory_window", "limit", "Memory window limit", "PC Card 8.0, 4.5" {
        /// Address bits 31:12; the window reaches to the end of that page.
        31:12 limit Rw "limit" = Meaning::OfRegister(|raw| Quantity::Address(raw | 0xfff)),
    }
    /// Where a window to I/O behind a CardBus bridge begins.
    pub struct CardbusIoBase(u32) at 0x2c in "io_window", "base", "I/O window", "PC Card 8.0, 4.5" {
        /// Whether the window may lie above 64 KiB.
        1:0 addressing Ro "addressing" = Meaning::Choice(&[(0, "16 bits"), (1, "32 bits")]),
        /// Address bits 31:2.
        31:2 base Rw "base" = Meaning::OfRegister(|raw| Quantity::Address(raw & !3)),
    }
    /// Where a window to I/O behind a CardBus bridge ends.
    pub struct CardbusIoLimit(u32) at 0x30 in "io_window", "limit", "I/O window limit", "PC Card 8.0, 4.5" {
        /// Address bits 31:2; the window reaches to the end of that doubleword.
        31:2 limit Rw "limit" = Meaning::OfRegister(|raw| Quantity::Address(raw | 3)),
    }
    /// What a CardBus bridge does for the card (kernel: PCI_CB_BRIDGE_CONTROL in include/uapi/linux/pci_regs.h).
    pub struct CardbusBridgeControl(u16) at 0x3e, "cardbus_bridge_control", "BridgeCtl", "PC Card 8.0, 4.5" {
        /// Reports parity errors of the card's side.
        0 parity_error_response Rw "Parity",
        /// Forwards system errors of the card's side.
        1 serr_enable Rw "SERR",
        /// Restricts I/O forwarding to avoid ISA aliases.
        2 isa_enable Rw "ISA",
        /// Forwards VGA accesses.
        3 vga_enable Rw "VGA",
        /// What is done with a transaction that nobody answers: 1 target abort.
        5 master_abort_mode Rw "MAbort",
        /// Holds the card in reset.
        6 cardbus_reset Rw ">Reset",
        /// Interrupts of 16-bit cards go to ISA interrupts.
        7 interrupts_16bit Rw "16bInt",
        /// The first window may be prefetched.
        8 memory_0_prefetch Rw "PrefMem0",
        /// The second window may be prefetched.
        9 memory_1_prefetch Rw "PrefMem1",
        /// Writes may be posted.
        10 posted_writes Rw "PostWrite",
    }
    /// I/O address at which a PC Card controller of old times is found.
    pub struct CardbusLegacyBase(u32) at 0x44, "cardbus_legacy_base", "16-bit legacy interface ports at", "PC Card 8.0, 4.5" {
        /// Bit 0 says that it is I/O, bits 31:2 are the address.
        31:0 bits Rw "bits" = Meaning::Hex,
    }
    /// Subsystem vendor of a CardBus bridge.
    pub struct CardbusSubsystemVendorId(u16) at 0x40, "subsystem_vendor_id", "SVendor", "PC Card 8.0, 4.5" {
        /// Assigned by the PCI-SIG.
        15:0 id HwInit "id" = Meaning::Hex,
    }
    /// Subsystem of a CardBus bridge.
    pub struct CardbusSubsystemId(u16) at 0x42, "subsystem_id", "SDevice", "PC Card 8.0, 4.5" {
        /// Chosen by the board's manufacturer.
        15:0 id HwInit "id" = Meaning::Hex,
    }
}

fn times_four(units: u64) -> Quantity {
    Quantity::Bytes(Some(units * 4))
}

/// Registers of every layout.
const COMMON: &[&Register] = &[
    VendorId::REGISTER,
    DeviceId::REGISTER,
    Command::REGISTER,
    Status::REGISTER,
    Revision::REGISTER,
    ProgrammingInterface::REGISTER,
    ClassCode::REGISTER,
    CacheLineSize::REGISTER,
    LatencyTimer::REGISTER,
    HeaderType::REGISTER,
    Bist::REGISTER,
];
const ENDPOINT: &[&Register] = &[
    CardbusCis::REGISTER,
    SubsystemVendorId::REGISTER,
    SubsystemId::REGISTER,
    ExpansionRom::REGISTER,
    CapabilitiesPointer::REGISTER,
    InterruptLine::REGISTER,
    InterruptPin::REGISTER,
    MinGrant::REGISTER,
    MaxLatency::REGISTER,
];
const BRIDGE: &[&Register] = &[
    PrimaryBus::REGISTER,
    SecondaryBus::REGISTER,
    SubordinateBus::REGISTER,
    SecondaryLatencyTimer::REGISTER,
    IoBase::REGISTER,
    IoLimit::REGISTER,
    SecondaryStatus::REGISTER,
    MemoryBase::REGISTER,
    MemoryLimit::REGISTER,
    PrefetchableBase::REGISTER,
    PrefetchableLimit::REGISTER,
    PrefetchableBaseUpper::REGISTER,
    PrefetchableLimitUpper::REGISTER,
    IoBaseUpper::REGISTER,
    IoLimitUpper::REGISTER,
    CapabilitiesPointer::REGISTER,
    BridgeExpansionRom::REGISTER,
    InterruptLine::REGISTER,
    InterruptPin::REGISTER,
    BridgeControl::REGISTER,
];
const CARDBUS: &[&Register] = &[
    PrimaryBus::REGISTER,
    SecondaryBus::REGISTER,
    SubordinateBus::REGISTER,
    SecondaryLatencyTimer::REGISTER,
    InterruptLine::REGISTER,
    InterruptPin::REGISTER,
    CardbusSecondaryStatus::REGISTER,
    CardbusBridgeControl::REGISTER,
    CardbusSubsystemVendorId::REGISTER,
    CardbusSubsystemId::REGISTER,
    CardbusLegacyBase::REGISTER,
];

/// Windows of a CardBus bridge: two to memory, two to I/O, eight bytes from one to the next.
const CARDBUS_WINDOWS: [(&Register, &str); 4] = [
    (CardbusMemoryBase::REGISTER, "memory_window"),
    (CardbusMemoryLimit::REGISTER, "memory_window"),
    (CardbusIoBase::REGISTER, "io_window"),
    (CardbusIoLimit::REGISTER, "io_window"),
];

/// Every register of the header, for documentation, schemas and tests.
pub static REGISTERS: &[&Register] = &[
    VendorId::REGISTER,
    DeviceId::REGISTER,
    Command::REGISTER,
    Status::REGISTER,
    Revision::REGISTER,
    ProgrammingInterface::REGISTER,
    ClassCode::REGISTER,
    CacheLineSize::REGISTER,
    LatencyTimer::REGISTER,
    HeaderType::REGISTER,
    Bist::REGISTER,
    BaseAddress::REGISTER,
    CardbusCis::REGISTER,
    SubsystemVendorId::REGISTER,
    SubsystemId::REGISTER,
    ExpansionRom::REGISTER,
    CapabilitiesPointer::REGISTER,
    InterruptLine::REGISTER,
    InterruptPin::REGISTER,
    MinGrant::REGISTER,
    MaxLatency::REGISTER,
    PrimaryBus::REGISTER,
    SecondaryBus::REGISTER,
    SubordinateBus::REGISTER,
    SecondaryLatencyTimer::REGISTER,
    IoBase::REGISTER,
    IoLimit::REGISTER,
    SecondaryStatus::REGISTER,
    MemoryBase::REGISTER,
    MemoryLimit::REGISTER,
    PrefetchableBase::REGISTER,
    PrefetchableLimit::REGISTER,
    PrefetchableBaseUpper::REGISTER,
    PrefetchableLimitUpper::REGISTER,
    IoBaseUpper::REGISTER,
    IoLimitUpper::REGISTER,
    BridgeExpansionRom::REGISTER,
    BridgeControl::REGISTER,
    CardbusSecondaryStatus::REGISTER,
    CardbusMemoryBase::REGISTER,
    CardbusMemoryLimit::REGISTER,
    CardbusIoBase::REGISTER,
    CardbusIoLimit::REGISTER,
    CardbusBridgeControl::REGISTER,
    CardbusLegacyBase::REGISTER,
];

/// Number of Base Address Registers that a header layout has.
pub fn base_address_registers(layout: u8) -> u16 {
    match layout {
        0 => 6,
        1 => 2,
        2 => 1,
        _ => 0,
    }
}

/// Where a register is: of a CardBus bridge the capabilities pointer is elsewhere.
fn own_offset(register: &'static Register, layout: u8) -> u16 {
    let is_pointer = std::ptr::eq(register, CapabilitiesPointer::REGISTER);
    if is_pointer { capabilities_pointer(layout) } else { register.offset }
}

/// The header's registers in the order of their offsets, with the values that were read.
pub fn registers(space: &ConfigSpace) -> Vec<Placed> {
    let layout = read::<HeaderType>(space).map_or(0, HeaderType::layout);
    let own = match layout {
        0 => ENDPOINT,
        1 => BRIDGE,
        2 => CARDBUS,
        _ => &[],
    };
    let place = |register: &'static Register, group, offset| Placed {
        register,
        group,
        within: None,
        offset,
        raw: space.value(offset, register.width),
    };
    let mut placed: Vec<Placed> =
        COMMON.iter().chain(own).map(|r| place(r, None, own_offset(r, layout))).collect();
    placed.extend(
        (0..base_address_registers(layout))
            .map(|i| place(BaseAddress::REGISTER, Some(("bar", i)), 0x10 + 4 * i)),
    );
    if layout == 2 {
        let windows = CARDBUS_WINDOWS.iter().flat_map(|(register, group)| {
            (0..2).map(move |index| (*register, Some((*group, index)), register.offset + 8 * index))
        });
        placed.extend(windows.map(|(register, group, offset)| place(register, group, offset)));
    }
    placed.sort_by_key(|p| p.offset);
    placed
}

/// Reads one register of the header.
pub fn read<R: RegisterType>(space: &ConfigSpace) -> Option<R> {
    space.value(R::REGISTER.offset, R::REGISTER.width).map(R::from_raw)
}

/// What the header tells about the layout of the rest. The port type is not known yet.
pub fn context(space: &ConfigSpace) -> Option<Context> {
    let class = read::<ClassCode>(space)?;
    let interface = read::<ProgrammingInterface>(space)?;
    Some(Context {
        header_layout: read::<HeaderType>(space)?.layout(),
        vendor_id: read::<VendorId>(space)?.id(),
        device_id: read::<DeviceId>(space)?.id(),
        class: u32::from(class.0) << 8 | u32::from(interface.0),
        port_type: None,
        link_width: None,
        flit_mode: None,
    })
}

/// Error bits of Status and Secondary Status that stay until software clears them.
pub fn latched_errors(register: &Register, raw: u64) -> u64 {
    raw & register.mask(Access::Rw1c)
}
