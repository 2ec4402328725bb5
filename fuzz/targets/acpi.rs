//! The FADT and what else is read of the platform.
use pciscope::machine::platform::read_platform;
use pciscope::tree::MemoryTree;

/// One input.
pub fn run(data: &[u8]) {
    let tree = MemoryTree::complete()
        .file("sys/firmware/acpi/tables/FACP", data)
        .file("proc/cmdline", data)
        .file("proc/version", data)
        .file("sys/module/pcie_aspm/parameters/policy", data)
        .file("sys/bus/pci/slots/1/address", data);
    std::hint::black_box(read_platform(&tree, false, None));
}
