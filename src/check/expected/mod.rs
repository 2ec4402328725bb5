//! The machine compared with an expectation (`check --expect`).

mod device;
mod link;
mod machine;
mod place;

use crate::check::finding::Who;
use crate::check::registry::{Check, Of};

pub(super) use place::slot_name;

const REFERENCE: &str = "the file that --expect names";

pub static CHECKS: &[Check] = &[
    Check {
        id: "presence-count",
        rule: "Every entry of the expectation finds its devices, as many as it says.",
        reads: "sys/bus/pci/devices, the expectation",
        why: "A device that is not there fails no other check.",
        reference: REFERENCE,
        remedy: "look for the device in its slot; if the entry is wrong, correct the file",
        who: Who::Provider,
        of: Of::Entry(machine::count),
        ..Check::BASE
    },
    Check {
        id: "identity-expected",
        rule: "The device is the expected one: vendor, device, subsystem, class, revision, serial and part number.",
        reads: "uevent, Device Serial Number, vital product data",
        why: "Another card, or one with other firmware, is in the place.",
        reference: REFERENCE,
        remedy: "put the expected card into the slot, or correct the file",
        who: Who::Provider,
        of: Of::Expected(device::identity),
        ..Check::BASE
    },
    Check {
        id: "driver-expected",
        rule: "The expected driver is bound, in the expected version.",
        reads: "driver, version of its module",
        why: "Another driver, or none, has the device.",
        reference: REFERENCE,
        remedy: "bind or install the expected driver",
        who: Who::Operator,
        of: Of::Expected(device::driver),
        ..Check::BASE
    },
    Check {
        id: "firmware-expected",
        rule: "The device has the expected firmware.",
        reads: "proc/driver/nvidia/gpus/ADDRESS/information (Video BIOS)",
        why: "A fleet is qualified with one version.",
        reference: REFERENCE,
        remedy: "update the device's firmware",
        who: Who::Operator,
        false_positives: "Drivers other than NVIDIA's do not tell the firmware in a file that is safe to read: unknown.",
        of: Of::Expected(device::firmware),
        ..Check::BASE
    },
    Check {
        id: "link-expected",
        rule: "The link has the expected speed and width.",
        reads: "LnkSta and LnkCap",
        why: "The expectation may be below what the hardware can, by design; then it is that which counts.",
        reference: REFERENCE,
        remedy: "reseat the card and its riser; look for speed and bifurcation settings of the slot in firmware setup",
        who: Who::Provider,
        false_positives: "Display controllers and accelerators go to a lower speed while idle: give them work (--while), or \
                          expect `max_speed`. While a device has work, the slowest and narrowest look counts.",
        of: Of::Expected(link::link_expected),
        ..Check::BASE
    },
    Check {
        id: "link-retimers",
        rule: "The link has the expected number of retimers.",
        reads: "LnkCap2 bits 23 and 24, LnkSta2 bits 6 and 7 of the port above",
        why: "A riser or cable with another number of retimers is another part.",
        reference: "PCIe 6.2, 7.5.3.18 and 7.5.3.20",
        remedy: "look at riser and cables",
        who: Who::Provider,
        of: Of::Expected(link::retimers),
        ..Check::BASE
    },
    Check {
        id: "msix-expected",
        rule: "The device has the expected number of MSI-X vectors.",
        reads: "MSI-X Control bits 10:0",
        why: "Fewer vectors than expected are another firmware or configuration of the card.",
        reference: REFERENCE,
        remedy: "look at the card's configuration and firmware",
        who: Who::Operator,
        of: Of::Expected(device::vectors),
        ..Check::BASE
    },
    Check {
        id: "rebar-expected",
        rule: "Resizable BARs have the expected sizes.",
        reads: "ReBAR control",
        why: "The processor reaches only that much of the device's memory.",
        reference: REFERENCE,
        remedy: "set `Re-Size BAR Support` and `Above 4G Decoding` to Enabled in firmware setup",
        who: Who::Firmware,
        of: Of::Expected(device::bar_sizes),
        ..Check::BASE
    },
    Check {
        id: "numa-expected",
        rule: "The device is at the expected NUMA node.",
        reads: "numa_node",
        why: "It is in a slot of another processor, or firmware does not tell.",
        reference: REFERENCE,
        remedy: "move the card, or look for NUMA settings in firmware setup",
        who: Who::Provider,
        of: Of::Expected(place::node),
        ..Check::BASE
    },
    Check {
        id: "slot-expected",
        rule: "The device is in the expected slot.",
        reads: "sys/bus/pci/slots, SltCap bits 31:19 of the port above",
        why: "Cables and documentation go by slots.",
        reference: REFERENCE,
        remedy: "move the card, or correct the file",
        who: Who::Provider,
        of: Of::Expected(place::slot),
        ..Check::BASE
    },
    Check {
        id: "switch-expected",
        rule: "The device is below the expected bridge.",
        reads: "the path of the device in sys/devices",
        why: "Which devices share a switch decides how they reach each other.",
        reference: REFERENCE,
        remedy: "move the card or the cable",
        who: Who::Provider,
        of: Of::Expected(place::below),
        ..Check::BASE
    },
    Check {
        id: "sriov-expected",
        rule: "The expected number of virtual functions is enabled.",
        reads: "SR-IOV NumVFs and VF Enable",
        why: "Virtual machines wait for them.",
        reference: REFERENCE,
        remedy: "write the number to sriov_numvfs",
        who: Who::Operator,
        of: Of::Expected(device::virtual_functions),
        ..Check::BASE
    },
    Check {
        id: "platform-expected",
        rule: "The machine is the expected one: vendor, board, firmware, kernel.",
        reads: "sys/class/dmi/id, proc/sys/kernel/osrelease",
        why: "A machine with other firmware is another machine as far as PCI Express is concerned.",
        reference: REFERENCE,
        remedy: "update the firmware or the kernel",
        who: Who::Operator,
        of: Of::ExpectedMachine(machine::platform),
        ..Check::BASE
    },
];
