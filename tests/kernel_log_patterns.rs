//! Every line of the table of known lines is read as the right event with the right fields, and as no other.
//!
//! The table (`tests/kernel-log-patterns.json`) gives for each line of the kernel its regular expression and samples that
//! were read in the sources of kernels 4.4 to 7.2 and of NVIDIA's modules 515 to 595. What its groups catch is what our
//! own tables must catch too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use pciscope::kernel_log::catalogue::parse;
use pciscope::kernel_log::event::Value;
use regex::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
struct Pattern {
    name: String,
    regex: String,
    samples: Vec<String>,
}

/// Which kinds a pattern of the table is; several where ours tell apart what one expression of the table takes together.
const KINDS: &[(&str, &[&str])] = &[
    ("aer_source", &["aer.message"]),
    ("aer_bus_error", &["aer.error"]),
    ("aer_device_status", &["aer.error"]),
    ("aer_bit", &["aer.error"]),
    ("aer_tlp", &["aer.error"]),
    ("aer_agent_first", &["aer.error"]),
    ("aer_no_details", &["aer.no-details"]),
    ("aer_recovery", &["aer.recovered", "aer.not-recovered"]),
    ("aer_cant_recover", &["aer.cannot-recover"]),
    ("aer_port_reset", &["aer.port-reset", "aer.reset-failed"]),
    ("aer_enabled", &["aer.enabled"]),
    ("aer_ratelimit", &["aer.rate-limited"]),
    ("aer_cper", &["aer.error"]),
    ("dpc_event", &["dpc.containment"]),
    ("dpc_reason", &["dpc.containment"]),
    ("edr", &["dpc.edr"]),
    (
        "pciehp_slot",
        &["pciehp.link-down", "pciehp.card-not-present", "pciehp.no-link", "pciehp.link-ignored"],
    ),
    ("pciehp_slot_44", &["pciehp.link-down", "pciehp.card-not-present"]),
    ("pciehp_noresp", &["pciehp.no-response"]),
    ("pm_inaccessible", &["power.inaccessible"]),
    ("pm_inaccessible_5x", &["power.inaccessible"]),
    ("pm_refused", &["power.refused"]),
    ("not_ready", &["power.not-ready", "power.gave-up", "power.ready"]),
    ("not_ready_scan", &["power.not-ready"]),
    ("dlla", &["link.not-active"]),
    ("retrain_quirk", &["link.retraining"]),
    ("bw_limited", &["link.slower-than-the-device"]),
    ("bw_ok", &["link.as-fast-as-the-device"]),
    ("bar_old", &["resources.no-space", "resources.not-assigned", "resources.no-io-window"]),
    ("bar_new", &["resources.no-space", "resources.not-assigned", "resources.cannot-enable"]),
    ("bar_enable_old", &["resources.cannot-enable"]),
    ("osc", &["acpi.osc-not-supported", "acpi.osc-controls"]),
    ("osc_failed", &["acpi.osc-refused"]),
    ("osc_retain", &["acpi.osc-refused"]),
    ("fadt_aspm", &["acpi.no-aspm"]),
    ("acs_quirk", &["pci.acs-workaround"]),
    ("dmar_fault", &["iommu.fault"]),
    ("dmar_ir", &["iommu.interrupt-blocked"]),
    ("dmar_ite", &["iommu.invalidation-timeout"]),
    ("amdvi", &["iommu.fault", "iommu.invalidation-timeout"]),
    ("nobody_cared", &["interrupts.nobody-cared"]),
    ("irq_disabled", &["interrupts.switched-off"]),
    ("iommu_group", &["iommu.group"]),
    ("xid", &["nvidia.xid"]),
    ("nv_off_bus", &["nvidia.fallen-off-the-bus"]),
    ("nv_probe_off_bus", &["nvidia.probe-fallen-off"]),
    ("nv_rminit", &["nvidia.rm-init-failed"]),
    ("nv_init_adapter", &["nvidia.adapter-not-started"]),
    ("nv_cannot_attach", &["nvidia.cannot-attach"]),
    ("nv_msix", &["nvidia.msi-x-failed", "nvidia.msi-failed"]),
    ("nv_bar_invalid", &["nvidia.bar-invalid"]),
    ("nv_uuid", &["nvidia.gpu-identified"]),
    ("nv_sxid", &["nvidia.switch-error"]),
    ("probe_failed", &["pci.probe-failed"]),
    ("nvme_down", &["nvme.controller-down"]),
    ("nvme_poll", &["nvme.interrupt-lost"]),
    ("net_lost", &["ethernet.gone"]),
    ("mlx5", &["mlx5.health"]),
    ("iter_pci_scan", &["pci.function-found"]),
];

/// Groups of the table that say which kind a line is, or how it is worded, and are no fields of ours.
const NO_FIELDS: &[&str] = &[
    "drv", "pd", "pd2", "bus", "svc", "fn", "neg", "tail", "act", "act4", "verb", "aspm", "rest", "nodetail",
    "multi", "bit", "first", "dir", "port", "flit", "rc2",
];

#[test]
fn every_sample_is_the_right_event_with_the_right_fields() {
    let patterns: Vec<Pattern> = serde_json::from_str(include_str!("kernel-log-patterns.json")).unwrap();
    assert_eq!(patterns.len(), KINDS.len());
    let mut samples = 0;
    for pattern in &patterns {
        let kinds = KINDS.iter().find(|(name, _)| *name == pattern.name).unwrap().1;
        let table = Regex::new(&pattern.regex).unwrap();
        for sample in &pattern.samples {
            samples += 1;
            let said = parse(sample).unwrap_or_else(|| panic!("{}: {sample}: no event", pattern.name));
            assert!(kinds.contains(&said.kind.id), "{}: {sample}: {}", pattern.name, said.kind.id);
            let captures = table.captures(sample).unwrap();
            for group in table.capture_names().flatten() {
                let Some(caught) = captures.name(group) else { continue };
                if NO_FIELDS.contains(&group) {
                    continue;
                }
                let text = caught.as_str().trim();
                if is_address(group) {
                    let device = said.device.or_else(|| said.fields.get("source")?.text()?.parse().ok());
                    assert_eq!(device, address(text), "{}: {sample}: {group}", pattern.name);
                    continue;
                }
                let found = said.fields.values().any(|value| same(value, text));
                let in_kind = is_in_the_kind(said.kind.id, text);
                assert!(
                    found || in_kind,
                    "{}: {sample}: {group} `{text}` is not in {:?}",
                    pattern.name,
                    said.fields
                );
            }
        }
    }
    assert_eq!(samples, 122);
}

fn is_address(group: &str) -> bool {
    matches!(group, "bdf" | "bdf2" | "bdf4" | "dev")
}

fn address(text: &str) -> Option<pciscope::pci::Bdf> {
    if text.contains('.') { text.parse().ok() } else { format!("{text}.0").parse().ok() }
}

/// Whether a value is what the text says, as text or as a number to either base.
fn same(value: &Value, text: &str) -> bool {
    match value {
        Value::Text(own) => own == text || own.contains(text),
        Value::List(items) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            items.join(" ") == words.join(" ") || items.iter().any(|item| item == text)
        }
        Value::Number(number) => text.parse() == Ok(*number),
        Value::Hexadecimal(number) => u64::from_str_radix(text.trim_start_matches("0x"), 16) == Ok(number.0),
    }
}

/// Whether the words are what the kind is called for.
fn is_in_the_kind(kind: &str, text: &str) -> bool {
    const WORDS: &[(&str, &str)] = &[
        ("aer.recovered", "successful"),
        ("aer.not-recovered", "failed"),
        ("pciehp.link-down", "Link Down"),
        ("pciehp.link-ignored", "Link Down/Up ignored"),
        ("pciehp.card-not-present", "Card not present"),
        ("pciehp.no-link", "Cannot train link: status 0x0001"),
        ("link.retraining", "broken device, retraining non-functional downstream link at 2.5GT/s"),
        ("resources.no-space", "no space for"),
        ("resources.no-io-window", "no space for"),
        ("resources.no-space", "can't assign; no space"),
        ("resources.not-assigned", "failed to assign"),
        ("resources.cannot-enable", "not assigned; can't enable device"),
        ("acpi.no-aspm", "PCIe ASPM"),
        ("nvidia.msi-x-failed", "Failed to enable MSI-X."),
        ("nvidia.msi-failed", "Failed to enable MSI; falling back to PCIe virtual-wire interrupts."),
        ("mlx5.health", "device's health compromised - reached miss count"),
        ("iommu.fault", "domain=0x001f address=0xfffff000 flags=0x0020"),
        ("iommu.invalidation-timeout", "address=0x100000"),
    ];
    WORDS.contains(&(kind, text))
}
