//! IOMMU groups.

use super::*;

/// Everything below a port joins the port's IOMMU group, as at boot where the port has no Access Control Services: no bridge
/// on the way isolates it (pci_device_group in drivers/iommu/iommu.c). The numbers of the other groups stay, while a
/// kernel would count on without a gap.
pub fn join_group_of_port(machine: &mut Machine, port: Bdf) {
    let Some(joined) = group(machine, port) else { return };
    for address in machine.below(port) {
        let Some(left) = group(machine, address).filter(|left| *left != joined) else { continue };
        let folder = |number: u64| format!("sys/kernel/iommu_groups/{number}");
        machine.files.remove(&format!("{}/devices/{address}", folder(left)));
        let path = machine.attribute(address, "");
        machine.link(format!("{path}iommu_group"), &folder(joined));
        machine.link(format!("{}/devices/{address}", folder(joined)), path.trim_end_matches('/'));
        if !machine.exists(&format!("{}/devices", folder(left))) {
            machine.remove(&folder(left));
        }
        let (name, text) = (format!("pci {address}"), address.to_string());
        let (before, after) = (
            machine.kernel.iommu_group(&name, &text, left, true),
            machine.kernel.iommu_group(&name, &text, joined, true),
        );
        for line in machine.log.iter_mut().filter(|line| line.text == before) {
            line.text.clone_from(&after);
        }
    }
}

/// Number of a function's IOMMU group.
pub fn group(machine: &Machine, address: Bdf) -> Option<u64> {
    match machine.files.get(&machine.attribute(address, "iommu_group")) {
        Some(Content::Link(target)) => target.rsplit('/').next()?.parse().ok(),
        _ => None,
    }
}
