//! Power states, and whether the kernel may take the power away.

use crate::machine::power::power;
use crate::pci::capability::power::{ControlStatus, SPECIFICATION};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
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
        id: "power-runtime",
        rule: "The kernel does not suspend the function or a bridge above it to D3cold.",
        severity: Severity::Off,
        reads: "power/control and d3cold_allowed of the function and of every bridge above",
        why: "A device that goes to D3cold while idle loses its link each time; on servers some do not come back.",
        reference: "Linux Documentation/ABI/testing/sysfs-bus-pci (d3cold_allowed), power/runtime_pm.rst",
        remedy: "pcie_port_pm=off on the kernel command line, or write `on` to power/control",
        who: Who::Operator,
        false_positives: "Laptops want it. Bridges that the kernel may suspend and that never are, because something below \
                          is always busy.",
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

fn runtime(subject: &Subject<'_>) -> Judged {
    if subject.layout()? != 0 || subject.function.is_virtual() {
        return Err(Skip::not_applicable("judged at the end of the way"));
    }
    subject.driver()?;
    let mut proofs = Vec::new();
    for function in subject.around.machine.path(subject.function) {
        let text = |name| function.reading.text(name);
        let Some(control) = text("power/control") else {
            return Err(Skip::unknown(format!("power/control of {} was not read", function.address)));
        };
        let proof =
            |name, text: &str| Proof::Attribute { address: function.address, name, text: text.to_owned() };
        proofs.push(proof("power/control", control));
        if control == "on" {
            continue;
        }
        let Some(cold) = text("d3cold_allowed") else {
            return Err(Skip::unknown(format!("d3cold_allowed of {} was not read", function.address)));
        };
        proofs.push(proof("d3cold_allowed", cold));
        if cold != "0" && function.address == subject.address() {
            let summary = "the kernel may suspend it to D3cold";
            return Ok(Verdict::bad(summary, "on, or D3cold not allowed", "auto, D3cold allowed", proofs));
        }
    }
    Ok(Verdict::good(proofs))
}
