//! Features that work only if a device and the port above it agree: routing IDs of many functions, time, page requests.

use crate::machine::link;
use crate::pci::capability::express::{self, DeviceCapabilities2, DeviceControl2, PortType};
use crate::pci::extended::page_request::{self, PageRequestStatus};
use crate::pci::extended::ptm::{self, PtmControl};
use crate::pci::header::SecondaryBus;

use super::finding::{Judged, Skip, Verdict, Who};
use super::registry::{Check, Lasting, Of, Severity};
use super::subject::{self, Read, Subject};

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

pub static CHECKS: &[Check] = &[
    Check {
        id: "ari-forwarding-off",
        rule: "A port forwards requests to every function number that the kernel found below it.",
        reads: "DevCap2 bit 5 and DevCtl2 bit 5 of the port, device numbers of the functions below",
        why: "Function numbers above 7, those of most virtual functions, look like device numbers, which a port sends nowhere \
              unless ARI Forwarding is on. A port that was reset loses the bit, and the functions with it.",
        reference: "PCIe 6.2, 6.13 and 7.5.3.16; Linux pci_configure_ari",
        remedy: "remove and rescan the port, or reboot; find out who reset it",
        who: Who::Operator,
        false_positives: "Ports that cannot forward so are not judged: what is below them was found otherwise.",
        of: Of::Function(ari_forwarding),
        ..Check::BASE
    },
    Check {
        id: "ptm-path",
        rule: "A device that asks for the time is below a port that gives it.",
        severity: Severity::Warn,
        reads: "PTM Control bit 0 of both ends of the link",
        why: "Requests for the time that nobody answers are lost or unsupported, and clocks that rely on them drift.",
        reference: "PCIe 6.2, 7.9.15.3; Linux drivers/pci/pcie/ptm.c",
        remedy: "update the kernel or the driver, whichever enabled it; a reboot sets both ends anew",
        who: Who::Driver,
        of: Of::Function(time),
        ..Check::BASE
    },
    Check {
        id: "page-requests-failed",
        rule: "No page request of the device failed.",
        severity: Severity::Warn,
        reads: "PRISta bits 0 and 1",
        why: "After a failure the device gets no more pages, and what it was doing for a process stops.",
        reference: "PCIe 6.2, 10.5.2.3",
        remedy: "look in the kernel log for faults of the IOMMU; restart the driver",
        who: Who::Driver,
        false_positives: "The bits stay until software clears them: they may be old.",
        lasting: Lasting::Bits,
        of: Of::Function(page_requests),
        ..Check::BASE
    },
];

fn ari_forwarding(subject: &Subject<'_>) -> Judged {
    subject.downstream_port()?;
    if !link::has_second_registers(subject.function) {
        return Err(Skip::not_applicable(
            "the capability is of version 1, which does not have this register",
        ));
    }
    let capabilities: Read<DeviceCapabilities2> = subject.register(EXPRESS)?;
    let control: Read<DeviceControl2> = subject.register(EXPRESS)?;
    let proofs = [capabilities.field("ari_forwarding_supported"), control.field("ari_forwarding_enable")];
    // What lies on further buses, such as virtual functions, is asked in another way (PCIe 6.2, 7.3.3; Linux pci_iov_virtfn_bus).
    let own_bus = subject.header::<SecondaryBus>()?.number();
    let far = subject
        .around
        .machine
        .children(subject.address())
        .find(|below| below.address.device != 0 && below.address.bus == own_bus);
    let Some(far) = far else {
        return Err(Skip::not_applicable("no function number above 7 is below it"));
    };
    if !capabilities.ari_forwarding_supported() {
        return Err(Skip::not_applicable("the port cannot forward so"));
    }
    match control.ari_forwarding_enable() {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            format!("ARI Forwarding is off, and the kernel has {} below", far.address),
            "on",
            "off",
            proofs,
        )),
    }
}

fn time(subject: &Subject<'_>) -> Judged {
    let upper = subject.upper_end()?;
    let own: Read<PtmControl> = subject.register(&ptm::SPECIFICATION)?;
    let proof = own.field("ptm_enable");
    if !own.ptm_enable() {
        return Ok(Verdict::good([proof]));
    }
    // A Downstream Port of a switch has no capability of its own: the Upstream Port stands for it (PCIe 6.2, 7.9.15; Linux
    // pci_upstream_ptm in drivers/pci/pcie/ptm.c).
    let upper = match link::port_type(upper) {
        Some(PortType::DownstreamPort) => {
            let unknown = || Skip::unknown(format!("the switch of {} is not known", upper.address));
            subject.around.machine.parent(upper).ok_or_else(unknown)?
        }
        _ => upper,
    };
    let words = format!("it asks for the time, and {} above does not give it", upper.address);
    match subject::register::<PtmControl>(upper, &ptm::SPECIFICATION) {
        Ok(above) if above.ptm_enable() => Ok(Verdict::good([proof, above.field("ptm_enable")])),
        Ok(above) => {
            Ok(Verdict::bad(words, "on at both ends", "off above", [proof, above.field("ptm_enable")]))
        }
        Err(Skip::NotApplicable(_)) => {
            Ok(Verdict::bad(words, "on at both ends", "no Precision Time Measurement above", [proof]))
        }
        Err(unknown) => Err(unknown),
    }
}

fn page_requests(subject: &Subject<'_>) -> Judged {
    let status: Read<PageRequestStatus> = subject.register(&page_request::SPECIFICATION)?;
    let mut failed = Vec::new();
    if status.response_failure() {
        failed.push("Response Failure");
    }
    if status.unexpected_page_request_group_index() {
        failed.push("Unexpected Page Request Group Index");
    }
    let proofs = [status.proof];
    match failed.is_empty() {
        true => Ok(Verdict::good(proofs)),
        false => {
            let failed = failed.join(", ");
            Ok(Verdict::bad(format!("page requests failed: {failed}"), "none", failed, proofs))
        }
    }
}
