//! Every check fires on what it is for, and passes on the sound machine.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::finding::Status::{self, Fail, NotApplicable, Pass, Unknown, Warn};
use super::finding::Who;
use super::registry;
use super::testing::Bench;
use crate::kernel_log::event::Evidence;
use crate::machine::error_sources::BOOT_ERRORS;
use crate::machine::smbios::PATH as SLOTS;

/// A check, what makes it fire, and with which status (checks that are off by default warn here).
type Case = (&'static str, fn(&mut Bench), Status);

/// The drive, its port, the other drive, its port.
pub const DRIVE: &str = "01:00.0";
pub const PORT: &str = "00:01.0";
pub const OTHER: &str = "04:00.0";
const SWITCH: &str = "03:00.0";

pub fn dead(b: &mut Bench) {
    b.bytes(DRIVE).fill(0xff);
}

pub fn both_ends(b: &mut Bench, path: &str, value: u64) {
    b.set(DRIVE, path, value);
    b.set(PORT, path, value);
}

const CASES: &[Case] = &[
    ("presence-config-all-ones", dead, Fail),
    ("presence-not-ready", |b| b.bytes(DRIVE)[..4].copy_from_slice(&[1, 0, 0xff, 0xff]), Fail),
    ("presence-dir", |b| b.bytes(DRIVE).clear(), Fail),
    ("presence-config-vs-sysfs-id", |b| b.bytes(DRIVE)[2] = 0x35, Fail),
    ("presence-header-type", |b| b.bytes(DRIVE)[0x0e] = 0x7f, Fail),
    ("presence-config-length", |b| b.bytes(DRIVE).truncate(256), Warn),
    ("presence-partial-ones", |b| b.bytes(DRIVE)[256..].fill(0xff), Fail),
    (
        "presence-parent-link",
        |b| {
            dead(b);
            b.set(PORT, "express.link_status.data_link_layer_link_active", 0);
        },
        Fail,
    ),
    ("identity-serial-unique", |b| b.set(OTHER, "serial_number.number.eui_64", 0x11), Warn),
    ("identity-class-expected", |b| b.bytes(DRIVE)[0x0b] = 0xff, Warn),
    ("driver-bound", |b| b.attribute(DRIVE, "uevent", "PCI_ID=8086:1234"), Warn),
    ("driver-enabled", |b| b.attribute(DRIVE, "enable", "0"), Warn),
    (
        "numa-unknown",
        |b| {
            b.attribute(OTHER, "numa_node", "1");
            b.attribute(DRIVE, "numa_node", "-1");
        },
        Warn,
    ),
    ("link-speed-below-path", |b| both_ends(b, "express.link_status.current_link_speed", 1), Warn),
    ("link-width-below-path", |b| both_ends(b, "express.link_status.negotiated_link_width", 2), Fail),
    ("link-speed-below-own", |b| b.set(DRIVE, "express.link_capabilities.max_link_speed", 4), Warn),
    ("link-width-below-own", |b| b.set(DRIVE, "express.link_capabilities.maximum_link_width", 8), Warn),
    ("link-bottleneck", |b| b.set("02:00.0", "express.link_capabilities.max_link_speed", 2), Warn),
    ("link-ends-disagree", |b| b.set(DRIVE, "express.link_status.negotiated_link_width", 2), Fail),
    ("link-overdriven", |b| b.set(DRIVE, "express.link_capabilities.max_link_speed", 2), Warn),
    ("link-speed-unknown", |b| b.set(DRIVE, "express.link_status.current_link_speed", 0), Warn),
    ("link-target-limited", |b| b.set(PORT, "express.link_control_2.target_link_speed", 1), Warn),
    ("link-disabled", |b| b.set(PORT, "express.link_control.link_disable", 1), Fail),
    ("link-training", |b| b.set(PORT, "express.link_status.link_training", 1), Warn),
    (
        "link-hasd-stuck",
        |b| {
            both_ends(b, "express.link_status.current_link_speed", 1);
            b.set(DRIVE, "express.link_control_2.hardware_autonomous_speed_disable", 1);
        },
        Fail,
    ),
    (
        "link-retrained-since-boot",
        |b| b.set(PORT, "express.link_status.link_bandwidth_management_status", 1),
        Warn,
    ),
    (
        "link-eq-incomplete",
        |b| b.set(PORT, "express.link_status_2.equalization_8gts_phase_3_successful", 0),
        Warn,
    ),
    ("link-eq-request", |b| b.set(DRIVE, "physical_16gt.status.link_equalization_request", 1), Warn),
    ("link-lane-errors", |b| b.set(DRIVE, "secondary.lane_error_status.lanes", 4), Warn),
    (
        "link-parity-mismatch",
        |b| b.set(PORT, "physical_16gt.local_data_parity_mismatch_status.lanes", 1),
        Warn,
    ),
    ("link-common-clock", |b| b.set(PORT, "express.link_control.common_clock_configuration", 1), Warn),
    ("link-ext-synch", |b| b.set(DRIVE, "express.link_control.extended_synch", 1), Warn),
    ("link-compliance", |b| b.set(PORT, "express.link_control_2.transmit_margin", 3), Fail),
    (
        "power-slot-fault",
        |b| {
            b.set(PORT, "express.slot_capabilities.power_controller_present", 1);
            b.set(PORT, "express.slot_status.power_fault_detected", 1);
        },
        Fail,
    ),
    (
        "power-slot-limit",
        |b| b.set(DRIVE, "express.device_capabilities.captured_slot_power_limit_value", 10),
        Warn,
    ),
    ("slot-map", |b| b.files.push((SLOTS, firmware_slot(0x0a))), Warn),
    ("aspm-enabled", |b| both_ends(b, "express.link_control.aspm_control", 2), Warn),
    ("aspm-disabled", |b| both_ends(b, "express.link_control.aspm_control", 0), Warn),
    ("aspm-ends-differ", |b| b.set(DRIVE, "express.link_control.aspm_control", 2), Fail),
    (
        "aspm-l1ss",
        |b| {
            both_ends(b, "express.link_control.aspm_control", 2);
            b.set(DRIVE, "l1ss.control_1.aspm_l1_2_enable", 1);
        },
        Warn,
    ),
    (
        "aspm-firmware-locked",
        |b| {
            both_ends(b, "express.link_control.aspm_control", 2);
            b.platform.fadt_no_aspm = Some(true);
        },
        Warn,
    ),
    ("aer-present", |b| b.bytes(PORT)[0x100] = 0x0b, Warn),
    ("aer-os-owned", |b| b.platform.aer_ports = Some(Vec::new()), Warn),
    ("aer-nonfatal", |b| b.attribute(DRIVE, "aer_dev_nonfatal", "CmpltTO 2\nTOTAL_ERR_NONFATAL 2"), Warn),
    ("aer-fatal", |b| b.attribute(PORT, "aer_rootport_total_err_fatal", "1"), Fail),
    ("aer-correctable", |b| b.attribute(DRIVE, "aer_dev_correctable", "RxErr 9\nTOTAL_ERR_COR 9"), Warn),
    ("aer-status-latched", |b| b.set(DRIVE, "aer.uncorrectable_status.completion_timeout", 1), Fail),
    ("aer-correctable-latched", |b| b.set(DRIVE, "aer.correctable_status.bad_tlp", 1), Warn),
    ("aer-masked", |b| b.set(DRIVE, "aer.uncorrectable_mask.completion_timeout", 1), Warn),
    ("aer-root-command", |b| b.set(PORT, "aer.root_error_command.fatal_error_reporting_enable", 0), Warn),
    ("aer-root-status", |b| b.set(PORT, "aer.root_error_status.err_cor_received", 1), Warn),
    ("devsta-sticky", |b| b.set(DRIVE, "express.device_status.fatal_error_detected", 1), Warn),
    ("report-enables", |b| b.set(DRIVE, "express.device_control.fatal_error_reporting_enable", 0), Warn),
    ("root-serr", |b| b.set(PORT, "express.root_control.system_error_on_fatal_error_enable", 1), Warn),
    ("dpc-triggered", |b| b.set(PORT, "dpc.status.trigger_status", 1), Fail),
    ("dpc-present", |b| b.bytes(PORT)[0x150] = 0x0b, Warn),
    ("dpc-enabled", |b| b.set(PORT, "dpc.control.trigger_enable", 0), Warn),
    ("msix-off-while-bound", |b| b.set(DRIVE, "msix.control.enable", 0), Fail),
    ("msix-function-mask", |b| b.set(DRIVE, "msix.control.function_mask", 1), Fail),
    ("msix-geometry", |b| b.set(DRIVE, "msix.pending_bit_array.bar_indicator", 7), Fail),
    ("msix-table-all-ones", |b| b.memory.fill(0xff), Fail),
    ("msix-entry", |b| b.vector(2, 0, 0, 0), Warn),
    (
        "msix-pending",
        |b| {
            b.vector(1, 0xfee0_0000, 1, 1);
            b.memory[0x2000] = 2;
        },
        Warn,
    ),
    ("msi-bus-forbidden", |b| b.attribute(PORT, "msi_bus", "0"), Warn),
    (
        "irq-none",
        |b| {
            b.set(DRIVE, "msix.control.enable", 0);
            b.attribute(DRIVE, "msi_irqs", "");
            b.set(DRIVE, "header.command.interrupt_disable", 1);
        },
        Warn,
    ),
    (
        "bar-unassigned",
        |b| b.attribute(DRIVE, "resource", "0x0000000000000000 0x0000000000003fff 0x0000000020040200"),
        Fail,
    ),
    ("bar-lost-after-reset", |b| b.bytes(DRIVE)[0x10..0x14].fill(0), Fail),
    (
        "bar-large-below-4g",
        |b| {
            b.bytes(DRIVE)[0x10] = 0x0c;
            let line = "0x00000000e0000000 0x00000000efffffff 0x000000000014220c";
            b.attribute(DRIVE, "resource", line);
            b.platform.host_bridges[0].windows = vec!["[mem 0x90000000-0xffffffff window]".to_owned()];
        },
        Warn,
    ),
    ("rebar-below-max", |b| b.set(DRIVE, "rebar.entry[0].capability.supported_sizes", 0x301), Warn),
    (
        "rebar-absent",
        |b| {
            b.bytes(DRIVE)[0x0b] = 3;
            b.bytes(DRIVE)[0x200] = 0x0b;
            b.bytes(DRIVE)[0x10] = 0x0c;
            let line = "0x00000000e0000000 0x00000000efffffff 0x000000000014220c";
            b.attribute(DRIVE, "resource", line);
        },
        Warn,
    ),
    ("bridge-window-small", |b| b.set(PORT, "header.memory_base.base", 0xf01), Fail),
    ("bridge-bus-numbers", |b| b.set(PORT, "header.secondary_bus.number", 7), Fail),
    ("cmd-memory-decode", |b| b.set(DRIVE, "header.command.memory_space_enable", 0), Fail),
    ("cmd-bus-master", |b| b.set(DRIVE, "header.command.bus_master_enable", 0), Fail),
    ("status-errors", |b| b.set(DRIVE, "header.status.detected_parity_error", 1), Warn),
    ("caps-integrity", |b| b.bytes(DRIVE)[0xb1] = 0x50, Fail),
    ("mps-path-mismatch", |b| b.set(PORT, "express.device_control.max_payload_size", 2), Fail),
    ("mps-low", |b| both_ends(b, "express.device_control.max_payload_size", 0), Warn),
    ("mrrs-low", |b| b.set(DRIVE, "express.device_control.max_read_request_size", 0), Warn),
    ("relaxed-ordering-off", |b| b.set(DRIVE, "express.device_control.enable_relaxed_ordering", 0), Warn),
    ("ext-tag-off", |b| b.set(DRIVE, "express.device_control.extended_tag_field_enable", 0), Warn),
    ("tag10-mismatch", |b| b.set(DRIVE, "express.device_control_2.tag_10bit_requester_enable", 1), Fail),
    ("cto-disabled", |b| b.set(DRIVE, "express.device_control_2.completion_timeout_disable", 1), Warn),
    ("cto-range", |b| b.set(DRIVE, "express.device_control_2.completion_timeout_value", 14), Warn),
    (
        "atomics-path",
        |b| {
            b.set(OTHER, "express.device_control_2.atomic_op_requester_enable", 1);
            b.set("02:00.0", "express.device_control_2.atomic_op_egress_blocking", 1);
        },
        Fail,
    ),
    ("ltr-refused", |b| b.set(DRIVE, "express.device_control_2.ltr_mechanism_enable", 1), Warn),
    ("ari-forwarding-off", |b| b.set(SWITCH, "express.device_control_2.ari_forwarding_enable", 0), Fail),
    ("ptm-path", |b| b.set(PORT, "ptm.control.ptm_enable", 0), Warn),
    ("page-requests-failed", |b| b.set(DRIVE, "page_request.status.response_failure", 1), Warn),
    ("power-state", |b| b.set(DRIVE, "power.control_status.power_state", 3), Fail),
    (
        "power-emergency",
        |b| b.set(DRIVE, "express.device_status.emergency_power_reduction_detected", 1),
        Warn,
    ),
    (
        "power-runtime",
        |b| {
            b.attribute(DRIVE, "power/control", "auto");
            b.attribute(DRIVE, "d3cold_allowed", "1");
        },
        Warn,
    ),
    ("acs-redirect-on", |b| b.set(SWITCH, "acs.control.p2p_request_redirect_enable", 1), Warn),
    ("acs-missing", |b| b.set(SWITCH, "acs.control.p2p_request_redirect_enable", 0), Warn),
    ("iommu-groups", |b| b.attribute(OTHER, "iommu_group", "../1"), Warn),
    ("sriov-incomplete", |b| b.set(DRIVE, "sriov.control.vf_enable", 1), Fail),
    ("aer-disabled-cmdline", |b| b.platform.command_line = Some("pci=noaer".to_owned()), Warn),
    (
        "cmdline-conflicts",
        |b| b.platform.command_line = Some("pcie_aspm=off pcie_aspm.policy=powersave".to_owned()),
        Warn,
    ),
    ("osc-granted", |b| b.platform.host_bridges[0].os_controls.truncate(1), Warn),
    (
        "host-no-64bit-window",
        |b| b.platform.host_bridges[0].windows = vec!["[mem 0x90000000-0x9fffffff window]".to_owned()],
        Warn,
    ),
    ("aspm-policy", |b| b.platform.aspm_policy = Some("powersave".to_owned()), Warn),
    ("firmware-first", |b| b.files.push(("sys/firmware/acpi/tables/HEST", error_sources(1))), Warn),
    ("firmware-boot-error", |b| b.files.push((BOOT_ERRORS, boot_error())), Warn),
    ("vpd-readable", |b| b.product_data = Some(nix::errno::Errno::ETIMEDOUT), Warn),
    ("msi-remapping-off", |b| b.platform.interrupt_remapping = Some(false), Warn),
    ("kmsg-read", |b| b.start = false, Unknown),
    ("kmsg-fallen-off", |b| said(b, "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus."), Fail),
    ("kmsg-rm-init", |b| said(b, "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:742)"), Fail),
    (
        "kmsg-probe-failed",
        |b| said(b, "nvme 0000:01:00.0: probe with driver nvme failed with error -12"),
        Warn,
    ),
    (
        "kmsg-xid154",
        |b| {
            let line = "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)";
            said(b, &format!("NVRM: Xid (PCI:0000:01:00): 154, {line}"));
        },
        Fail,
    ),
    ("kmsg-xid", |b| said(b, "NVRM: Xid (PCI:0000:01:00): 48, pid=1, name=x, DBE (double bit error)"), Warn),
    ("kmsg-aer", |b| said(b, "pcieport 0000:00:01.0: AER: device recovery failed"), Fail),
    (
        "kmsg-dpc",
        |b| said(b, "pcieport 0000:00:01.0: DPC: containment event, status:0x1f01 source:0x0100"),
        Warn,
    ),
    ("kmsg-link-down", |b| said(b, "pcieport 0000:00:01.0: pciehp: Slot(7): Link Down"), Warn),
    ("kmsg-card-removed", |b| said(b, "pcieport 0000:00:01.0: pciehp: Slot(7): Card not present"), Warn),
    ("kmsg-power", |b| said(b, "pcieport 0000:00:01.0: pciehp: Slot(7): Power fault"), Fail),
    ("kmsg-interrupts", |b| said(b, "NVRM: GPU 0000:01:00.0: Failed to enable MSI-X."), Warn),
    (
        "kmsg-iommu",
        |b| {
            let line = "[DMA Read NO_PASID] Request device [01:00.0] fault addr 0xff000 [fault reason 0x06] PTE Read access is not set";
            said(b, &format!("DMAR: {line}"));
        },
        Warn,
    ),
    (
        "kmsg-device-timeout",
        |b| {
            said(b, "nvme nvme0: pci function 0000:01:00.0");
            said(b, "nvme nvme0: I/O 12 QID 3 timeout, aborting");
        },
        Warn,
    ),
    (
        "link-bandwidth-kmsg",
        |b| {
            let line =
                "7.876 Gb/s available PCIe bandwidth, limited by 8.0 GT/s PCIe x1 link at 0000:00:01.0";
            said(
                b,
                &format!("nvme 0000:01:00.0: {line} (capable of 31.504 Gb/s with 8.0 GT/s PCIe x4 link)"),
            );
        },
        Warn,
    ),
    (
        "bar-kmsg",
        |b| {
            said(b, "pci 0000:05:00.0: BAR 0 [mem size 0x00004000 64bit]: can't assign; no space");
            said(b, "pci 0000:05:00.0: BAR 0 [mem size 0x00004000 64bit]: failed to assign");
        },
        Fail,
    ),
    ("link-flap", |b| b.looks = vec![0x43, 0x41, 0x43], Warn),
    (
        "aer-cor-rate",
        |b| {
            before(b);
            // x4 at 8 GT/s may have two a minute.
            b.attribute(DRIVE, "aer_dev_correctable", "RxErr 3\nTOTAL_ERR_COR 3");
        },
        Warn,
    ),
    ("irq-no-delivery", before, Warn),
    ("presence-count", |b| expects(b, "count = 2", "count = 3"), Fail),
    ("identity-expected", |b| expects(b, "id = \"8086:1234\"", "id = \"8086:4321\""), Fail),
    ("driver-expected", |b| expects(b, "\"some\", ", ""), Fail),
    ("firmware-expected", |b| expects(b, "98.02*", "99.*"), Fail),
    ("link-expected", |b| expects(b, "width = 4", "width = 2"), Fail),
    ("link-retimers", |b| expects(b, "retimers = 0", "retimers = 1"), Fail),
    ("msix-expected", |b| expects(b, "msix_vectors = 4", "msix_vectors = 8"), Fail),
    ("rebar-expected", |b| expects(b, "1 MiB", "2 MiB"), Fail),
    ("numa-expected", |b| expects(b, "numa_node = 0", "numa_node = 1"), Fail),
    ("slot-expected", |b| expects(b, "slot = \"7\"", "slot = \"8\""), Fail),
    ("switch-expected", |b| expects(b, "00:01.0\"\nvirtual", "00:02.0\"\nvirtual"), Fail),
    ("sriov-expected", |b| expects(b, "virtual_functions = 0", "virtual_functions = 4"), Fail),
    ("platform-expected", |b| expects(b, "1.2.*", "1.3.*"), Fail),
];

/// SMBIOS with one slot, in which the drive is: the code of its width.
fn firmware_slot(width: u8) -> Vec<u8> {
    let mut bytes = vec![9, 17, 1, 0, 1, 0xa5, width, 4, 3, 1, 0, 0, 0, 0, 0, 1, 0];
    bytes.extend(*b"SLOT 1\0\0");
    bytes
}

/// A HEST with one error source, that of all root ports.
fn error_sources(flags: u8) -> Vec<u8> {
    let mut table = vec![0; 40 + 48];
    table[..4].copy_from_slice(b"HEST");
    table[36] = 1;
    (table[40], table[46], table[47]) = (6, flags | 2, 1);
    table
}

/// A record of one error of PCI Express.
fn boot_error() -> Vec<u8> {
    let mut region = vec![0; 20 + 64 + 208];
    (region[0], region[12], region[13]) = (1, (64 + 208) as u8, 1);
    let section =
        [0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43, 0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35];
    region[20..36].copy_from_slice(&section);
    region[44] = 208;
    region
}

/// A line of the kernel log.
pub fn said(b: &mut Bench, line: &str) {
    b.log.push_str(&format!("[   12.345678] {line}\n"));
}

/// What is now was so at the first reading.
fn before(b: &mut Bench) {
    b.before = Some((b.functions.clone(), b.interrupts.clone()));
}

/// Something else is expected.
pub fn expects(b: &mut Bench, what: &str, instead: &str) {
    assert!(b.expectation.contains(what), "{what}");
    b.expectation = b.expectation.replacen(what, instead, 1);
}

/// An expectation that says nothing of devices.
const NOTHING: &str = "[machine]\nbios_version = \"1.2.*\"\n";

/// What the sound machine needs to have something to judge.
pub fn prepare(b: &mut Bench, id: &str) {
    match id {
        "aspm-disabled" | "aspm-firmware-locked" => {
            for address in [DRIVE, PORT, OTHER, SWITCH, "02:00.0", "00:02.0"] {
                b.set(address, "express.link_control.aspm_control", 2);
            }
        }
        "acs-missing" => {
            for which in [
                "source_validation",
                "p2p_request_redirect",
                "p2p_completion_redirect",
                "upstream_forwarding",
            ] {
                b.set(SWITCH, &format!("acs.control.{which}_enable"), 1);
            }
        }
        "sriov-incomplete" => {
            b.set(DRIVE, "sriov.control.vf_enable", 1);
            b.set(DRIVE, "sriov.control.vf_mse", 1);
        }
        "bar-large-below-4g" => {
            b.bytes(DRIVE)[0x10] = 0x0c;
            b.attribute(DRIVE, "resource", "0x0000380000000000 0x000038000fffffff 0x000000000014220c");
        }
        // What the expectation says of these is fulfilled, and would excuse them.
        "link-speed-below-own" | "link-width-below-own" | "rebar-below-max" => {
            b.expectation = NOTHING.to_owned()
        }
        "rebar-absent" => b.bytes(DRIVE)[0x0b] = 3,
        "slot-map" => {
            both_ends(b, "express.link_capabilities.maximum_link_width", 8);
            b.files.push((SLOTS, firmware_slot(0x0b)));
        }
        "ari-forwarding-off" => {
            // A function number above 7 looks like another device.
            let other = b.function(OTHER).clone();
            b.functions.insert("04:01.0", other);
            b.set(SWITCH, "express.device_capabilities_2.ari_forwarding_supported", 1);
            b.set(SWITCH, "express.device_control_2.ari_forwarding_enable", 1);
        }
        "ptm-path" => {
            for address in [PORT, DRIVE] {
                b.bytes(address)[0x1d0] = 0x1f;
                b.set(address, "ptm.control.ptm_enable", 1);
            }
        }
        "page-requests-failed" => b.bytes(DRIVE)[0x1d0] = 0x13,
        "power-emergency" => {
            b.set(DRIVE, "express.device_capabilities_2.emergency_power_reduction_supported", 1)
        }
        "firmware-first" => b.files.push(("sys/firmware/acpi/tables/HEST", error_sources(0))),
        "firmware-boot-error" => b.files.push((BOOT_ERRORS, vec![0; 64])),
        "link-retimers" => b.set(PORT, "express.link_capabilities_2.retimer_presence_detect_supported", 1),
        "irq-no-delivery" => {
            before(b);
            b.busy = true;
            b.interrupts = b.interrupts.replace(": 5", ": 9");
        }
        _ => {}
    }
}

#[test]
fn every_check_fires_on_what_it_is_for_and_only_there() {
    let mut wrong = Vec::new();
    for (id, break_it, expected) in CASES {
        let mut sound = Bench::new();
        prepare(&mut sound, id);
        let findings = sound.run(id);
        let worst = findings.iter().map(|f| f.status).max();
        let passes = findings.iter().any(|f| f.status == Pass);
        if !passes || worst > Some(Pass) {
            wrong.push(format!("{id}: sound machine: {:?}", sound.worst(id)));
        }
        let mut broken = Bench::new();
        prepare(&mut broken, id);
        if *id == "sriov-incomplete" {
            broken.set(DRIVE, "sriov.control.vf_mse", 0);
        }
        break_it(&mut broken);
        let found = broken.worst(id);
        if found.0 != *expected {
            wrong.push(format!("{id}: broken machine: {found:?}, expected {expected:?}"));
        }
        for finding in broken.run(id).iter().filter(|f| matches!(f.status, Fail | Warn)) {
            let complete = !finding.summary.is_empty()
                && !finding.verdict().expected.is_empty()
                && !finding.verdict().proofs.is_empty();
            if !complete || finding.summary.ends_with('.') {
                wrong.push(format!("{id}: {finding:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_has_a_case_and_a_name_of_its_own() {
    let cases: BTreeSet<&str> = CASES.iter().map(|c| c.0).collect();
    let all: Vec<&str> = registry::all().map(|c| c.id).collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len());
    assert_eq!(cases, distinct);
    for check in registry::all() {
        for text in [check.rule, check.reads, check.why, check.reference, check.remedy, check.false_positives]
        {
            assert!(!text.is_empty() && !text.contains("  "), "{}: {text:?}", check.id);
        }
        assert!(check.rule.ends_with('.') && check.why.ends_with('.'), "{}", check.id);
        assert!(!check.remedy.ends_with('.') && !check.reference.ends_with('.'), "{}", check.id);
    }
}

#[test]
fn an_idle_gpu_is_excused_until_it_is_known_to_be_busy() {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.current_link_speed", 1);
    bench.bytes(DRIVE)[0x0b] = 3;
    assert_eq!(bench.worst("link-speed-below-path").0, Unknown);
    bench.busy = true;
    assert_eq!(bench.worst("link-speed-below-path").0, Warn);
}

#[test]
fn what_is_expected_below_the_hardware_is_no_fault() {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.negotiated_link_width", 2);
    let width = |bench: &Bench| {
        let findings = bench.run_all(&|check| check.id.starts_with("link-"));
        let found = findings.into_iter().find(|f| {
            f.check.id == "link-width-below-path" && f.address == Some("0000:01:00.0".parse().unwrap())
        });
        found.map(|f| (f.status, f.summary.into_owned())).unwrap()
    };
    assert_eq!(width(&bench).0, Fail, "four lanes are expected, so it is no design");
    expects(&mut bench, "width = 4", "width = 2");
    let (status, words) = width(&bench);
    assert_eq!(status, NotApplicable);
    assert!(words.ends_with("expected so, rack.toml:11"), "{words}");
}

#[test]
fn lanes_of_a_soldered_device_are_the_design_of_the_board() {
    let mut bench = Bench::new();
    both_ends(&mut bench, "express.link_status.negotiated_link_width", 2);
    assert_eq!(bench.worst("link-width-below-path").0, Fail);
    bench.set(PORT, "express.capabilities.slot_implemented", 0);
    assert_eq!(bench.worst("link-width-below-path").0, Warn);
}

#[test]
fn a_port_whose_device_answers_is_not_without_link() {
    let mut bench = Bench::new();
    bench.set(PORT, "express.link_status.data_link_layer_link_active", 0);
    assert_eq!(bench.worst("presence-parent-link").0, Warn);
}

#[test]
fn an_entry_that_finds_nothing_fails_with_its_line_and_the_nearest() {
    let mut bench = Bench::new();
    expects(&mut bench, "where = \"01:00.0\"", "where = \"0000:01:00.1\"");
    let (status, words) = bench.worst("presence-count");
    assert_eq!(status, Fail);
    assert!(words.contains("rack.toml:6: nothing here is at 0000:01:00.1; nearest: 0000:01:00.0"), "{words}");
}

#[test]
fn what_lasts_is_told_with_its_age() {
    let count = |bench: &mut Bench, number: u64| {
        bench.attribute(DRIVE, "aer_dev_fatal", &format!("DLP {number}\nTOTAL_ERR_FATAL {number}"));
    };
    let mut bench = Bench::new();
    count(&mut bench, 1);
    let mut findings = bench.run("aer-fatal");
    super::earlier::of_unknown_age(&mut findings);
    assert!(findings.iter().any(|f| f.summary.ends_with("DLP 1; may be old (--for tells)")), "{findings:?}");
    before(&mut bench);
    let (status, words) = bench.worst("aer-fatal");
    assert!(status == Warn && words.ends_with("not one more in 60 s"), "{words}");
    count(&mut bench, 2);
    let (status, words) = bench.worst("aer-fatal");
    assert!(status == Fail && words.ends_with("60 s before: DLP 1"), "{words}");
    let mut bench = Bench::new();
    before(&mut bench);
    bench.set(DRIVE, "aer.uncorrectable_status.completion_timeout", 1);
    let (status, words) = bench.worst("aer-status-latched");
    assert!(status == Fail && words.ends_with("new in these 60 s"), "{words}");
    before(&mut bench);
    let (status, words) = bench.worst("aer-status-latched");
    assert!(status == Fail && words.ends_with("may be old"), "{words}");
}

/// `GPU recovery action changed from 0x0 (None) to …`.
fn recovery(b: &mut Bench, second: u32, from: &str, to: &str) {
    let line = format!("GPU recovery action changed from {from} to {to}");
    b.log.push_str(&format!("[  {second}.000000] NVRM: Xid (PCI:0000:01:00): 154, {line}\n"));
}

#[test]
fn the_last_recovery_action_of_a_gpu_holds() {
    const NONE: &str = "0x0 (None)";
    const RESET: &str = "0x1 (GPU Reset Required)";
    const REBOOT: &str = "0x2 (Node Reboot Required)";
    for (actions, expected, word) in [
        (&[NONE, RESET, NONE][..], Pass, ""),
        (&[RESET, NONE, REBOOT][..], Fail, "Node Reboot Required"),
        (&[NONE, RESET, REBOOT][..], Fail, "Node Reboot Required"),
        (&[NONE, RESET, NONE, RESET][..], Fail, "GPU Reset Required"),
        (&[NONE, RESET, NONE, RESET, NONE][..], Pass, ""),
    ] {
        let mut bench = Bench::new();
        for (place, pair) in actions.windows(2).enumerate() {
            recovery(&mut bench, 100 + place as u32, pair[0], pair[1]);
        }
        let found = bench.run("kmsg-xid154").into_iter().max_by_key(|f| f.status).unwrap();
        assert_eq!(found.status, expected, "{actions:?}: {}", found.summary);
        assert!(found.verdict().action.clone().unwrap_or_default().contains(word), "{actions:?}");
    }
    // What is asked of one GPU is not taken back by what is said of another one.
    let mut bench = Bench::new();
    recovery(&mut bench, 100, NONE, RESET);
    bench.log.push_str(
        &bench.log.replace("0000:01", "0000:04").replace(&format!("to {RESET}"), &format!("to {NONE}")),
    );
    assert_eq!(bench.worst("kmsg-xid154").0, Fail);
}

#[test]
fn an_old_unsupported_request_does_not_explain_new_errors() {
    let bits = |b: &mut Bench, bits: [u64; 4]| {
        let names = ["correctable_error", "non_fatal_error", "fatal_error", "unsupported_request"];
        for (name, bit) in names.iter().zip(bits) {
            b.set(DRIVE, &format!("express.device_status.{name}_detected"), bit);
        }
    };
    for (then, now, expected) in [
        ([0, 0, 0, 1], [0, 0, 0, 1], Pass),
        ([1, 0, 0, 1], [1, 0, 0, 1], Pass),
        ([0, 0, 0, 1], [1, 0, 0, 1], Warn),
        ([1, 0, 0, 1], [1, 1, 0, 1], Warn),
        ([0, 0, 0, 1], [0, 0, 1, 1], Fail),
        ([0, 0, 0, 0], [0, 0, 1, 0], Fail),
        ([0, 0, 1, 0], [0, 0, 1, 0], Warn),
        ([0, 0, 0, 0], [1, 1, 0, 1], Pass),
        ([1, 0, 0, 0], [1, 0, 0, 1], Pass),
    ] {
        let mut bench = Bench::new();
        bits(&mut bench, then);
        before(&mut bench);
        bits(&mut bench, now);
        let (status, words) = bench.worst("devsta-sticky");
        assert_eq!(status, expected, "{then:?} to {now:?}: {words}");
    }
    let mut bench = Bench::new();
    bits(&mut bench, [1, 0, 0, 1]);
    assert_eq!(bench.worst("devsta-sticky").0, Pass, "read once");
    bits(&mut bench, [0, 0, 1, 0]);
    assert_eq!(bench.worst("devsta-sticky").0, Warn, "read once");
}

#[test]
fn a_window_counts_by_its_end_and_not_at_all_where_firmware_was_not_asked() {
    let judged = |windows: &[&str], command: &str| {
        let mut bench = Bench::new();
        let bridge = &mut bench.platform.host_bridges[0];
        bridge.windows = windows.iter().map(|w| (*w).to_owned()).collect();
        let line = |w: &&str| Evidence { line: 9, offset: 0, text: format!("root bus resource {w}") };
        bridge.lines.windows = windows.iter().map(line).collect();
        bench.platform.command_line = Some(command.to_owned());
        let found = bench.run("host-no-64bit-window").remove(0);
        (found.status, found.verdict().proofs.len())
    };
    let io = "[io  0x0000-0x0cf7 window]";
    assert_eq!(judged(&[io, "[mem 0x00000000-0xffffffffff]"], ""), (Pass, 1));
    assert_eq!(judged(&[io, "[mem 0x90000000-0xffffffff window]"], ""), (Warn, 1));
    assert_eq!(judged(&["[mem 0x90000000-0x1ffffffff window] (bus address [0x0-0x1])"], ""), (Pass, 1));
    assert_eq!(judged(&[io, "[bus 00-7f]"], "").0, Unknown);
    assert_eq!(judged(&["[mem 0x00000000-0xffffffffff]"], "pci=realloc,nocrs").0, Unknown);
}

#[test]
fn a_large_bar_below_4g_harms_nobody_where_there_is_room_above() {
    let mut bench = Bench::new();
    prepare(&mut bench, "bar-large-below-4g");
    let below = "0x00000000e0000000 0x00000000efffffff 0x000000000014220c";
    bench.attribute(DRIVE, "resource", below);
    assert_eq!(bench.worst("bar-large-below-4g").0, Pass);
    // Firmware made it small so that it fits.
    bench.set(DRIVE, "rebar.entry[0].capability.supported_sizes", 0x8000);
    assert_eq!(bench.worst("bar-large-below-4g").0, Warn);
}

#[test]
fn what_linux_did_not_ask_for_firmware_did_not_keep() {
    let mut bench = Bench::new();
    bench.platform.host_bridges[0].os_controls.retain(|control| control != "AER");
    let found = |bench: &Bench| bench.run("osc-granted").remove(0);
    assert_eq!(found(&bench).verdict().who.unwrap_or(Who::Firmware), Who::Firmware);
    bench.platform.command_line = Some("pci=noaer".to_owned());
    let found = found(&bench);
    let verdict = found.verdict();
    assert_eq!((verdict.good, verdict.who), (false, Some(Who::Operator)), "{}", found.summary);
    assert!(found.summary.starts_with("Linux did not ask"), "{}", found.summary);
}

#[test]
fn containment_that_firmware_refused_counts_where_a_port_has_it() {
    let mut bench = Bench::new();
    bench.platform.host_bridges[0].not_supported = vec!["LTR".to_owned()];
    assert_eq!(bench.worst("osc-granted").0, Pass);
    bench.platform.host_bridges[0].not_supported.push("DPC".to_owned());
    let (status, words) = bench.worst("osc-granted");
    assert!(status == Warn && words.contains("keeps DPC"), "{words}");
    for address in [PORT, "00:02.0", SWITCH] {
        // A vendor's capability in its place.
        let id = &mut bench.bytes(address)[0x150];
        assert_eq!(std::mem::replace(id, 0x0b), 0x1d);
    }
    assert_eq!(bench.worst("osc-granted").0, Pass);
}

#[test]
fn what_firmware_reports_for_information_is_no_error() {
    let report = |severity: &str| {
        let mut bench = Bench::new();
        for line in [
            "Hardware error from APEI Generic Hardware Error Source: 4",
            &format!("event severity: {severity}"),
            &format!(" Error 0, type: {severity}"),
            "  section_type: PCIe error",
            "  port_type: 4, root port",
            "  device_id: 0000:00:01.0",
        ] {
            said(&mut bench, &format!("{{1}}[Hardware Error]: {line}"));
        }
        bench.worst("kmsg-aer").0
    };
    assert_eq!(["info", "corrected", "recoverable", "fatal"].map(report), [Pass, Warn, Fail, Fail]);
}

#[test]
fn of_a_large_iommu_group_some_are_named_and_the_others_are_counted() {
    let group = "../../../kernel/iommu_groups/1";
    let words = |others: &[&'static str]| {
        let mut bench = Bench::new();
        bench.attribute(OTHER, "iommu_group", group);
        for address in others {
            let mut other = bench.function(OTHER).clone();
            other.attributes.insert("iommu_group", Ok(group.to_owned()));
            bench.functions.insert(address, other);
        }
        let found = bench.run("iommu-groups");
        let drive = "0000:01:00.0".parse().unwrap();
        found.into_iter().find(|f| f.address == Some(drive)).unwrap().summary.into_owned()
    };
    assert_eq!(words(&[]).matches("0000:").count(), 1);
    let more = [
        "20:00.0", "21:00.0", "22:00.0", "23:00.0", "24:00.0", "25:00.0", "26:00.0", "27:00.0", "28:00.0",
        "29:00.0",
    ];
    let told = words(&more);
    assert!(told.matches("0000:").count() == 8 && told.contains(" and 3 more"), "{told}");
}

#[test]
fn rates_follow_speed_and_width_of_the_link() {
    // DCGM's table: lanes, speed, allowed a minute.
    for (width, speed, allowed) in [(16, 1, 3), (16, 2, 5), (16, 3, 8), (4, 3, 2), (1, 1, 1)] {
        let mut bench = Bench::new();
        for address in [DRIVE, PORT] {
            bench.set(address, "express.link_status.current_link_speed", speed);
            bench.set(address, "express.link_status.negotiated_link_width", width);
        }
        before(&mut bench);
        for (more, expected) in [(allowed, Pass), (allowed + 1, Warn), (10 * allowed + 1, Fail)] {
            // Advisory errors are no errors of the link.
            let text = format!("RxErr {more}\nNonFatalErr 900\nTOTAL_ERR_COR {}", more + 900);
            bench.attribute(DRIVE, "aer_dev_correctable", &text);
            let (status, words) = bench.worst("aer-cor-rate");
            let expected = if expected == Pass { Pass } else { expected };
            assert_eq!(status, expected, "x{width}, code {speed}: {words}");
        }
    }
}

#[test]
fn a_function_that_went_away_is_told() {
    let mut bench = Bench::new();
    before(&mut bench);
    bench.functions.remove(DRIVE);
    let (status, words) = bench.worst("presence-dir");
    assert_eq!(status, Fail);
    assert!(words.contains("0000:01:00.0") || words.contains("bus: 1"), "{words}");
}

#[test]
fn a_bar_that_has_its_address_now_is_no_fault() {
    let mut bench = Bench::new();
    said(&mut bench, "pci 0000:01:00.0: BAR 0 [mem size 0x00004000]: failed to assign");
    assert_eq!(bench.worst("bar-kmsg").0, Pass);
}
