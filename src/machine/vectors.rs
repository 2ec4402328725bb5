//! The MSI-X vector table and the pending bits, out of the function's memory.
//!
//! They lie behind a BAR and are read through `resourceN`, only when the function answers, decodes memory and is in D0,
//! and the BAR has an address. Where they cannot be read, one exact reason is given and never a guess; a driver that
//! owns the BAR is the normal case on a distribution's kernel.

use nix::errno::Errno;

use crate::pci::bars::{Resource, raw_bars, resources};
use crate::pci::capability::msix::{self, Control, PendingBitArray, Table};
use crate::pci::capability::power::{self, ControlStatus};
use crate::pci::header::{self, Command};
use crate::tree::{Cause, Tree, Window};

use super::platform::Platform;
use super::reading::DEVICES;
use super::{Function, State};

/// Bytes of a table entry (PCIe 6.2, 7.7.2.5).
const ENTRY: u64 = 16;

/// Why the table could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Unreadable {
    /// Nothing answers at the function's address.
    Dead,
    /// The function sleeps; memory accesses would wake it or be lost.
    Asleep,
    /// The function could not be read at all, or not far enough to know where the table is.
    NotRead {
        /// Why.
        why: String,
    },
    /// Memory Space Enable is off: the function does not answer memory accesses.
    MemoryDecodeOff,
    /// The function is in D1, D2 or D3hot, where it does not answer memory accesses.
    NotInD0 {
        /// The state according to PMCSR.
        state: String,
    },
    /// The BAR indicator is 6 or 7, or names the upper half of a 64-bit BAR or a BAR that the function does not have.
    NoSuchBar {
        /// The indicator.
        bar: u8,
    },
    /// The BAR has no address, in the kernel's notes or in the register itself.
    BarUnassigned {
        /// Number of the BAR.
        bar: u8,
    },
    /// Table or Pending Bit Array reach past the end of the BAR.
    OutsideBar {
        /// Number of the BAR.
        bar: u8,
        /// Where it would end, in bytes from the start of the BAR.
        end: u64,
        /// Size of the BAR in bytes.
        size: u64,
    },
    /// There is no `resourceN`: the kernel is built without it, or the BAR is not memory.
    NoResourceFile {
        /// Number of the BAR.
        bar: u8,
    },
    /// EPERM or EACCES on mapping: kernel lockdown, or not root.
    NotPermitted {
        /// Number of the BAR.
        bar: u8,
        /// The system's answer.
        error: String,
    },
    /// EINVAL on mapping: a driver owns the BAR and the kernel keeps user space out (IO_STRICT_DEVMEM).
    OwnedByDriver {
        /// Number of the BAR.
        bar: u8,
        /// The driver, if one is bound.
        driver: Option<String>,
    },
    /// The source does not hold the BAR's contents.
    NotCaptured {
        /// Number of the BAR.
        bar: u8,
    },
    /// Any other answer of the system.
    Failed {
        /// Number of the BAR.
        bar: u8,
        /// The system's answer.
        error: String,
    },
    /// Not an x86 machine, where reading registers of a sick device can stop the machine; `--mmio` allows it.
    NotAllowedHere {
        /// The architecture, if it is known.
        architecture: Option<String>,
    },
    /// Every word of the table reads all-ones: the function answers configuration accesses and no memory accesses.
    AllOnes,
}

/// How the message of an x86 vector is to be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum Message {
    /// Interrupt remapping is known to be off: the message names the processor (Intel SDM volume 3, 11.11).
    Processor {
        /// Local APIC ID of the destination.
        destination_apic_id: u32,
        /// Interrupt vector at the processor.
        vector: u8,
        /// Fixed, lowest-priority, SMI, NMI, INIT, ExtINT.
        delivery_mode: &'static str,
        /// `edge` or `level`.
        trigger_mode: &'static str,
        /// The destination is logical, not physical.
        logical: bool,
    },
    /// The remappable format of VT-d: the message is an index (Intel VT-d 4.1, 5.1.2.2).
    Remappable {
        /// Index of the entry in the interrupt remapping table, before the subhandle is added.
        handle: u16,
        /// Added to the handle if present.
        subhandle: Option<u16>,
    },
    /// It cannot be told which of the two it is (under AMD-Vi nothing in the message tells); both readings.
    Ambiguous {
        /// Local APIC ID if it is not remapped.
        destination_apic_id: u32,
        /// Vector if it is not remapped.
        vector: u8,
        /// Low eleven bits of the data: the index if AMD-Vi remaps it (AMD IOMMU 3.08, 2.2.5).
        remapping_index: u16,
    },
    /// The address is none of an x86 local APIC.
    Foreign,
    /// The entry was never written.
    Empty,
}

/// One vector.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Vector {
    /// Index in the table.
    pub index: u16,
    /// Message address.
    pub address: u64,
    /// Message data.
    pub data: u32,
    /// Mask bit of the vector.
    pub masked: bool,
    /// Vector Control as it stands in the table; bit 0 is the mask bit.
    pub control: u32,
    /// Pending bit; `null` if the Pending Bit Array could not be read.
    pub pending: Option<bool>,
    /// The message decoded; `null` on machines other than x86.
    pub message: Option<Message>,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorTable {
    /// The vectors.
    pub vectors: Vec<Vector>,
    /// Why the pending bits are not known although the table is.
    pub pending_unreadable: Option<Unreadable>,
}

/// Where table and Pending Bit Array lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Place {
    /// Number of the BAR, as it stands in the register (6 and 7 are reserved).
    pub bar: u8,
    /// Offset in the BAR, in bytes.
    pub offset: u32,
    /// Length in bytes.
    pub length: u32,
}

/// Table and Pending Bit Array of a function with MSI-X.
pub fn places(function: &Function) -> Option<(Place, Place)> {
    let specification = &msix::SPECIFICATION;
    let vectors = u32::from(function.register::<Control>(specification)?.vectors());
    let table: Table = function.register(specification)?;
    let pending: PendingBitArray = function.register(specification)?;
    Some((
        Place {
            bar: table.bar_indicator() as u8,
            offset: table.byte_offset(),
            length: vectors * ENTRY as u32,
        },
        // One bit a vector in units of 64 bits (PCIe 6.2, 7.7.2.9).
        Place {
            bar: pending.bar_indicator() as u8,
            offset: pending.byte_offset(),
            length: vectors.div_ceil(64) * 8,
        },
    ))
}

/// Reads the table. `mmio` allows it on machines other than x86. `None`: the function has no MSI-X.
pub fn read(
    tree: &dyn Tree,
    live: bool,
    function: &Function,
    platform: &Platform,
    mmio: bool,
) -> Option<Result<VectorTable, Unreadable>> {
    match function.presence.state {
        State::Answering => {}
        State::Asleep => return Some(Err(Unreadable::Asleep)),
        State::AllOnes | State::Disconnected | State::Absent => return Some(Err(Unreadable::Dead)),
        State::NotReady | State::Unknown => return Some(Err(not_read(function))),
    }
    if function.find(&msix::SPECIFICATION).is_none() {
        return (!function.standard_list_known()).then(|| Err(not_read(function)));
    }
    let Some((table, pending)) = places(function) else { return Some(Err(not_read(function))) };
    let architecture = platform.architecture.as_deref();
    let x86 = architecture.is_some_and(|a| a.starts_with("x86") || matches!(a, "i386" | "i686"));
    if live && !cfg!(any(target_arch = "x86", target_arch = "x86_64")) && !mmio {
        return Some(Err(Unreadable::NotAllowedHere { architecture: architecture.map(str::to_owned) }));
    }
    Some(guard(function).and_then(|()| {
        let window = window(tree, live, function, table)?;
        let mut vectors = entries(&window, table, platform, x86).ok_or_else(|| not_read(function))?;
        if !vectors.is_empty() && vectors.iter().all(|v| v.address == u64::MAX && v.data == u32::MAX) {
            return Err(Unreadable::AllOnes);
        }
        let pending_unreadable = match self::window(tree, live, function, pending) {
            Ok(window) => {
                for vector in &mut vectors {
                    let word = window.u32(usize::from(vector.index) / 32 * 4);
                    vector.pending = word.map(|w| w >> (vector.index % 32) & 1 == 1);
                }
                None
            }
            Err(reason) => Some(reason),
        };
        Ok(VectorTable { vectors, pending_unreadable })
    }))
}

/// Why configuration space does not tell where the table is.
fn not_read(function: &Function) -> Unreadable {
    let known_layout = function.header_layout().is_none_or(|layout| header::LAYOUTS.contains(&layout));
    let why = match function.unread() {
        _ if !known_layout => {
            "the header type does not exist, so nobody knows where capabilities are".to_owned()
        }
        Some(why) => why,
        None => "configuration space does not hold the capability to its end".to_owned(),
    };
    Unreadable::NotRead { why }
}

/// What must hold before memory of the function is touched.
fn guard(function: &Function) -> Result<(), Unreadable> {
    let command: Command = function.header().ok_or_else(|| not_read(function))?;
    // A virtual function has no Memory Space Enable (PCIe 6.2, 9.3.4.1.3); that of all of them is VF MSE of the physical
    // function, which the kernel sets before it makes them (drivers/pci/iov.c, sriov_enable).
    if !command.memory_space_enable() && !function.is_virtual() {
        return Err(Unreadable::MemoryDecodeOff);
    }
    // The kernel's own view: PMCSR was read before, and with --wake that alone may have woken the function for a moment.
    if let Some(state @ ("D1" | "D2" | "D3hot" | "D3cold")) = function.reading.text("power_state") {
        return Err(Unreadable::NotInD0 { state: state.to_owned() });
    }
    if let Some(register) = function.register::<ControlStatus>(&power::SPECIFICATION)
        && register.power_state() != 0
    {
        let state = ["D0", "D1", "D2", "D3hot"][usize::from(register.power_state() & 3)];
        return Err(Unreadable::NotInD0 { state: state.to_owned() });
    }
    Ok(())
}

fn window(tree: &dyn Tree, live: bool, function: &Function, place: Place) -> Result<Window, Unreadable> {
    let bar = place.bar;
    let limit = match function.header_layout() {
        Some(0) => 6,
        Some(1) => 2,
        _ => 0,
    };
    if bar >= limit {
        return Err(Unreadable::NoSuchBar { bar });
    }
    let end = u64::from(place.offset) + u64::from(place.length);
    let noted = resource(function, bar);
    if live && noted.is_none() {
        let why =
            "`resource` could not be read, so nothing tells whether the table lies inside its BAR".to_owned();
        return Err(Unreadable::NotRead { why });
    }
    if let Some(resource) = noted {
        if resource.is_upper_half(function.space(), bar) {
            return Err(Unreadable::NoSuchBar { bar });
        }
        // After a reset behind the kernel's back, nobody decodes the address that the kernel has noted. The BARs of a
        // virtual function are in its physical function and read zero here (PCIe 6.2, 9.3.4.1.11).
        if !resource.is_assigned() || is_lost(function, bar) && !function.is_virtual() {
            return Err(Unreadable::BarUnassigned { bar });
        }
        if !resource.is_memory() {
            return Err(Unreadable::NoResourceFile { bar });
        }
        let size = resource.size();
        if end > size {
            return Err(Unreadable::OutsideBar { bar, end, size });
        }
    }
    let length = usize::try_from(place.length).unwrap_or(usize::MAX);
    // From the function's own folder: a manifest names real paths, not those through links.
    let folder = tree.enter(&format!("{DEVICES}/{}", function.address));
    let window = folder.and_then(|f| f.window(&format!("resource{bar}"), place.offset.into(), length));
    window.map_err(|error| match error.cause {
        Cause::Errno(Errno::ENOENT) => Unreadable::NoResourceFile { bar },
        Cause::Errno(errno @ (Errno::EPERM | Errno::EACCES)) => {
            Unreadable::NotPermitted { bar, error: format!("{errno:?}") }
        }
        Cause::Errno(Errno::EINVAL) if function.driver().is_some() => {
            Unreadable::OwnedByDriver { bar, driver: function.driver().map(str::to_owned) }
        }
        Cause::NotCaptured => Unreadable::NotCaptured { bar },
        cause => Unreadable::Failed { bar, error: cause.to_string() },
    })
}

/// Whether the register of a BAR holds no address.
fn is_lost(function: &Function, bar: u8) -> bool {
    let raw = function.space().map(raw_bars).unwrap_or_default();
    raw.iter().any(|b| b.number == bar && b.address == 0)
}

/// The line of `resource` for a BAR.
fn resource(function: &Function, bar: u8) -> Option<Resource> {
    resources(function.reading.text("resource")?)?.get(usize::from(bar)).copied().flatten()
}

fn entries(window: &Window, place: Place, platform: &Platform, x86: bool) -> Option<Vec<Vector>> {
    (0..place.length / ENTRY as u32)
        .map(|index| {
            let word = |i: usize| window.u32(index as usize * ENTRY as usize + i * 4);
            let (low, high, data, control) = (word(0)?, word(1)?, word(2)?, word(3)?);
            let address = u64::from(high) << 32 | u64::from(low);
            Some(Vector {
                index: index as u16,
                address,
                data,
                masked: control & 1 == 1,
                control,
                pending: None,
                message: x86.then(|| message(address, data, platform.interrupt_remapping)),
            })
        })
        .collect()
}

/// Decodes an x86 message. `remapping`: interrupt remapping is known to be on or off.
pub fn message(address: u64, data: u32, remapping: Option<bool>) -> Message {
    if address == 0 && data == 0 {
        return Message::Empty;
    }
    // Messages go to FEEx_xxxxh (Intel SDM volume 3, 11.11.1); the upper half is zero except for x2APIC extended
    // destinations of hypervisors.
    if address >> 20 != 0xfee {
        return Message::Foreign;
    }
    let low = address as u32;
    if low & 0x10 != 0 {
        // Interrupt format bit set: VT-d's remappable format. Handle bits 14:0 in 19:5, bit 15 in 2, SHV in 3.
        let handle = (low >> 5 & 0x7fff | (low >> 2 & 1) << 15) as u16;
        return Message::Remappable { handle, subhandle: (low & 8 != 0).then_some(data as u16) };
    }
    let destination_apic_id = low >> 12 & 0xff;
    let vector = data as u8;
    if remapping == Some(false) {
        let delivery_mode =
            ["fixed", "lowest-priority", "SMI", "reserved", "NMI", "INIT", "reserved", "ExtINT"]
                [(data >> 8 & 7) as usize];
        return Message::Processor {
            destination_apic_id,
            vector,
            delivery_mode,
            trigger_mode: if data & 0x8000 != 0 { "level" } else { "edge" },
            logical: low & 4 != 0,
        };
    }
    Message::Ambiguous { destination_apic_id, vector, remapping_index: (data & 0x7ff) as u16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_decoded_only_as_far_as_is_known() {
        let off = message(0xfee0_1000, 0x34, Some(false));
        assert_eq!(
            off,
            Message::Processor {
                destination_apic_id: 1,
                vector: 0x34,
                delivery_mode: "fixed",
                trigger_mode: "edge",
                logical: false
            }
        );
        // Handle 0x8003, no subhandle: bits 19:5 = 3, bit 2 = 1, format bit 4.
        assert_eq!(
            message(0xfee0_0074, 0, Some(true)),
            Message::Remappable { handle: 0x8003, subhandle: None }
        );
        assert_eq!(message(0xfee0_0018, 2, None), Message::Remappable { handle: 0, subhandle: Some(2) });
        assert_eq!(
            message(0xfee0_1000, 0x34, None),
            Message::Ambiguous { destination_apic_id: 1, vector: 0x34, remapping_index: 0x34 }
        );
        assert_eq!(message(0, 0, None), Message::Empty);
        assert_eq!(message(0x1_fee0_0000, 1, Some(false)), Message::Foreign);
    }
}

#[cfg(test)]
#[path = "vectors_tests.rs"]
mod reading_tests;
