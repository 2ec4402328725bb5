//! The few class codes that code reasons about (PCI Code and ID Assignment 1.11, section 1).
//!
//! A class here has 24 bits, as the file `class` in sysfs has: base class, subclass, programming interface. Names of
//! all classes are in [`crate::names`].

/// Base class: network controller.
pub const NETWORK: u8 = 0x02;
/// Base class: display controller.
pub const DISPLAY: u8 = 0x03;
/// Base class: processing accelerator.
pub const PROCESSING_ACCELERATOR: u8 = 0x12;

/// Base class and subclass: host bridge.
pub const HOST_BRIDGE: u16 = 0x0600;
/// Base class and subclass: PCI-to-PCI bridge, which all ports of a root complex or switch are too.
pub const PCI_TO_PCI_BRIDGE: u16 = 0x0604;

/// The whole class: non-volatile memory controller with the NVM Express interface for input and output.
pub const NVME: u32 = 0x01_0802;

/// The base class.
pub const fn base_class(class: u32) -> u8 {
    (class >> 16) as u8
}

/// Base class in the upper byte, subclass in the lower one: what lspci shows and selects by.
pub const fn subclass(class: u32) -> u16 {
    (class >> 8) as u16
}

/// Whether it is a host bridge.
pub const fn is_host_bridge(class: u32) -> bool {
    subclass(class) == HOST_BRIDGE
}

/// Whether it is a PCI-to-PCI bridge: a root port, a port of a switch, or a bridge to conventional PCI.
pub const fn is_bridge_to_pci(class: u32) -> bool {
    subclass(class) == PCI_TO_PCI_BRIDGE
}

/// Whether it is a display controller, with or without VGA. A GPU for computing is mostly 030200, some are 120000:
/// see [`is_accelerator`].
pub const fn is_display_controller(class: u32) -> bool {
    base_class(class) == DISPLAY
}

/// Whether it is a processing accelerator.
pub const fn is_accelerator(class: u32) -> bool {
    base_class(class) == PROCESSING_ACCELERATOR
}

/// Whether it is a network controller: Ethernet (0200), InfiniBand (0207) and others.
pub const fn is_network_controller(class: u32) -> bool {
    base_class(class) == NETWORK
}

/// Whether it is an NVM Express controller.
pub const fn is_nvme(class: u32) -> bool {
    class & 0xff_ffff == NVME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_taken_apart() {
        assert_eq!((base_class(0x03_0200), subclass(0x03_0200)), (DISPLAY, 0x0302));
        assert!(is_display_controller(0x03_0000) && is_display_controller(0x03_0200));
        assert!(!is_display_controller(0x12_0000) && is_accelerator(0x12_0000));
        assert!(is_bridge_to_pci(0x06_0400) && is_bridge_to_pci(0x06_0401) && !is_bridge_to_pci(0x06_0000));
        assert!(is_host_bridge(0x06_0000) && !is_host_bridge(0x06_0400));
        assert!(is_network_controller(0x02_0700) && !is_network_controller(0x0d_0000));
        assert!(is_nvme(0x01_0802) && !is_nvme(0x01_0801) && !is_nvme(0x01_0803));
    }
}
