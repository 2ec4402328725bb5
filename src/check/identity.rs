//! Who it is and who drives it.

use nix::errno::Errno;

use crate::pci::capability::{express, vpd};
use crate::pci::extended::serial_number::{SPECIFICATION, SerialNumber};
use crate::pci::header::ClassCode;
use crate::tree::{Cause, read_text};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "identity-serial-unique",
        rule: "No other device of the same kind has the same Device Serial Number.",
        severity: Severity::Warn,
        reads: "Device Serial Number of all devices with the same vendor and device ID",
        why: "Two cards with one number cannot be told apart in an inventory; cloned or unprogrammed firmware.",
        reference: "PCIe 6.2, 7.9.3",
        remedy: "program the cards' firmware anew",
        who: Who::Replacement,
        false_positives: "Vendors that put a fixed number into all cards. Numbers of zero or all-ones are none, and not \
                          judged.",
        of: Of::Function(serial_unique),
        ..Check::BASE
    },
    Check {
        id: "identity-class-expected",
        rule: "The class code says what the function is.",
        severity: Severity::Off,
        reads: "configuration space 09h to 0Bh",
        why: "A function of class FFh, or of class 00h from before there were classes, is found by no tool that looks for \
              display controllers, drives or network controllers; cards with broken firmware show it.",
        reference: "PCI Code and ID Assignment 1.11, 1.1; PCIe 6.2, 7.5.1.1.6",
        remedy: "update or program anew the device's firmware; what a device must be is said by an expectation (class)",
        who: Who::Replacement,
        false_positives: "Instruments of their own kind. Virtio devices of virtual machines are not judged.",
        of: Of::Function(class),
        ..Check::BASE
    },
    Check {
        id: "driver-bound",
        rule: "Display controllers, accelerators, network and storage controllers have a driver.",
        severity: Severity::Off,
        reads: "driver, class, whether it is PCI Express",
        why: "A device without a driver does nothing, and a driver that gave up leaves none bound.",
        reference: "Linux drivers/base/dd.c",
        remedy: "load the driver and look in the kernel log for why it gave up",
        who: Who::Operator,
        false_positives: "Devices that are set aside on purpose, for a virtual machine that is not running or as spares. Display \
                          controllers on conventional PCI, which are those of management controllers, are not judged, nor are \
                          virtual functions.",
        of: Of::Function(bound),
        ..Check::BASE
    },
    Check {
        id: "driver-enabled",
        rule: "A display, accelerator, network or storage controller with a driver is enabled.",
        severity: Severity::Off,
        reads: "driver, enable",
        why: "A bound driver that did not enable its device did not start properly.",
        reference: "Linux pci_enable_device (enable counts the calls)",
        remedy: "look in the kernel log for messages of the driver",
        who: Who::Driver,
        false_positives: "vfio-pci and drivers that enable the device when it is opened.",
        of: Of::Function(enabled),
        ..Check::BASE
    },
    Check {
        id: "numa-unknown",
        rule: "On a machine with several NUMA nodes the node of display, accelerator, network and storage controllers is known.",
        severity: Severity::Warn,
        reads: "numa_node and local_cpulist of all functions, sys/devices/system/node/online",
        why: "Interrupts and buffers then land on any node: half of them on the far one.",
        reference: "Linux Documentation/ABI/testing/sysfs-bus-pci (numa_node); ACPI 6.5, 6.2.15 (_PXM)",
        remedy: "update firmware: the host bridge lacks _PXM",
        who: Who::Firmware,
        of: Of::Function(numa),
        ..Check::BASE
    },
    Check {
        id: "vpd-readable",
        rule: "Vital product data can be read to its end.",
        severity: Severity::Off,
        reads: "vpd, which the device hands out four bytes at a time; only where the check is on",
        why: "A device that does not hand out its own data is sick, or its firmware is.",
        reference: "PCIe 6.2, 7.9.19; Linux drivers/pci/vpd.c (pci_vpd_wait)",
        remedy: "update the device's firmware; if other checks fail too, begin with those",
        who: Who::Replacement,
        false_positives: "Devices that announce the capability and have no data.",
        of: Of::Function(product_data),
        ..Check::BASE
    },
];

fn serial_unique(subject: &Subject<'_>) -> Judged {
    let own: Read<SerialNumber> = subject.register(&SPECIFICATION)?;
    let number = own.eui_64();
    if number == 0 || number == u64::MAX {
        return Err(Skip::not_applicable("the number is empty"));
    }
    let identity = &subject.function.identity;
    let (vendor, device) = (identity.vendor_id, identity.device_id);
    let here = subject.address();
    // Functions of one card have one number: those of the same device, and all that is below one switch or slot.
    let root = |f: &crate::machine::Function| subject.around.machine.path(f).first().map(|f| f.address);
    let twin = subject.around.machine.functions.iter().find(|other| {
        (other.identity.vendor_id, other.identity.device_id) == (vendor, device)
            && other.register::<SerialNumber>(&SPECIFICATION).is_some_and(|n| n.eui_64() == number)
            && other.address != here
            && root(other) != root(subject.function)
    });
    let proofs = [own.proof];
    match twin {
        None => Ok(Verdict::good(proofs)),
        Some(twin) => Ok(Verdict::bad(
            format!("{} has the same Device Serial Number", twin.address),
            "a number of its own",
            format!("{number:016x}"),
            proofs,
        )),
    }
}

fn class(subject: &Subject<'_>) -> Judged {
    let code: Read<ClassCode> = subject.header()?;
    let proofs = [code.field("base_class")];
    // Virtio has no class for some of its devices (vendor 1af4h; Virtio 1.3, 4.1.2).
    let virtio = subject.function.identity.vendor_id == Some(0x1af4);
    match code.base_class() {
        0x00 | 0xff if virtio => Err(Skip::not_applicable("it is a virtio device, which is known by its ID")),
        0x00 | 0xff => Ok(Verdict::bad(
            "the class code says nothing of what the function is",
            "a class",
            format!("{:#06x}", code.value.0),
            proofs,
        )),
        _ => Ok(Verdict::good(proofs)),
    }
}

/// Where it shows that no driver is bound: `uevent` without `DRIVER=`, or the link that is not there.
fn no_driver(subject: &Subject<'_>) -> Vec<Proof> {
    let address = subject.address();
    match (subject.function.reading.text("uevent"), subject.function.reading.answer("driver")) {
        (Some(text), _) => vec![Proof::Attribute { address, name: "uevent", text: text.to_owned() }],
        (None, Some(Err(cause))) => {
            vec![Proof::Attribute { address, name: "driver", text: cause.to_string() }]
        }
        (None, _) => Vec::new(),
    }
}

fn bound(subject: &Subject<'_>) -> Judged {
    // Mass storage, network, display, processing accelerator (PCI Code and ID Assignment 1.11).
    if !matches!(subject.base_class(), Some(0x01 | 0x02 | 0x03 | 0x12)) {
        return Err(Skip::not_applicable("it is of no class that is judged"));
    }
    match subject.driver() {
        Ok(driver) => {
            let proof =
                Proof::Attribute { address: subject.address(), name: "driver", text: driver.to_owned() };
            Ok(Verdict::good([proof]))
        }
        Err(Skip::NotApplicable(_)) if subject.function.is_virtual() => {
            Err(Skip::not_applicable("a virtual function has no driver here until somebody uses it"))
        }
        // Graphics of a management controller sit behind a bridge to conventional PCI, and are often left without a driver.
        Err(Skip::NotApplicable(_))
            if subject.base_class() == Some(0x03) && !subject.has(&express::SPECIFICATION)? =>
        {
            Err(Skip::not_applicable("it is a display controller on conventional PCI, and has no driver"))
        }
        Err(Skip::NotApplicable(_)) => {
            Ok(Verdict::bad("no driver is bound", "a driver", "none", no_driver(subject)))
        }
        Err(unknown) => Err(unknown),
    }
}

fn enabled(subject: &Subject<'_>) -> Judged {
    let driver = subject.driver()?;
    if driver == "vfio-pci" || driver == "pci-stub" {
        return Err(Skip::not_applicable("its driver keeps it for somebody else"));
    }
    if !matches!(subject.base_class(), Some(0x01 | 0x02 | 0x03 | 0x12)) {
        return Err(Skip::not_applicable("it is of no class that is judged"));
    }
    let (text, proof) = subject.attribute("enable")?;
    match text.parse::<i64>() {
        Ok(1..) => Ok(Verdict::good([proof])),
        Ok(_) => {
            Ok(Verdict::bad(format!("{driver} is bound and has not enabled it"), "1 or more", text, [proof]))
        }
        Err(_) => Err(Skip::unknown(format!("enable holds {text:?}"))),
    }
}

/// Which NUMA nodes there are: `0-1`, `0,2` (Linux Documentation/ABI/stable/sysfs-devices-node).
const NODES: &str = "sys/devices/system/node/online";

fn numa(subject: &Subject<'_>) -> Judged {
    if !matches!(subject.base_class(), Some(0x01 | 0x02 | 0x03 | 0x12)) {
        return Err(Skip::not_applicable("it is of no class that moves much data"));
    }
    let (text, proof) = subject.attribute("numa_node")?;
    let node: i64 = text.parse().map_err(|_| Skip::unknown(format!("numa_node holds {text:?}")))?;
    if node >= 0 {
        return Ok(Verdict::good([proof]));
    }
    let several = subject.around.nodes.are_several(subject.function.reading.text("local_cpulist"));
    let unknown = |proofs: Vec<Proof>| {
        Ok(Verdict::bad("its NUMA node is not known on a machine with several", "a node", "-1", proofs))
    };
    if several {
        return unknown(vec![proof]);
    }
    match read_text(subject.around.tree, NODES) {
        Ok(text) => match text.contains([',', '-']) {
            true => unknown(vec![proof, Proof::File { path: NODES.to_owned(), text }]),
            false => Err(Skip::not_applicable("the machine has one NUMA node")),
        },
        Err(_) if subject.around.nodes.any_named => {
            Err(Skip::not_applicable("the machine is not known to have several NUMA nodes"))
        }
        Err(error) => Err(Skip::unknown(format!("firmware names no NUMA node of any function; {error}"))),
    }
}

fn product_data(subject: &Subject<'_>) -> Judged {
    if !subject.has(&vpd::SPECIFICATION)? {
        return Err(Skip::not_applicable("it has no vital product data"));
    }
    let read = subject.function.reading.vital_product_data.as_ref();
    let read = read.ok_or_else(|| Skip::unknown("vital product data was not read"))?;
    let text = format!("{} bytes", read.bytes.len());
    let proof = Proof::Attribute { address: subject.address(), name: "vpd", text: text.clone() };
    match read.error {
        None => Ok(Verdict::good([proof])),
        Some(Cause::NotCaptured) => Err(Skip::unknown("the source does not hold vital product data")),
        Some(Cause::Errno(Errno::EACCES | Errno::EPERM)) => {
            Err(Skip::unknown("vital product data is for root only"))
        }
        Some(cause) => Ok(Verdict::bad(
            format!("vital product data cannot be read: {cause}"),
            "data up to the end tag",
            text,
            [proof],
        )),
    }
}
