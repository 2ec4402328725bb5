//! Access Control Services and IOMMU groups: who can reach whom past the processor.

use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::capability::express::PortType;
use crate::pci::extended::acs::{AcsCapability, AcsControl, SPECIFICATION};
use crate::pci::extended::sriov;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::{Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "acs-redirect-on",
        rule: "Ports do not redirect traffic between peers to the processor.",
        severity: Severity::Off,
        reads: "ACSCtl bits 2, 3 and 4 of switch downstream ports and root ports",
        why: "With redirect on, GPUs and network controllers below one switch reach each other only through the root \
              complex: a fraction of the bandwidth, and some programs refuse (NCCL: PCI Access Control Services).",
        reference: "PCIe 6.2, 6.12 and 7.7.11.3; NCCL user guide, troubleshooting, PCI Access Control Services",
        remedy: "set `ACS Control` (`Access Control Services`) to Disabled in firmware setup, with the IOMMU off or in \
                 passthrough; on bare metal only",
        who: Who::Firmware,
        false_positives: "Machines that run virtual machines need it on.",
        of: Of::Function(redirect_on),
        ..Check::BASE
    },
    Check {
        id: "acs-missing",
        rule: "Ports through which peers could reach each other redirect that traffic.",
        severity: Severity::Off,
        reads: "ACSCap and ACSCtl bits 0, 2, 3 and 4 of switch downstream ports",
        why: "Without it two devices below one switch reach each other's memory past the IOMMU, and they share an IOMMU \
              group.",
        reference: "PCIe 6.2, 6.12; Linux pci_acs_enabled (REQ_ACS_FLAGS)",
        remedy: "set `ACS Control` to Enabled in firmware setup; the kernel enables it where the IOMMU is on",
        who: Who::Firmware,
        false_positives: "Ports for which Linux has a quirk that does the same without the capability.",
        of: Of::Function(redirect_off),
        ..Check::BASE
    },
    Check {
        id: "iommu-groups",
        rule: "A function that could be given to a virtual machine shares its IOMMU group with nothing but its own device.",
        severity: Severity::Off,
        reads: "iommu_group of all functions",
        why: "A group can only be given away as a whole.",
        reference: "Linux Documentation/driver-api/vfio.rst",
        remedy: "enable the IOMMU (`Intel VT-d`, `AMD IOMMU`) and ACS in firmware setup; use another slot",
        who: Who::Firmware,
        false_positives: "Devices that are always given away together.",
        of: Of::Function(groups),
        ..Check::BASE
    },
    Check {
        id: "sriov-incomplete",
        rule: "Where virtual functions are enabled, they answer memory accesses and are all there.",
        reads: "IOVCtl bits 0 and 3, NumVFs, TotalVFs, the functions that sysfs has",
        why: "Virtual functions that were lost in a reset of their physical function look healthy to whoever uses them.",
        reference: "PCIe 6.2, 9.3.3.3 and 9.3.3.7",
        remedy: "set sriov_numvfs to 0 and to the number again",
        who: Who::Operator,
        of: Of::Function(virtual_functions),
        ..Check::BASE
    },
];

fn downstream(subject: &Subject<'_>) -> Result<PortType, Skip> {
    match subject.port()? {
        port @ (PortType::DownstreamPort | PortType::RootPort) => Ok(port),
        _ => Err(Skip::not_applicable("only root ports and switch downstream ports have this")),
    }
}

/// Whether something other than a bridge is below a port.
fn leads_somewhere(subject: &Subject<'_>) -> Result<(), Skip> {
    match subject.around.machine.children(subject.address()).next() {
        Some(_) => Ok(()),
        None => Err(Skip::not_applicable("nothing is below the port")),
    }
}

fn on(control: AcsControl) -> String {
    let all = [
        (control.source_validation_enable(), "SrcValid"),
        (control.p2p_request_redirect_enable(), "ReqRedir"),
        (control.p2p_completion_redirect_enable(), "CmpltRedir"),
        (control.upstream_forwarding_enable(), "UpstreamFwd"),
    ];
    let on: Vec<&str> = all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    if on.is_empty() { "none".to_owned() } else { on.join(" ") }
}

fn redirect_on(subject: &Subject<'_>) -> Judged {
    downstream(subject)?;
    leads_somewhere(subject)?;
    let control: Read<AcsControl> = subject.register(&SPECIFICATION)?;
    let redirects = control.p2p_request_redirect_enable() || control.p2p_completion_redirect_enable();
    let proofs = [control.proof.clone()];
    if !redirects {
        return Ok(Verdict::good(proofs));
    }
    let found = on(control.value);
    Ok(Verdict::bad(format!("traffic between peers is redirected: {found}"), "no redirect", found, proofs))
}

fn redirect_off(subject: &Subject<'_>) -> Judged {
    if downstream(subject)? != PortType::DownstreamPort {
        return Err(Skip::not_applicable("whether a root port lets peers pass is not told by it alone"));
    }
    leads_somewhere(subject)?;
    if !subject.has(&SPECIFICATION)? {
        let proofs = subject.end_of_extended_list();
        return Ok(Verdict::bad("the port has no Access Control Services", "present", "absent", proofs));
    }
    let capability: Read<AcsCapability> = subject.register(&SPECIFICATION)?;
    let control: Read<AcsControl> = subject.register(&SPECIFICATION)?;
    // Those that the kernel asks for: source validation, request and completion redirect, upstream forwarding.
    let wanted = 0b1_1101;
    let found = on(control.value);
    // What a port has no bit for counts as always on (Linux: pci_acs_flags_enabled in drivers/pci/pci.c).
    let missing = wanted & capability.value.0 & !control.value.0;
    let proofs = [capability.proof, control.proof];
    match missing {
        0 => Ok(Verdict::good(proofs)),
        _ => Ok(Verdict::bad(
            format!("peers are not kept apart: only {found} is on"),
            "SrcValid ReqRedir CmpltRedir UpstreamFwd",
            found,
            proofs,
        )),
    }
}

/// How many functions of a shared group are named.
const NAMED: usize = 8;

fn groups(subject: &Subject<'_>) -> Judged {
    if subject.layout()? != 0 || matches!(subject.base_class(), Some(0x05 | 0x06 | 0x08)) {
        return Err(Skip::not_applicable("bridges and parts of the chipset are not given away"));
    }
    let machine = subject.around.machine;
    let (_, proof) = match subject.attribute("iommu_group") {
        Ok(found) => found,
        // A machine on which nothing is in a group has no IOMMU in use.
        Err(Skip::Unknown(reason)) if reason.contains("ENOENT") => {
            let (address, name) = (subject.address(), "iommu_group");
            let proof = Proof::Attribute { address, name, text: reason.into_owned() };
            return Ok(Verdict::bad("it is in no IOMMU group: the IOMMU is off", "a group", "none", [proof])
                .action(
                    Who::Firmware,
                    "enable `Intel VT-d` or `AMD IOMMU` in firmware setup, and intel_iommu=on",
                ));
        }
        Err(skip) => return Err(skip),
    };
    let group = subject.function.reading.link_name("iommu_group");
    // Functions of one device are given away together; virtual functions each by itself.
    let same_device = |other: &Function| {
        let key = |a: Bdf| (a.domain, a.bus, a.device);
        let together = !other.is_virtual() && !subject.function.is_virtual();
        other.address == subject.address() || together && key(other.address) == key(subject.address())
    };
    let bridge = |other: &Function| other.identity.class.is_some_and(|class| class >> 16 == 0x06);
    let members = group.into_iter().flat_map(|name| machine.group(name));
    let mut foreign = members.filter(|f| !same_device(f) && !bridge(f)).map(|f| f.address.to_string());
    let named: Vec<String> = foreign.by_ref().take(NAMED).collect();
    match named.is_empty() {
        true => Ok(Verdict::good([proof])),
        false => {
            let more = match foreign.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let foreign = format!("{}{more}", named.join(", "));
            let summary = format!("it shares IOMMU group {} with {foreign}", group.unwrap_or("?"));
            Ok(Verdict::bad(summary, "alone in its group", foreign, [proof]))
        }
    }
}

fn virtual_functions(subject: &Subject<'_>) -> Judged {
    let specification = &sriov::SPECIFICATION;
    let control: Read<sriov::Control> = subject.register(specification)?;
    let number: Read<sriov::NumVfs> = subject.register(specification)?;
    let total: Read<sriov::TotalVfs> = subject.register(specification)?;
    let (wanted, most) = (usize::from(number.number()), usize::from(total.number()));
    let proofs = vec![control.proof.clone(), number.proof, total.proof];
    let there = subject.around.machine.virtual_functions(subject.address());
    if !control.vf_enable() {
        return match there {
            0 => Err(Skip::not_applicable("no virtual functions are enabled")),
            _ => Ok(Verdict::bad(
                format!("virtual functions are off, and the kernel has {there} of them"),
                "VF Enable on",
                "off",
                proofs,
            )),
        };
    }
    if wanted > most {
        return Ok(Verdict::bad(
            "more virtual functions are enabled than there are",
            format!("at most {most}"),
            wanted.to_string(),
            proofs,
        ));
    }
    if !control.vf_mse() {
        let summary = "virtual functions are enabled and do not answer memory accesses";
        return Ok(Verdict::bad(summary, "VF MSE on", "off", proofs));
    }
    if subject.function.reading.text("uevent").is_none() {
        return Err(Skip::unknown("the source does not tell which virtual functions the kernel has"));
    }
    match there == wanted {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            format!("{wanted} virtual functions are enabled, and the kernel has {there}"),
            wanted.to_string(),
            there.to_string(),
            proofs,
        )),
    }
}
