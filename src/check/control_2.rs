//! Device Control 2: tags of ten bits, completion timeouts, atomic operations, latency reporting.

use crate::machine::Function;
use crate::pci::capability::express::{self, DeviceCapabilities2, DeviceControl2, PortType};
use crate::pci::decode::Specification;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{self, Read, Subject};

const EXPRESS: &Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "tag10-mismatch",
        rule: "A device that uses 10-bit tags has a root port above that completes them.",
        reads: "DevCtl2 bit 12 of the device, DevCap2 bit 16 of its root port",
        why: "Completions with the upper bits lost go to the wrong request.",
        reference: "PCIe 6.2, 2.2.6.2",
        remedy: "switch 10-bit tags off in firmware setup (`10-bit Tag Support`)",
        who: Who::Firmware,
        false_positives: "Requests that only go to a peer that supports them.",
        of: Of::Function(tags_10bit),
        ..Check::BASE
    },
    Check {
        id: "cto-disabled",
        rule: "Completion timeouts are not disabled.",
        severity: Severity::Off,
        reads: "DevCtl2 bit 4",
        why: "Without a timeout a read from a dead device never ends: the processor or device hangs and nothing is logged.",
        reference: "PCIe 6.2, 2.8 and 7.5.3.16",
        remedy: "look for a completion timeout setting in firmware setup or of the driver",
        who: Who::Firmware,
        false_positives: "POWER9 machines that are sound have it disabled.",
        of: Of::Function(timeout_disabled),
        ..Check::BASE
    },
    Check {
        id: "cto-range",
        rule: "The completion timeout is one that the device supports.",
        severity: Severity::Warn,
        reads: "DevCtl2 bits 3:0, DevCap2 bits 3:0",
        why: "What a device does with a value that it does not support is undefined.",
        reference: "PCIe 6.2, 7.5.3.15 and 7.5.3.16",
        remedy: "update firmware",
        who: Who::Firmware,
        of: Of::Function(timeout_range),
        ..Check::BASE
    },
    Check {
        id: "atomics-path",
        rule: "Where a device may send atomic operations, every bridge above routes them.",
        reads: "DevCtl2 bits 6 and 7, DevCap2 bit 6, of every function on the way",
        why: "An atomic operation that a port blocks is an error of the requester.",
        reference: "PCIe 6.2, 6.15; Linux pci_enable_atomic_ops_to_root",
        remedy: "a driver enabled it without asking the kernel: update it",
        who: Who::Driver,
        of: Of::Function(atomics),
        ..Check::BASE
    },
    Check {
        id: "ltr-refused",
        rule: "Latency Tolerance Reporting is on all the way up or not at all.",
        severity: Severity::Warn,
        reads: "DevCtl2 bit 10 of the function and of the port above",
        why: "A latency message to a port that has it off is an unsupported request.",
        reference: "PCIe 6.2, 6.18; Linux pci_configure_ltr",
        remedy: "update firmware: it enabled the lower end only",
        who: Who::Firmware,
        of: Of::Function(latency_reporting),
        ..Check::BASE
    },
];

fn second(function: &Function) -> Result<(), Skip> {
    match crate::machine::link::has_second_registers(function) {
        true => Ok(()),
        false => {
            Err(Skip::not_applicable("the capability is of version 1, which does not have this register"))
        }
    }
}

fn control_2(subject: &Subject<'_>) -> Result<Read<DeviceControl2>, Skip> {
    let control = subject.register(EXPRESS)?;
    second(subject.function)?;
    if subject.function.is_virtual() {
        return Err(Skip::not_applicable(
            "the setting of a virtual function is that of its physical function",
        ));
    }
    Ok(control)
}

fn tags_10bit(subject: &Subject<'_>) -> Judged {
    let control = control_2(subject)?;
    if !subject.port()?.is_endpoint() {
        return Err(Skip::not_applicable("only endpoints are judged"));
    }
    let own = control.field("tag_10bit_requester_enable");
    if !control.tag_10bit_requester_enable() {
        return Ok(Verdict::good([own]));
    }
    let path = subject.around.machine.path(subject.function);
    let Some(root) = path.first().filter(|f| f.address != subject.address()) else {
        return Err(Skip::unknown("the root port is not known"));
    };
    let completer: Read<DeviceCapabilities2> = subject::register(root, EXPRESS)?;
    let proofs = [own, completer.field("tag_10bit_completer_supported")];
    match completer.tag_10bit_completer_supported() {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            format!("it uses 10-bit tags, which {} does not complete", root.address),
            "a root port that completes them",
            "one that does not",
            proofs,
        )),
    }
}

fn timeout_disabled(subject: &Subject<'_>) -> Judged {
    let control = control_2(subject)?;
    let proofs = [control.field("completion_timeout_disable")];
    match control.completion_timeout_disable() {
        false => Ok(Verdict::good(proofs)),
        true => Ok(Verdict::bad("completion timeouts are disabled", "enabled", "disabled", proofs)),
    }
}

fn timeout_range(subject: &Subject<'_>) -> Judged {
    let control = control_2(subject)?;
    let capabilities: Read<DeviceCapabilities2> = subject.register(EXPRESS)?;
    let (value, ranges) =
        (u32::from(control.completion_timeout_value()), capabilities.completion_timeout_ranges_supported());
    let proofs = [
        control.field("completion_timeout_value"),
        capabilities.field("completion_timeout_ranges_supported"),
    ];
    let range = match value {
        0 => return Ok(Verdict::good(proofs)),
        1 | 2 => 1,
        5 | 6 => 2,
        9 | 10 => 4,
        13 | 14 => 8,
        _ => {
            let found = format!("{value:#x}");
            return Ok(Verdict::bad("the completion timeout is a reserved value", "a range", found, proofs));
        }
    };
    match ranges & range {
        0 => Ok(Verdict::bad(
            "the completion timeout is in a range that the device does not support",
            format!("ranges {ranges:#06b}"),
            format!("range {range:#06b}"),
            proofs,
        )),
        _ => Ok(Verdict::good(proofs)),
    }
}

fn atomics(subject: &Subject<'_>) -> Judged {
    let control = control_2(subject)?;
    if !subject.port()?.is_endpoint() {
        return Err(Skip::not_applicable("only endpoints are judged"));
    }
    let own = control.field("atomic_op_requester_enable");
    if !control.atomic_op_requester_enable() {
        return Ok(Verdict::good([own]));
    }
    let path = subject.around.machine.path(subject.function);
    let above = path.split_last().map(|(_, above)| above).unwrap_or_default();
    let mut proofs: Vec<Proof> = vec![own];
    for bridge in above {
        second(bridge)?;
        let capabilities: Read<DeviceCapabilities2> = subject::register(bridge, EXPRESS)?;
        let their: Read<DeviceControl2> = subject::register(bridge, EXPRESS)?;
        let root = crate::machine::link::port_type(bridge) == Some(PortType::RootPort);
        let completes = root
            && (capabilities.atomic_op_completer_32bit_supported()
                || capabilities.atomic_op_completer_64bit_supported());
        let routes = capabilities.atomic_op_routing_supported() || completes;
        // What leaves for the root complex leaves through the Upstream Port of a switch: at other ports the bit keeps back what
        // goes down (Linux: pci_enable_atomic_ops_to_root in drivers/pci/pci.c).
        let leaves = crate::machine::link::port_type(bridge) == Some(PortType::UpstreamPort);
        let what = match (routes, leaves && their.atomic_op_egress_blocking()) {
            (true, false) => {
                proofs.push(capabilities.field("atomic_op_routing_supported"));
                continue;
            }
            (false, _) => "does not route them",
            (_, true) => "blocks them",
        };
        proofs.extend([
            capabilities.field("atomic_op_routing_supported"),
            their.field("atomic_op_egress_blocking"),
        ]);
        let summary = format!("it may send atomic operations and {} {what}", bridge.address);
        return Ok(Verdict::bad(summary, "routed by every bridge above", what, proofs));
    }
    Ok(Verdict::good(proofs))
}

fn latency_reporting(subject: &Subject<'_>) -> Judged {
    let upper = subject.upper_end()?;
    let control = control_2(subject)?;
    second(upper)?;
    let above: Read<DeviceControl2> = subject::register(upper, EXPRESS)?;
    let proofs = [control.field("ltr_mechanism_enable"), above.field("ltr_mechanism_enable")];
    if !control.ltr_mechanism_enable() || above.ltr_mechanism_enable() {
        return Ok(Verdict::good(proofs));
    }
    Ok(Verdict::bad(
        format!("it sends latency messages, and {} has them off", upper.address),
        "on at both ends",
        "on at the lower end only",
        proofs,
    ))
}
