//! Names of vendors, devices, subsystems and classes, as the PCI ID Repository has them.
//!
//! There are three places a name can come from: the table in the program ([`embedded`]), the system's pci.ids, and a
//! file of the user's (both [`text`]). [`Names::choose`] decides for one of them; a name that it does not have is not
//! looked for in another. Read in this order: this file, [`embedded`], [`text`], `choice`.

mod choice;
mod date;
pub mod embedded;
pub mod text;

use std::borrow::Cow;

pub use choice::NamesError;
pub use date::Date;
pub use embedded::Embedded;

/// What can have a name. Each is given with the IDs above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Vendor ID.
    Vendor(u16),
    /// Vendor ID, device ID.
    Device(u16, u16),
    /// Vendor ID, device ID, subsystem vendor ID, subsystem ID.
    Subsystem(u16, u16, u16, u16),
    /// Base class.
    Class(u8),
    /// Base class, subclass.
    Subclass(u8, u8),
    /// Base class, subclass, programming interface.
    ProgrammingInterface(u8, u8, u8),
}

/// A source of names. It can be asked by several threads at once.
#[derive(Debug)]
pub struct Names {
    embedded: Embedded,
    system: choice::System,
    chosen: choice::Chosen,
}

impl Names {
    /// The name of an entry in the source in use, and only there.
    pub fn name(&self, entry: Entry) -> Option<Cow<'_, str>> {
        match self.text() {
            Some(text) => text.name(entry),
            None => self.embedded.name(entry).map(Cow::Borrowed),
        }
    }

    /// A vendor's name.
    pub fn vendor(&self, vendor: u16) -> Option<Cow<'_, str>> {
        self.name(Entry::Vendor(vendor))
    }

    /// A device's name, without that of its vendor.
    pub fn device(&self, vendor: u16, device: u16) -> Option<Cow<'_, str>> {
        self.name(Entry::Device(vendor, device))
    }

    /// The name of a device's subsystem. A subsystem whose IDs are those of the device has the device's name, as in
    /// lspci.
    pub fn subsystem(
        &self,
        vendor: u16,
        device: u16,
        subvendor: u16,
        subdevice: u16,
    ) -> Option<Cow<'_, str>> {
        self.name(Entry::Subsystem(vendor, device, subvendor, subdevice)).or_else(|| {
            let same = (vendor, device) == (subvendor, subdevice);
            same.then(|| self.device(vendor, device)).flatten()
        })
    }

    /// The name of a class of 24 bits (base class, subclass, programming interface): that of the subclass, else that
    /// of the base class.
    pub fn class(&self, class: u32) -> Option<Cow<'_, str>> {
        let [_, base, subclass, _] = class.to_be_bytes();
        self.name(Entry::Subclass(base, subclass)).or_else(|| self.name(Entry::Class(base)))
    }

    /// The name of the programming interface in a class of 24 bits.
    pub fn programming_interface(&self, class: u32) -> Option<Cow<'_, str>> {
        let [_, base, subclass, interface] = class.to_be_bytes();
        self.name(Entry::ProgrammingInterface(base, subclass, interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names() {
        let names = Names::embedded();
        assert_eq!(names.vendor(0x10de).as_deref(), Some("NVIDIA Corporation"));
        assert_eq!(names.device(0x10de, 0x2b85).as_deref(), Some("GB202 [GeForce RTX 5090]"));
        assert_eq!(names.device(0x8086, 0x10d3).as_deref(), Some("82574L Gigabit Network Connection"));
        assert_eq!(names.device(0x1af4, 0x1041).as_deref(), Some("Virtio 1.0 network device"));
        assert_eq!(names.class(0x03_0000).as_deref(), Some("VGA compatible controller"));
        assert_eq!(names.class(0x03_9900).as_deref(), Some("Display controller"));
        assert_eq!(names.class(0xee_0000), None);
        assert_eq!(names.programming_interface(0x01_0802).as_deref(), Some("NVM Express"));
        assert_eq!(names.programming_interface(0x01_08ee), None);
        assert_eq!(
            names.subsystem(0x8086, 0x10d3, 0x103c, 0x1785).as_deref(),
            Some("NC112i 1-port Ethernet Server Adapter")
        );
        assert_eq!(names.subsystem(0x8086, 0x10d3, 0x1043, 0xffff), None);
        assert_eq!(names.subsystem(0x1af4, 0x1041, 0x1af4, 0x1041), names.device(0x1af4, 0x1041));
    }

    #[test]
    fn threads_may_share_it() {
        let names = Names::embedded();
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..4).map(|_| scope.spawn(|| names.vendor(0x8086))).collect();
            assert!(asked.into_iter().all(|thread| thread.join().unwrap().is_some()));
        });
    }
}
