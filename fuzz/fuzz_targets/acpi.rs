//! The FADT and what else is read of the platform.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pciscope::machine::platform::read_platform;
use pciscope::tree::MemoryTree;

fuzz_target!(|data: &[u8]| {
    let tree = MemoryTree::complete()
        .file("sys/firmware/acpi/tables/FACP", data)
        .file("proc/cmdline", data)
        .file("proc/version", data)
        .file("sys/module/pcie_aspm/parameters/policy", data)
        .file("sys/bus/pci/slots/1/address", data);
    std::hint::black_box(read_platform(&tree, false));
});
