//! The machine as a whole: kernel command line, what firmware handed over, room for BARs.

use crate::kernel_log::platform::{HostBridge, NOT_REQUESTING};
use crate::machine::error_sources::{
    BOOT_ERRORS, BootError, ErrorSource, boot_errors, error_sources, severity_name,
};
use crate::machine::{Function, link};
use crate::pci::capability::express::PortType;
use crate::pci::extended::dpc;
use crate::tree::TreeError;

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::Surroundings;

pub static CHECKS: &[Check] = &[
    Check {
        id: "aer-disabled-cmdline",
        rule: "The kernel command line does not switch error reporting off.",
        severity: Severity::Warn,
        reads: "proc/cmdline",
        why: "pci=noaer, pci=nomsi, pcie_ports=compat and pcie_aspm=off each cost AER: errors stay latched, and no counter \
              or log line tells.",
        reference: "Linux pci_aer_available, Documentation/admin-guide/kernel-parameters.txt; pcie_aspm=off keeps Linux \
                    from asking for any control by _OSC",
        remedy: "remove the option",
        who: Who::Operator,
        of: Of::Machine(errors_off),
        ..Check::BASE
    },
    Check {
        id: "cmdline-conflicts",
        rule: "The kernel command line does not contradict itself about PCI.",
        severity: Severity::Warn,
        reads: "proc/cmdline",
        why: "pcie_aspm=off and an ASPM policy, pci=nomsi with pcie_ports=native: the first makes the second void.",
        reference: "Linux Documentation/admin-guide/kernel-parameters.txt",
        remedy: "decide for one of the two",
        who: Who::Operator,
        of: Of::Machine(conflicts),
        ..Check::BASE
    },
    Check {
        id: "osc-granted",
        rule: "Firmware hands AER, hot-plug, the PCI Express capability and containment of every host bridge to Linux.",
        severity: Severity::Off,
        reads: "_OSC lines of the kernel log; DPC (extended capability 001Dh) of ports",
        why: "What is not handed over Linux does not touch: no AER, no DPC, no ASPM.",
        reference: "PCI Firmware 3.3, 4.5.1; Linux drivers/acpi/pci_root.c",
        remedy: "look for `Native AER`, `PCIe Hot-Plug`, `OS Native Control` and `Native ASPM` in firmware setup",
        who: Who::Firmware,
        false_positives: "Servers that handle errors in firmware first, by design. DPC counts only where Linux asked for it \
                          (5.7 and later) and some port may have it.",
        of: Of::Machine(granted),
        ..Check::BASE
    },
    Check {
        id: "host-no-64bit-window",
        rule: "A host bridge has a window for memory above 4 GiB.",
        severity: Severity::Off,
        reads: "root bus resource lines of the kernel log",
        why: "Without one there is no room for large BARs, whatever the kernel tries.",
        reference: "Linux drivers/pci/probe.c (pci_register_host_bridge)",
        remedy: "set `Above 4G Decoding` (`64-bit MMIO`) to Enabled in firmware setup",
        who: Who::Firmware,
        of: Of::Machine(window_above_4g),
        ..Check::BASE
    },
    Check {
        id: "aspm-policy",
        rule: "The kernel's ASPM policy does not save power at the cost of latency.",
        severity: Severity::Off,
        reads: "sys/module/pcie_aspm/parameters/policy",
        why: "powersave and powersupersave switch L0s, L1 and L1 substates on wherever both ends allow it.",
        reference: "Linux drivers/pci/pcie/aspm.c",
        remedy: "pcie_aspm.policy=performance on the kernel command line",
        who: Who::Operator,
        false_positives: "Machines that run on battery want it.",
        of: Of::Machine(policy),
        ..Check::BASE
    },
    Check {
        id: "firmware-first",
        rule: "Firmware leaves errors of PCI Express to Linux.",
        severity: Severity::Off,
        reads: "sys/firmware/acpi/tables/HEST: error sources of types 6 to 8, flag FIRMWARE_FIRST",
        why: "Where firmware handles errors first, counters in sysfs may stay zero and the log silent: then the BMC has to be \
              asked.",
        reference: "ACPI 6.5, 18.3.2.4 to 18.3.2.6; Linux drivers/acpi/apei/hest.c",
        remedy: "look for `PCIe Error Handling`, `Firmware First` or `WHEA` in firmware setup; or read the BMC's event log",
        who: Who::Firmware,
        false_positives: "Servers that do so by design. Since Linux 5.9 it is _OSC that decides (aer-os-owned); the table \
                          says what firmware means to do.",
        of: Of::Machine(firmware_first),
        ..Check::BASE
    },
    Check {
        id: "firmware-boot-error",
        rule: "Firmware has recorded no error of PCI Express from before the machine started.",
        severity: Severity::Warn,
        reads: "sys/firmware/acpi/tables/data/BERT",
        why: "A fatal error that stopped the machine is in no log of Linux; firmware keeps it for the next boot.",
        reference: "ACPI 6.5, 18.3.1; UEFI 2.10, N.2.7; Linux drivers/acpi/apei/bert.c",
        remedy: "look at the device that is named, and at the BMC's event log",
        who: Who::Provider,
        false_positives: "Errors of other hardware pass. Some firmware keeps the record until the power is off.",
        of: Of::Machine(boot_error),
        ..Check::BASE
    },
    Check {
        id: "msi-remapping-off",
        rule: "Interrupts are remapped.",
        severity: Severity::Off,
        reads: "kernel log, intremap= on the command line, chips in proc/interrupts",
        why: "Without remapping a device that is given to a virtual machine can send any interrupt to the host.",
        reference: "Intel VT-d 4.1, 5.1; Linux Documentation/driver-api/vfio.rst (unsafe interrupts)",
        remedy: "enable `Intel VT-d` or `AMD IOMMU` with interrupt remapping in firmware setup; remove intremap=off",
        who: Who::Firmware,
        of: Of::Machine(remapping),
        ..Check::BASE
    },
];

fn command_line(around: &Surroundings<'_>) -> Result<Proof, Skip> {
    let line = around.platform.command_line.clone();
    let text = line.ok_or_else(|| Skip::unknown("the source does not have the kernel command line"))?;
    Ok(Proof::File { path: "proc/cmdline".to_owned(), text })
}

fn errors_off(around: &Surroundings<'_>) -> Judged {
    let proof = command_line(around)?;
    let options = [("pci", "noaer"), ("pci", "nomsi"), ("pcie_ports", "compat"), ("pcie_aspm", "off")];
    let found: Vec<String> = options
        .iter()
        .filter(|(name, value)| around.platform.has_option(name, value))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // pcie_ports=native takes control whatever pcie_aspm says.
    let native = around.platform.has_option("pcie_ports", "native");
    let found: Vec<String> = found.into_iter().filter(|f| !(native && f == "pcie_aspm=off")).collect();
    match found.is_empty() {
        true => Ok(Verdict::good([proof])),
        false => {
            let found = found.join(" ");
            Ok(Verdict::bad(format!("{found} switches error reporting off"), "none of these", found, [proof]))
        }
    }
}

fn conflicts(around: &Surroundings<'_>) -> Judged {
    let proof = command_line(around)?;
    let platform = around.platform;
    let policy = platform.options("pcie_aspm.policy").next().is_some();
    let pairs = [
        (platform.has_option("pcie_aspm", "off") && policy, "pcie_aspm=off with pcie_aspm.policy="),
        (
            platform.has_option("pci", "nomsi") && platform.has_option("pcie_ports", "native"),
            "pci=nomsi with pcie_ports=native",
        ),
        (
            platform.has_option("pci", "noaer") && platform.has_option("pcie_ports", "native"),
            "pci=noaer with pcie_ports=native",
        ),
        (
            platform.has_option("pcie_aspm", "off") && platform.has_option("pcie_aspm", "force"),
            "pcie_aspm=off with pcie_aspm=force",
        ),
    ];
    match pairs.iter().find(|(found, _)| *found) {
        None => Ok(Verdict::good([proof])),
        Some((_, what)) => Ok(Verdict::bad(
            format!("options contradict each other: {what}"),
            "one of the two",
            *what,
            [proof],
        )),
    }
}

/// Whether no port of the machine has Downstream Port Containment; what was not read may have it.
fn without_containment(around: &Surroundings<'_>) -> bool {
    let has_none = |function: &Function| match link::port_type(function) {
        Some(PortType::RootPort | PortType::DownstreamPort) => {
            function.find(&dpc::SPECIFICATION).is_none() && function.extended_list_known()
        }
        Some(_) => true,
        None => function.standard_list_known(),
    };
    around.machine.functions.iter().all(has_none)
}

fn granted(around: &Surroundings<'_>) -> Judged {
    let bridges = &around.platform.host_bridges;
    // What the platform "does not support" are controls that the kernel asked for and did not get (kernel:
    // acpi_pci_osc_control_set in drivers/acpi/pci_root.c).
    let refuses_dpc = |bridge: &HostBridge| {
        bridge.not_supported.iter().any(|control| control == "DPC") && !without_containment(around)
    };
    if bridges.is_empty() {
        return Err(Skip::unknown("the kernel log says nothing of _OSC"));
    }
    let mut wrong = Vec::new();
    let mut not_asked = Vec::new();
    let mut silent = Vec::new();
    let mut proofs = Vec::new();
    // What Linux did not ask for firmware did not keep (kernel: calculate_control and os_control_query_checks in
    // drivers/acpi/pci_root.c; pci_aer_available in drivers/pci/pcie/aer.c).
    let without_aer = around.platform.has_option("pci", "noaer");
    for bridge in bridges {
        let given = |what: &str| bridge.os_controls.iter().any(|c| c == what);
        let name = &bridge.name;
        if let Some(refused) = &bridge.refused {
            let list = if refused.contains(NOT_REQUESTING) { &mut not_asked } else { &mut wrong };
            list.push(format!("{name}: {refused}"));
        } else if bridge.os_controls.is_empty() {
            silent.push(name.clone());
        } else {
            let mut missing: Vec<&str> =
                ["PCIeHotplug", "AER", "PCIeCapability"].into_iter().filter(|what| !given(what)).collect();
            missing.extend(refuses_dpc(bridge).then_some("DPC"));
            if without_aer && missing.contains(&"AER") {
                missing.retain(|what| *what != "AER");
                not_asked.push(format!("{name}: AER (pci=noaer)"));
            }
            if !missing.is_empty() {
                wrong.push(format!("{name} keeps {}", missing.join(" ")));
            }
        }
        let lines = &bridge.lines;
        let lines = [&lines.not_supported, &lines.os_controls, &lines.refused];
        proofs.extend(lines.into_iter().flatten().map(Proof::line));
    }
    if !wrong.is_empty() {
        let wrong = wrong.join("; ");
        return Ok(Verdict::bad(
            format!("firmware keeps control: {wrong}"),
            "PCIeHotplug AER PCIeCapability, and DPC where ports have it",
            wrong,
            proofs,
        ));
    }
    if !not_asked.is_empty() {
        let words = not_asked.join("; ");
        let summary = format!("Linux did not ask firmware for control: {words}");
        let verdict = Verdict::bad(
            summary,
            "PCIeHotplug AER PCIeCapability, and DPC where ports have it",
            words,
            proofs,
        );
        let action = "remove pci=noaer, pci=nomsi, pcie_aspm=off and pcie_ports=compat from the kernel command line; without \
                      them, boot a kernel with CONFIG_PCIEPORTBUS, CONFIG_PCIEAER and CONFIG_PCIEASPM";
        return Ok(verdict.action(Who::Operator, action));
    }
    match silent.is_empty() {
        true => Ok(Verdict::good(proofs)),
        false => Err(Skip::unknown(format!("the kernel log does not say what {} gave", silent.join(", ")))),
    }
}

/// The last address of a window of memory: `[mem 0x380000000000-0x3bffffffffff window]`.
fn memory_end(window: &str) -> Option<u64> {
    let (range, _) = window.strip_prefix("[mem 0x")?.split_once([' ', ']'])?;
    let (_, end) = range.split_once("-0x")?;
    u64::from_str_radix(end, 16).ok()
}

pub(super) fn window_above_4g(around: &Surroundings<'_>) -> Judged {
    // Then the kernel prints all that the processor can address, and not what firmware gave (kernel:
    // pci_acpi_root_prepare_resources in arch/x86/pci/acpi.c).
    if around.platform.has_option("pci", "nocrs") {
        return Err(Skip::unknown(
            "with pci=nocrs the kernel does not look at the windows of host bridges, and its log does not list them",
        ));
    }
    let windows = around.platform.host_bridges.iter().flat_map(|bridge| &bridge.windows);
    let ends: Vec<u64> = windows.filter_map(|window| memory_end(window)).collect();
    if ends.is_empty() {
        return Err(Skip::unknown("the kernel log lists no memory windows of host bridges"));
    }
    let lines = around.platform.host_bridges.iter().flat_map(|bridge| &bridge.lines.windows);
    let proofs: Vec<Proof> = lines.filter(|line| line.text.contains("[mem 0x")).map(Proof::line).collect();
    // One may begin below and end above.
    match ends.iter().any(|end| *end >= 1 << 32) {
        true => Ok(Verdict::good(proofs)),
        false => Ok(Verdict::bad(
            "no host bridge has a window for memory above 4 GiB",
            "a window above 4 GiB",
            "none",
            proofs,
        )),
    }
}

fn policy(around: &Surroundings<'_>) -> Judged {
    let policy = around.platform.aspm_policy.clone();
    let policy = policy.ok_or_else(|| Skip::unknown("the source does not have the ASPM policy"))?;
    let proof =
        Proof::File { path: "sys/module/pcie_aspm/parameters/policy".to_owned(), text: policy.clone() };
    match policy.as_str() {
        "powersave" | "powersupersave" => Ok(Verdict::bad(
            format!("the ASPM policy is {policy}"),
            "default or performance",
            policy,
            [proof],
        )),
        _ => Ok(Verdict::good([proof])),
    }
}

/// Why there is no answer: an absent file says something only where the folder of tables is there.
fn no_table(around: &Surroundings<'_>, error: &TreeError) -> Skip {
    let tables = around.tree.list("sys/firmware/acpi/tables");
    match (error.is_absent(), tables) {
        (true, Ok(_)) => Skip::not_applicable("firmware has no such table"),
        (true, Err(folder)) if folder.is_absent() => Skip::not_applicable("the machine has no ACPI"),
        (true, Err(folder)) => Skip::unknown(folder.to_string()),
        (false, _) => Skip::unknown(error.to_string()),
    }
}

fn firmware_first(around: &Surroundings<'_>) -> Judged {
    let sources = error_sources(around.tree).map_err(|error| no_table(around, &error))?;
    let sources = sources.map_err(Skip::unknown)?;
    let kind = |kind| match kind {
        6 => "root ports",
        7 => "endpoints",
        _ => "bridges",
    };
    let first: Vec<_> = sources.iter().filter(|s| s.firmware_first && s.enabled).collect();
    let words = |source: &&ErrorSource| {
        let whose = source.device.map_or_else(|| format!("all {}", kind(source.kind)), |d| d.to_string());
        format!("error source at {:#x}: {whose}: FIRMWARE_FIRST", source.offset)
    };
    let path = "sys/firmware/acpi/tables/HEST".to_owned();
    let text = format!("{} error sources of PCI Express", sources.len());
    let mut proofs = vec![Proof::File { path: path.clone(), text }];
    proofs.extend(first.iter().take(4).map(|s| Proof::File { path: path.clone(), text: words(s) }));
    match first.len() {
        0 => Ok(Verdict::good(proofs)),
        count => Ok(Verdict::bad(
            format!("firmware handles errors of PCI Express first: {count} of {} sources", sources.len()),
            "no source with FIRMWARE_FIRST",
            count.to_string(),
            proofs,
        )),
    }
}

fn boot_error(around: &Surroundings<'_>) -> Judged {
    let errors = boot_errors(around.tree).map_err(|error| no_table(around, &error))?;
    let ours: Vec<_> = errors.iter().filter(|error| error.pci_express).collect();
    let words = |error: &&BootError| {
        let device = error.device.map_or_else(|| "no device named".to_owned(), |d| d.to_string());
        format!("section at {:#x}: {}, {device}", error.offset, severity_name(error.severity))
    };
    let path = BOOT_ERRORS.to_owned();
    let text = format!("{} sections, {} of PCI Express", errors.len(), ours.len());
    let mut proofs = vec![Proof::File { path: path.clone(), text }];
    proofs.extend(ours.iter().take(4).map(|e| Proof::File { path: path.clone(), text: words(e) }));
    match ours.first() {
        None => Ok(Verdict::good(proofs)),
        Some(first) => Ok(Verdict::bad(
            format!("firmware recorded an error of PCI Express before this boot: {}", words(first)),
            "none",
            ours.len().to_string(),
            proofs,
        )),
    }
}

fn remapping(around: &Surroundings<'_>) -> Judged {
    match around.platform.interrupt_remapping {
        None => Err(Skip::unknown("the source does not tell whether interrupts are remapped")),
        Some(true) => Ok(Verdict::good(command_line(around).into_iter().collect::<Vec<_>>())),
        Some(false) => Ok(Verdict::bad(
            "interrupts are not remapped",
            "remapped",
            "not remapped",
            command_line(around).into_iter().collect::<Vec<_>>(),
        )),
    }
}
