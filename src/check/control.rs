//! Device Control: payload, read requests, ordering, tags of eight bits.

use crate::machine::Function;
use crate::pci::capability::express::{self, DeviceCapabilities, DeviceControl, PortType};
use crate::pci::decode::Specification;

use super::finding::{Judged, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity, Threshold};
use super::subject::{self, Read, Subject};

const EXPRESS: &Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "mps-path-mismatch",
        rule: "No function on the way sends packets larger than the next one can take, and both ends of a link agree.",
        reads: "DevCtl bits 7:5 and DevCap bits 2:0 of every function on the way",
        why: "A packet that is too large is malformed: a fatal error.",
        reference: "PCIe 6.2, 2.2.2 and 7.5.3.4; Linux pcie_bus_configure_settings",
        remedy: "reboot with pci=pcie_bus_safe on the kernel command line; if firmware sets it so, update firmware",
        who: Who::Firmware,
        false_positives: "With pci=pcie_bus_perf the ends may differ by design; it is then only warned about.",
        of: Of::Function(payload_mismatch),
        ..Check::BASE
    },
    Check {
        id: "mps-low",
        rule: "The payload size is the largest that everything on the way supports.",
        severity: Severity::Off,
        reads: "DevCtl bits 7:5 and DevCap bits 2:0 of every function on the way",
        why: "Small packets waste a part of the link: 128 bytes cost about 15 per cent against 256.",
        reference: "PCIe 6.2, 7.5.3.4; Linux Documentation/admin-guide/kernel-parameters.txt (pcie_bus_*)",
        remedy: "pci=pcie_bus_safe on the kernel command line, or `Maximum Payload` Auto in firmware setup",
        who: Who::Operator,
        false_positives: "Kernels leave alone what firmware set, by default.",
        of: Of::Function(payload_low),
        ..Check::BASE
    },
    Check {
        id: "mrrs-low",
        rule: "The device may ask for enough bytes in one read request.",
        severity: Severity::Off,
        reads: "DevCtl bits 14:12",
        why: "Many small requests keep a fast device from reaching its bandwidth.",
        reference: "PCIe 6.2, 7.5.3.4",
        remedy: "setpci on Device Control (only while the device is idle), or a setting of the driver",
        who: Who::Operator,
        false_positives: "Devices whose driver chose a small size because of a defect. Of other devices than network controllers \
                          512 bytes are enough, whatever the profile says.",
        threshold: Some(Threshold { default: 512, unit: "bytes" }),
        of: Of::Function(read_request_low),
        ..Check::BASE
    },
    Check {
        id: "relaxed-ordering-off",
        rule: "The device may use relaxed ordering.",
        severity: Severity::Off,
        reads: "DevCtl bit 4",
        why: "On large machines writes of a network controller into memory are much faster with it.",
        reference: "PCIe 6.2, 2.4; Linux pcie_relaxed_ordering_enabled",
        remedy: "`PCI Relaxed Ordering` in firmware setup; a setting of the driver",
        who: Who::Firmware,
        false_positives: "Linux switches it off below root ports that are known to get it wrong; NVIDIA's driver decides \
                          for itself.",
        of: Of::Function(relaxed_ordering),
        ..Check::BASE
    },
    Check {
        id: "ext-tag-off",
        rule: "Extended tags are on where the device has them.",
        severity: Severity::Off,
        reads: "DevCap bit 5, DevCtl bit 8",
        why: "With 5-bit tags only 32 requests may be under way.",
        reference: "PCIe 6.2, 7.5.3.3 and 7.5.3.4; Linux pci_configure_extended_tags",
        remedy: "update kernel or firmware: Linux enables them unless a root port is known not to cope",
        who: Who::Firmware,
        of: Of::Function(extended_tags),
        ..Check::BASE
    },
];

/// Every PCI Express function on the way with one of its registers, topmost first.
fn on_the_way<'a, R: crate::pci::register::RegisterType>(
    subject: &Subject<'a>,
) -> Result<Vec<(&'a Function, Read<R>)>, Skip> {
    let path = subject.around.machine.path(subject.function);
    let read = |function: &&'a Function| match subject::register::<R>(function, EXPRESS) {
        Ok(register) => Some(Ok((*function, register))),
        // A host bridge or conventional bridge has no such register.
        Err(Skip::NotApplicable(_)) => None,
        Err(unknown) => Some(Err(unknown)),
    };
    path.iter().filter_map(read).collect()
}

/// Functions that send and receive packets over a link of their own.
fn own_packets(subject: &Subject<'_>) -> Result<PortType, Skip> {
    let port = subject.with_link()?;
    match subject.address().function {
        0 => Ok(port),
        // Without ARI all functions of a device use the smallest size; their own fields may differ.
        _ => Err(Skip::not_applicable("judged at the first function of the device")),
    }
}

fn payload_mismatch(subject: &Subject<'_>) -> Judged {
    own_packets(subject)?;
    let upper = subject.upper_end()?;
    let above: (Read<DeviceControl>, Read<DeviceCapabilities>) =
        (subject::register(upper, EXPRESS)?, subject::register(upper, EXPRESS)?);
    let below: (Read<DeviceControl>, Read<DeviceCapabilities>) =
        (subject.register(EXPRESS)?, subject.register(EXPRESS)?);
    let proofs = vec![
        above.0.field("max_payload_size"),
        above.1.field("max_payload_size_supported"),
        below.0.field("max_payload_size"),
        below.1.field("max_payload_size_supported"),
    ];
    let size = |encoding: u32| match encoding {
        0..6 => Ok(128u32 << encoding),
        _ => Err(Skip::unknown(format!("a payload size is the reserved value {encoding}"))),
    };
    let (a, b) = (size(above.0.max_payload_size().into())?, size(below.0.max_payload_size().into())?);
    let (can_a, can_b) =
        (size(above.1.max_payload_size_supported())?, size(below.1.max_payload_size_supported())?);
    let found = format!("{} {a} bytes, {} {b} bytes", upper.address, subject.address());
    if a > can_b || b > can_a {
        let summary = format!("one end sends packets that the other cannot take: {found}");
        return Ok(Verdict::bad(summary, "no more than the other end can take", found, proofs));
    }
    if a == b {
        return Ok(Verdict::good(proofs));
    }
    let verdict = Verdict::bad(format!("the ends of the link differ: {found}"), "the same", found, proofs);
    // A function that takes more than it sends is safe, and pcie_bus_perf makes use of that.
    let wide = b < a && !below.1.rx_mps_fixed() || a < b && !above.1.rx_mps_fixed();
    let on_purpose = subject.around.platform.has_option("pci", "pcie_bus_perf");
    Ok(if on_purpose || !wide { verdict.mild() } else { verdict })
}

fn payload_low(subject: &Subject<'_>) -> Judged {
    let port = own_packets(subject)?;
    if !port.is_endpoint() {
        return Err(Skip::not_applicable("judged at the end of the way"));
    }
    let capabilities: Vec<(&Function, Read<DeviceCapabilities>)> = on_the_way(subject)?;
    let control: Read<DeviceControl> = subject.register(EXPRESS)?;
    let can = capabilities.iter().map(|(_, c)| c.max_payload_size_supported()).min().unwrap_or(0);
    let now = u32::from(control.max_payload_size());
    let mut proofs = vec![control.field("max_payload_size")];
    proofs.extend(capabilities.iter().map(|(_, c)| c.field("max_payload_size_supported")));
    if now >= can || now >= 6 {
        return Ok(Verdict::good(proofs));
    }
    let (now, can) = (format!("{} bytes", 128 << now), format!("{} bytes", 128 << can.min(5)));
    Ok(Verdict::bad(format!("payload is {now}, everything on the way takes {can}"), can, now, proofs))
}

fn endpoint_control(subject: &Subject<'_>) -> Result<Read<DeviceControl>, Skip> {
    if !subject.port()?.is_endpoint() {
        return Err(Skip::not_applicable("only endpoints are judged"));
    }
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable(
            "the setting of a virtual function is that of its physical function",
        ));
    }
    subject.register(EXPRESS)
}

/// Bytes of a read request that firmware usually allows, and that are enough for other devices than fast network controllers.
const USUAL_REQUEST: u64 = 512;

fn read_request_low(subject: &Subject<'_>) -> Judged {
    let control = endpoint_control(subject)?;
    let encoding = u64::from(control.max_read_request_size());
    let proofs = [control.field("max_read_request_size")];
    if encoding > 5 {
        return Err(Skip::unknown(format!("the size is the reserved value {encoding}")));
    }
    let (now, wanted) = (128u64 << encoding, subject.around.profile.threshold("mrrs-low"));
    // More than the usual is recommended of network controllers alone.
    let wanted = if subject.base_class() == Some(0x02) { wanted } else { wanted.min(USUAL_REQUEST) };
    if now >= wanted {
        return Ok(Verdict::good(proofs));
    }
    let (now, wanted) = (format!("{now} bytes"), format!("{wanted} bytes"));
    Ok(Verdict::bad(format!("one read request may ask for {now} only"), wanted, now, proofs))
}

fn relaxed_ordering(subject: &Subject<'_>) -> Judged {
    let control = endpoint_control(subject)?;
    if subject.function.identity.vendor_id == Some(0x10de) {
        return Err(Skip::not_applicable("NVIDIA's driver decides for itself"));
    }
    let proofs = [control.field("enable_relaxed_ordering")];
    match control.enable_relaxed_ordering() {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad("relaxed ordering is off", "on", "off", proofs)),
    }
}

fn extended_tags(subject: &Subject<'_>) -> Judged {
    let control = endpoint_control(subject)?;
    let capabilities: Read<DeviceCapabilities> = subject.register(EXPRESS)?;
    if !capabilities.extended_tag_field_supported() {
        return Err(Skip::not_applicable("it has no extended tags"));
    }
    let proofs =
        [capabilities.field("extended_tag_field_supported"), control.field("extended_tag_field_enable")];
    match control.extended_tag_field_enable() {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad("extended tags are off", "on", "off", proofs)),
    }
}
