use super::*;
use crate::kernel_log::event::Evidence;
use crate::kernel_log::platform::HostBridge;

/// A host bridge of `pci0000:00` that got these features.
fn bridge(controls: &[&str], refused: Option<&str>) -> HostBridge {
    HostBridge {
        name: "PNP0A08:00".into(),
        root_bus: Some("0000:00".into()),
        os_controls: controls.iter().map(|c| (*c).to_owned()).collect(),
        refused: refused.map(str::to_owned),
        ..HostBridge::default()
    }
}

fn platform(command_line: &str, fadt: Option<bool>, host_bridges: Vec<HostBridge>) -> Platform {
    Platform {
        command_line: Some(command_line.into()),
        fadt_no_aspm: fadt,
        host_bridges,
        ..Platform::default()
    }
}

#[test]
fn who_manages_aspm() {
    let granted = || vec![bridge(&["PME", "AER", "PCIeCapability", "LTR"], None)];
    let refused = || vec![bridge(&[], Some("_OSC failed (AE_NOT_FOUND); disabling ASPM"))];
    let silent = || vec![bridge(&[], None)];
    let elsewhere = || vec![HostBridge { root_bus: Some("0000:80".into()), ..granted().remove(0) }];
    let unplaced = || vec![HostBridge { root_bus: None, ..granted().remove(0) }];
    let no = Some(false);
    let yes = Some(true);
    let table = [
        // The command line decides before everything else.
        (platform("quiet pcie_aspm=off", None, granted()), no, "pcie_aspm=off"),
        (platform("pcie_aspm=off", yes, refused()), no, "pcie_aspm=off"),
        (platform("pcie_aspm=force", None, vec![]), yes, "pcie_aspm=force"),
        (platform("pcie_aspm=force", yes, refused()), yes, "pcie_aspm=force"),
        // Not the kernel's, or another option.
        (platform("quiet -- pcie_aspm=off", None, granted()), yes, "gave Linux control"),
        (platform("xpcie_aspm=off pcie_aspm.policy=off", None, granted()), yes, "gave Linux control"),
        (platform("pcie_aspm=offline", None, granted()), yes, "gave Linux control"),
        // Firmware.
        (platform("", yes, granted()), no, "FADT"),
        (platform("", yes, vec![]), no, "FADT"),
        (platform("", no, granted()), yes, "_OSC of PNP0A08:00 gave Linux control"),
        (platform("", None, granted()), yes, "_OSC of PNP0A08:00 gave Linux control"),
        (platform("", no, refused()), no, "_OSC failed (AE_NOT_FOUND); disabling ASPM"),
        // Nothing tells.
        (platform("", no, silent()), None, "does not say whether _OSC of PNP0A08:00"),
        (platform("", no, vec![]), None, "the kernel log does not tell"),
        (platform("", no, elsewhere()), None, "the kernel log does not tell"),
        (platform("", no, unplaced()), None, "the kernel log does not tell"),
        (Platform::default(), None, "the kernel log does not tell"),
    ];
    for (row, (platform, expected, words)) in table.iter().enumerate() {
        let control = control(platform, Some("pci0000:00"));
        assert_eq!(control.kernel_manages, *expected, "row {row}: {}", control.reason);
        assert!(control.reason.contains(words), "row {row}: {}", control.reason);
    }
}

#[test]
fn a_conclusion_rests_on_what_it_was_read_from() {
    let line = |text: &str| Evidence { line: 3, offset: 0, text: text.to_owned() };
    let text = "[    1.1] acpi PNP0A08:00: _OSC failed (AE_NOT_FOUND); disabling ASPM";
    let mut refused = bridge(&[], Some("_OSC failed (AE_NOT_FOUND); disabling ASPM"));
    refused.lines.refused = Some(line(text));
    let basis = |platform: &Platform| control(platform, Some("pci0000:00")).basis;
    assert_eq!(basis(&platform("", None, vec![refused])), [Basis::Line(line(text))]);
    let off = Basis::File { path: "proc/cmdline", text: "quiet pcie_aspm=off".to_owned() };
    assert_eq!(basis(&platform("quiet pcie_aspm=off", None, vec![])), [off]);
    // Firmware's table, or the line that tells of it.
    let mut fadt = platform("", Some(true), vec![]);
    assert!(matches!(basis(&fadt)[..], [Basis::File { path: "sys/firmware/acpi/tables/FACP", .. }]));
    fadt.fadt_no_aspm_line = Some(line("[    0.2] ACPI FADT declares the system doesn't support PCIe ASPM"));
    assert!(matches!(&basis(&fadt)[..], [Basis::Line(line)] if line.text.contains("FADT declares")));
    assert_eq!(basis(&Platform::default()), []);
}

#[test]
fn without_a_host_bridge_only_the_whole_machine_tells() {
    let granted = platform("", None, vec![bridge(&["PCIeCapability"], None)]);
    for name in [None, Some("0000:00"), Some("pci0000:01")] {
        assert_eq!(control(&granted, name).kernel_manages, None, "{name:?}");
    }
    assert_eq!(control(&platform("pcie_aspm=off", None, vec![]), None).kernel_manages, Some(false));
    assert_eq!(control(&platform("", Some(true), vec![]), None).kernel_manages, Some(false));
}

#[test]
fn the_policy_is_given_where_the_kernel_manages() {
    let mut granted = platform("", None, vec![bridge(&["PCIeCapability"], None)]);
    granted.aspm_policy = Some("powersave".into());
    assert_eq!(control(&granted, Some("pci0000:00")).policy.as_deref(), Some("powersave"));
}
