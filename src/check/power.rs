//! Power states, and whether the kernel may take the power away.

use crate::machine::power::power;
use crate::machine::{Function, link};
use crate::pci::capability::express::{self, DeviceCapabilities2, DeviceStatus};
use crate::pci::capability::power::{ControlStatus, SPECIFICATION};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "power-state",
        rule: "The power state in hardware is the one that the kernel believes.",
        reads: "PMCSR bits 1:0, power_state, power/runtime_status",
        why: "A function in D3hot answers configuration accesses and nothing else: if the kernel believes it in D0, every \
              register reads all-ones.",
        reference: "PCIe 6.2, 5.3.1 and 7.5.2.2; Linux pci_power_names",
        remedy: "find out who wrote PMCSR (a setpci script, a vendor's tool); unbind and bind the driver",
        who: Who::Operator,
        of: Of::Function(state),
        ..Check::BASE
    },
    Check {
        id: "power-emergency",
        rule: "Nobody has told the device to save power in an emergency.",
        severity: Severity::Warn,
        reads: "DevSta bit 6",
        why: "The system's power ran short, by a supply that failed or a limit: the device went slow, and may need to be set \
              up anew.",
        reference: "PCIe 6.2, 6.24 and 7.5.3.5",
        remedy: "look at power supplies and power limits in the BMC's event log",
        who: Who::Provider,
        false_positives: "The bit stays until software clears it: it may be old.",
        lasting: Lasting::Bits,
        of: Of::Function(emergency),
        ..Check::BASE
    },
    Check {
        id: "power-runtime",
        rule: "The kernel does not take the power of a function away while it is idle (D3cold).",
        severity: Severity::Off,
        reads: "power/control and d3cold_allowed of the function and of every bridge above, driver",
        why: "A device that goes to D3cold while idle loses its link each time; on servers some do not come back. One without \
              a driver stays in D0 by itself, and loses its power with the bridge above it.",
        reference: "Linux Documentation/ABI/testing/sysfs-bus-pci (d3cold_allowed), power/pci.rst, drivers/pci/pci.c \
                    (pci_dev_check_d3cold, pci_bridge_d3_update)",
        remedy: "write `on` to power/control of the function, or 0 to its d3cold_allowed; pcie_port_pm=off on the kernel \
                 command line for all bridges",
        who: Who::Operator,
        false_positives: "Laptops want it. That the kernel may is not that it does: a driver has to let its device rest. \
                          Bridges that may be suspended are no fault while a function below may not: it keeps them awake.",
        of: Of::Function(runtime),
        ..Check::BASE
    },
];

fn state(subject: &Subject<'_>) -> Judged {
    let register: Read<ControlStatus> = subject.register(&SPECIFICATION)?;
    let power = power(subject.function);
    let hardware = power.hardware_state.ok_or_else(|| Skip::unknown("PMCSR was not read"))?;
    let mut proofs = vec![register.field("power_state")];
    let Some(kernel) = power.kernel_state.as_deref() else {
        // Kernels before 5.15 do not tell; D0 is right whatever they believe of a function that is not suspended.
        return match (hardware, power.runtime_status.as_deref()) {
            ("D0", _) => Ok(Verdict::good(proofs)),
            (_, Some("active")) => Ok(Verdict::bad(
                format!("the function is in {hardware} and the kernel counts it as active"),
                "D0",
                hardware,
                proofs,
            )),
            _ => Err(Skip::unknown("the source does not tell which state the kernel believes")),
        };
    };
    let name = "power_state";
    proofs.push(Proof::Attribute { address: subject.address(), name, text: kernel.to_owned() });
    match (kernel, hardware) {
        (kernel, hardware) if kernel == hardware => Ok(Verdict::good(proofs)),
        // What the kernel has not looked at since the driver let go.
        ("unknown", _) => Err(Skip::unknown("the kernel does not know the state (no driver is bound)")),
        ("D0", hardware) => Ok(Verdict::bad(
            format!("the function is in {hardware} and the kernel believes D0"),
            "D0",
            hardware,
            proofs,
        )),
        (kernel, hardware) => Ok(Verdict::bad(
            format!("the kernel believes {kernel} and the function is in {hardware}"),
            kernel.to_owned(),
            hardware,
            proofs,
        )
        .mild()),
    }
}

fn emergency(subject: &Subject<'_>) -> Judged {
    let status: Read<DeviceStatus> = subject.register(&express::SPECIFICATION)?;
    let capabilities: Option<DeviceCapabilities2> = subject.function.register(&express::SPECIFICATION);
    let supported = capabilities.filter(|_| link::has_second_registers(subject.function));
    if supported.is_none_or(|supported| supported.emergency_power_reduction_supported() == 0) {
        return Err(Skip::not_applicable("it has no Emergency Power Reduction"));
    }
    let proofs = [status.field("emergency_power_reduction_detected")];
    match status.emergency_power_reduction_detected() {
        false => Ok(Verdict::good(proofs)),
        true => Ok(Verdict::bad("it was told to save power in an emergency", "never", "detected", proofs)),
    }
}

/// Whether the kernel may put a function into D3cold by its settings in sysfs, with the proofs.
fn may_lose_power(function: &Function) -> Result<(bool, Vec<Proof>), Skip> {
    let address = function.address;
    let text = |name: &'static str| {
        let text = function.reading.text(name);
        let text = text.ok_or_else(|| Skip::unknown(format!("{name} of {address} was not read")))?;
        Ok((text, Proof::Attribute { address, name, text: text.to_owned() }))
    };
    let (control, proof) = text("power/control")?;
    if control == "on" {
        return Ok((false, vec![proof]));
    }
    let (allowed, other) = text("d3cold_allowed")?;
    Ok((allowed != "0", vec![proof, other]))
}

fn runtime(subject: &Subject<'_>) -> Judged {
    if subject.layout()? != 0 || subject.function.is_virtual() {
        return Err(Skip::not_applicable("judged at the end of the way"));
    }
    let (may, mut proofs) = may_lose_power(subject.function)?;
    // A function that must stay awake keeps every bridge above it awake.
    if !may {
        return Ok(Verdict::good(proofs));
    }
    let path = subject.around.machine.path(subject.function);
    let above = path.iter().rev().find(|function| function.address != subject.address());
    let bridge = above.map(|bridge| may_lose_power(bridge)).transpose()?;
    if let Some((_, of_bridge)) = &bridge {
        proofs.extend(of_bridge.iter().cloned());
    }
    let driven = match subject.driver() {
        Ok(_) => true,
        Err(Skip::NotApplicable(_)) => false,
        Err(unknown) => return Err(unknown),
    };
    let (expected, found) = ("on, or D3cold not allowed", "auto, D3cold allowed");
    match (driven, above.zip(bridge)) {
        (true, _) => Ok(Verdict::bad("the kernel may suspend it to D3cold", expected, found, proofs)),
        // Without a driver it stays in D0 until the bridge above takes its power (kernel: pci_pm_runtime_suspend).
        (false, Some((bridge, (true, _)))) => {
            for beside in subject.around.machine.children(bridge.address) {
                let (may, proof) = may_lose_power(beside)?;
                if !may {
                    proofs.extend(proof);
                    return Ok(Verdict::good(proofs));
                }
            }
            let summary =
                format!("no driver keeps it awake, and the kernel may suspend {} above it", bridge.address);
            Ok(Verdict::bad(summary, expected, found, proofs))
        }
        (false, _) => Ok(Verdict::good(proofs)),
    }
}
