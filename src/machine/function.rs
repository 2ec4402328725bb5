//! One function: what was read of it, found again by name.

use crate::pci::capability::{express, msi, msix, subsystem};
use crate::pci::decode::{self, Capability, Context, Specification};
use crate::pci::header;
use crate::pci::register::RegisterType;
use crate::pci::walk::{self, Anomaly, List, Located};
use crate::pci::{Bdf, ConfigSpace};
use crate::tree::Cause;

use super::enumerate::Entry;
use super::presence::{self, Presence, State};
use super::reading::{self, Reading};

/// What the function is. The kernel's copy of the identifiers counts first, because it outlives the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// Vendor ID.
    pub vendor_id: Option<u16>,
    /// Device ID.
    pub device_id: Option<u16>,
    /// Class code, 24 bits.
    pub class: Option<u32>,
    /// Revision ID.
    pub revision: Option<u8>,
    /// Subsystem vendor ID and subsystem ID.
    pub subsystem: Option<(u16, u16)>,
    /// Vendor and device ID in configuration space, where they differ from the kernel's copy: somebody else answers
    /// there now.
    pub answers_as: Option<(u16, u16)>,
}

/// One function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its address.
    pub address: Bdf,
    /// The bridge directly above it; `None` below a host bridge or where nothing tells.
    pub parent: Option<Bdf>,
    /// Name of its host bridge in sysfs, such as `pci0000:80`.
    pub host_bridge: Option<String>,
    /// Whether anybody answers.
    pub presence: Presence,
    /// What it is.
    pub identity: Identity,
    /// Everything that was read of it.
    pub reading: Reading,
    /// Capabilities of both lists; empty unless the function answers.
    pub located: Vec<Located>,
}

impl Function {
    /// Draws the conclusions that every command needs from what was read.
    pub fn new(entry: &Entry, reading: Reading) -> Self {
        let presence = presence::judge(&reading);
        let located = match presence.state {
            State::Answering => reading::locate(&mut &reading.space),
            _ => Vec::new(),
        };
        Function {
            address: entry.address,
            parent: entry.parent,
            host_bridge: entry.host_bridge.clone(),
            identity: identity(&reading, presence.state, &located),
            presence,
            located,
            reading,
        }
    }

    /// Whether configuration space may be decoded.
    pub fn answers(&self) -> bool {
        self.presence.state == State::Answering
    }

    /// How many bytes of configuration space can be read of the function as it is now: 0, 64, 256 or 4096. A dump with
    /// a hole, or the 128 bytes that an unprivileged user reads of a CardBus bridge, count as the next lower of these.
    pub fn config_bytes(&self) -> u16 {
        if !self.answers() {
            return 0;
        }
        [4096, 256, 64].into_iter().find(|size| self.reading.space.limit() >= *size).unwrap_or(0)
    }

    /// Whether it is a virtual function: identity reads all-ones by specification (PCIe 6.2, 9.3.4.1.1), and BARs,
    /// Memory Space Enable and link registers are those of the physical function.
    pub fn is_virtual(&self) -> bool {
        // A dump holds no links, and a summary does not ask for this one; there the identity tells. Elsewhere it does not: a
        // device that dies while it is read looks the same.
        let dump = self.reading.answer("uevent") == Some(&Err(Cause::NotCaptured));
        let told = !dump && self.reading.answer("physfn").is_some();
        self.reading.link_name("physfn").is_some() || !told && self.reads_no_identity()
    }

    /// Whether vendor and device ID read all-ones. Of a virtual function they do so by specification; any other function
    /// that answers elsewhere does not answer as it should.
    pub fn reads_no_identity(&self) -> bool {
        self.space().is_some_and(|s| s.u32(0) == Some(u32::MAX))
    }

    /// Whether everything on the standard capability list is known, so that what is not on it is not there.
    pub fn standard_list_known(&self) -> bool {
        // In a layout that does not exist nobody knows where the list begins.
        let layout = self.header_layout().filter(|layout| header::LAYOUTS.contains(layout));
        self.lost_capability().is_none()
            && layout.is_some_and(|layout| walk::standard(&mut &self.reading.space, layout).complete)
    }

    /// A capability that the kernel found when it enumerated the function and that is not on the list now, with the attribute
    /// that only exists because of it (kernel: pcie_dev_attrs_are_visible in drivers/pci/pci-sysfs.c; msi_sysfs_populate_desc
    /// in kernel/irq/msi.c).
    pub fn lost_capability(&self) -> Option<(&'static str, &'static str)> {
        let reading = &self.reading;
        let answers = |name| matches!(reading.answer(name), Some(Ok(text)) if !text.is_empty());
        let has = |specification| self.find(specification).is_some();
        let layout = self.header_layout().is_some_and(|layout| header::LAYOUTS.contains(&layout));
        // In a layout that does not exist nobody knows where the list begins.
        if !self.answers() || !layout || reading.space.limit() <= 64 {
            None
        } else if answers("max_link_speed") && !has(&express::SPECIFICATION) {
            Some((express::SPECIFICATION.name, "max_link_speed"))
        } else if answers("msi_irqs") && !has(&msi::SPECIFICATION) && !has(&msix::SPECIFICATION) {
            Some(("MSI or MSI-X", "msi_irqs"))
        } else {
            None
        }
    }

    /// Whether everything on the extended capability list is known. A PCI Express function has extended configuration
    /// space, whether or not it could be read.
    pub fn extended_list_known(&self) -> bool {
        let express = self.find(&express::SPECIFICATION).is_some();
        self.standard_list_known()
            && (!express && self.reading.space.limit() <= 256
                || walk::extended(&mut &self.reading.space).complete)
    }

    /// What of configuration space could not be read, and why: a clause. `None` if nothing is missing that there is.
    pub fn unread(&self) -> Option<String> {
        let reading = &self.reading;
        if !self.answers() {
            return Some(self.presence.reason.clone());
        }
        if let Some((offset, cause)) = reading.config_error {
            return Some(format!("configuration space from {offset:#x}: {cause}"));
        }
        let limit = reading.space.limit();
        let express = self.find(&express::SPECIFICATION).is_some();
        match reading.config_size {
            // Kernel: pci_read_config gives 64 bytes, of a CardBus bridge 128, to readers without CAP_SYS_ADMIN.
            Some(size) if size > u64::from(limit) && matches!(limit, 64 | 128) => Some(format!(
                "configuration space from {limit:#x} to {size:#x}: the kernel gives it to root only (CAP_SYS_ADMIN)"
            )),
            Some(size) if size > u64::from(limit) => {
                Some(format!("configuration space from {limit:#x} to {size:#x}: the source ends there"))
            }
            _ if !self.standard_list_known() && limit <= 128 => {
                Some(format!("configuration space from {limit:#x}: the source holds {limit} bytes only"))
            }
            _ if express && limit <= 256 => Some(format!(
                "extended configuration space, {limit:#x} to 0x1000: the source holds {limit} bytes only"
            )),
            _ if reading.config_reads == 0 => self.holes(),
            _ => None,
        }
    }

    /// Ranges that a dump does not hold.
    fn holes(&self) -> Option<String> {
        let mut next = 0;
        let mut holes = Vec::new();
        let end = [(self.reading.space.limit(), &[][..])];
        for (offset, bytes) in self.reading.space.pieces().chain(end) {
            if offset > next {
                holes.push(format!("{next:#x} to {offset:#x}"));
            }
            next = offset + bytes.len() as u16;
        }
        (!holes.is_empty()).then(|| format!("configuration space {}: not in the source", holes.join(", ")))
    }

    /// Configuration space of a function that answers; of any other, an empty one.
    pub fn space(&self) -> Option<&ConfigSpace> {
        self.answers().then_some(&self.reading.space)
    }

    /// The capability of that kind (the first, if there are several).
    pub fn find(&self, specification: &Specification) -> Option<Located> {
        self.located.iter().copied().find(|l| (l.list, l.id) == (specification.list, specification.id))
    }

    /// A register of a capability, at the offset that its table gives.
    pub fn register<R: RegisterType>(&self, specification: &Specification) -> Option<R> {
        let located = self.find(specification)?;
        let offset = located.offset.checked_add(R::REGISTER.offset)?;
        self.space()?.value(offset, R::REGISTER.width).map(R::from_raw)
    }

    /// A register of the header.
    pub fn header<R: RegisterType>(&self) -> Option<R> {
        header::read(self.space()?)
    }

    /// Header layout: 0 endpoint, 1 bridge, 2 CardBus bridge.
    pub fn header_layout(&self) -> Option<u8> {
        self.header::<header::HeaderType>().map(header::HeaderType::layout)
    }

    /// What layouts of capabilities depend on.
    pub fn context(&self) -> Option<Context> {
        let space = self.space()?;
        Some(decode::with_express(space, header::context(space)?, &self.located))
    }

    /// Every capability with its registers, and everything that is wrong with the lists.
    pub fn decode(&self) -> (Vec<Capability>, Vec<Anomaly>) {
        let (Some(space), Some(context)) = (self.space(), self.context()) else { return Default::default() };
        let mut space = space;
        let mut anomalies = Vec::new();
        if !header::LAYOUTS.contains(&context.header_layout) {
            anomalies.push(Anomaly::UnknownHeaderType { raw: space.u8(0x0e).unwrap_or_default() });
        }
        anomalies.extend(walk::standard(&mut space, context.header_layout).anomalies);
        if self.located.iter().any(|l| l.list == List::Extended) {
            anomalies.extend(walk::extended(&mut space).anomalies);
        }
        let (capabilities, found) = decode::capabilities(&mut space, context, &self.located);
        anomalies.extend(found);
        (capabilities, anomalies)
    }

    /// Name of the driver that is bound to it.
    pub fn driver(&self) -> Option<&str> {
        let from_uevent = uevent(&self.reading, "DRIVER").filter(|name| !name.is_empty());
        from_uevent.or_else(|| self.reading.link_name("driver"))
    }

    /// Whether it is known that no driver is bound (as opposed to not known).
    pub fn driver_known(&self) -> bool {
        self.reading.text("uevent").is_some()
            || matches!(self.reading.answer("driver"), Some(Ok(_)))
            || self
                .reading
                .answer("driver")
                .is_some_and(|a| matches!(a, Err(Cause::Errno(nix::errno::Errno::ENOENT))))
    }
}

/// A value of the function's `uevent`.
pub fn uevent<'a>(reading: &'a Reading, key: &str) -> Option<&'a str> {
    reading.text("uevent")?.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

fn identity(reading: &Reading, state: State, located: &[Located]) -> Identity {
    let hex = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let pair = |text: &str| {
        let (a, b) = text.split_once(':')?;
        Some((hex(a)? as u16, hex(b)? as u16))
    };
    let attribute = |name| reading.text(name).and_then(hex);
    let event_ids = uevent(reading, "PCI_ID").and_then(pair);
    let event_subsystem = uevent(reading, "PCI_SUBSYS_ID").and_then(pair);
    let space = if state == State::Answering { Some(&reading.space) } else { None };
    let config_ids = space.and_then(|s| Some((s.u16(0)?, s.u16(2)?))).filter(|ids| *ids != (0xffff, 0xffff));
    let kernel_ids = event_ids.or_else(|| Some((attribute("vendor")? as u16, attribute("device")? as u16)));
    let kernel_subsystem = event_subsystem
        .or_else(|| Some((attribute("subsystem_vendor")? as u16, attribute("subsystem_device")? as u16)));
    let config_class = space.and_then(|s| s.u32(8)).map(|v| v >> 8);
    let ids = kernel_ids.or(config_ids);
    Identity {
        vendor_id: ids.map(|i| i.0),
        device_id: ids.map(|i| i.1),
        class: uevent(reading, "PCI_CLASS").and_then(hex).or_else(|| attribute("class")).or(config_class),
        revision: space.and_then(|s| s.u8(8)).or_else(|| attribute("revision").map(|r| r as u8)),
        subsystem: kernel_subsystem.or_else(|| config_subsystem(space?, located)).filter(|s| *s != (0, 0)),
        answers_as: config_ids.filter(|config| kernel_ids.is_some_and(|kernel| kernel != *config)),
    }
}

/// Where the header has no room for it, a bridge has a capability and a CardBus bridge registers behind the header.
fn config_subsystem(space: &ConfigSpace, located: &[Located]) -> Option<(u16, u16)> {
    let offset = match header::read::<header::HeaderType>(space)?.layout() {
        0 => header::SubsystemVendorId::REGISTER.offset,
        1 => {
            let id = subsystem::SPECIFICATION.id;
            let capability = located.iter().find(|l| l.list == List::Standard && l.id == id)?;
            capability.offset + subsystem::VendorId::REGISTER.offset
        }
        2 => header::CardbusSubsystemVendorId::REGISTER.offset,
        _ => return None,
    };
    Some((space.u16(offset)?, space.u16(offset + 2)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;
    use reading::{DEVICES, Depth, Order};

    fn subsystem(config: Vec<u8>) -> Option<(u16, u16)> {
        let address: Bdf = "00:01.0".parse().unwrap();
        let tree = MemoryTree::partial().file(format!("{DEVICES}/{address}/config"), config);
        let order = Order {
            address,
            depth: Depth::Full,
            bridge_asleep: false,
            wake: false,
            remembered: false,
            vital_product_data: false,
        };
        let entry = Entry { address, path: String::new(), parent: None, host_bridge: None, linked: false };
        Function::new(&entry, reading::read(&tree, order)).identity.subsystem
    }

    #[test]
    fn without_a_kernel_a_bridge_has_its_subsystem_from_the_capability() {
        let mut config = vec![0; 256];
        config[..4].copy_from_slice(&[0x86, 0x80, 1, 0]);
        config[0x2c..0x30].copy_from_slice(&[1, 0, 2, 0]);
        assert_eq!(subsystem(config.clone()), Some((1, 2)));
        (config[0x0e], config[6], config[0x34]) = (1, 0x10, 0x40);
        assert_eq!(subsystem(config.clone()), None, "these bytes are a window of the bridge");
        config[0x40] = 0x0d;
        config[0x44..0x48].copy_from_slice(&[3, 0, 4, 0]);
        assert_eq!(subsystem(config.clone()), Some((3, 4)));
        config[0x0e] = 2;
        config[0x40..0x44].copy_from_slice(&[5, 0, 6, 0]);
        assert_eq!(subsystem(config), Some((5, 6)));
    }
}
