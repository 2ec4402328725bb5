//! Power states of devices, and waiting for them (drivers/pci/pci.c, pci-driver.c, drivers/base/power).

use super::super::event::{Kind, Level, Wording};

const PCI: &str = "drivers/pci/pci.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "power.inaccessible",
        Level::Bus,
        "The device should have been brought to D0, and reading its configuration space gave all-ones: it has no power, \
         its link is down, or it is gone. The kernel then says D3cold of it, which proves no sleep.",
        PCI,
        &[
            Wording::whole(
                "device inaccessible",
                r"<dev>Unable to change power state from (?P<from>\w+) to (?P<to>\w+), device inaccessible",
            ),
            Wording::whole(
                "config space inaccessible)",
                r"<dev>can't change power state from (?P<from>\w+) to (?P<to>\w+) \(config space inaccessible\)",
            ),
            Wording::whole(
                "config space inaccessible; unable",
                r"<dev>Device config space inaccessible; unable to (?P<operation>.+)$",
            ),
        ],
    ),
    Kind::new(
        "power.refused",
        Level::Power,
        "The device did not take the power state that was written. Until kernel 5.7 a device that does not answer looks \
         the same: all-ones read as D3.",
        PCI,
        &[Wording::whole(
            "efused to change power state",
            r"<dev>[Rr]efused to change power state(?:, currently in (?P<current>D\d\w*)| from (?P<from>\w+) to (?P<to>\w+))",
        )],
    ),
    Kind::new(
        "power.not-ready",
        Level::Bus,
        "The device does not answer after a reset or a change of power, and the kernel waits on.",
        PCI,
        &[
            Wording::whole(
                "; waiting",
                r"<dev>not ready (?P<milliseconds>\d+)ms after (?P<operation>FLR|AF_FLR|PM D3(?:hot)?->D0|bus reset|slot reset|DPC|resume|power up D3hot->D0uninitialized); waiting",
            ),
            Wording::whole("; waiting", r"<dev>not ready after (?P<milliseconds>\d+)ms; waiting"),
            Wording::whole(
                "ms after ",
                r"<dev>not ready (?P<milliseconds>\d+)ms after (?P<operation>FLR|AF_FLR|PM D3(?:hot)?->D0|bus reset|slot reset|DPC|resume|power up D3hot->D0uninitialized)$",
            ),
        ],
    ),
    Kind::new(
        "power.gave-up",
        Level::Bus,
        "The device never answered after a reset or a change of power; the kernel gave up after about a minute.",
        PCI,
        &[
            Wording::whole(
                "; giving up",
                r"<dev>not ready (?P<milliseconds>\d+)ms after (?P<operation>FLR|AF_FLR|PM D3(?:hot)?->D0|bus reset|slot reset|DPC|resume|power up D3hot->D0uninitialized); giving up",
            ),
            Wording::whole("; giving up", r"<dev>not ready after (?P<milliseconds>\d+)ms; giving up"),
        ],
    ),
    Kind::new(
        "power.ready",
        Level::Information,
        "The device answered after a reset or a change of power.",
        PCI,
        &[
            Wording::whole(
                "ms after ",
                r"<dev>ready (?P<milliseconds>\d+)ms after (?P<operation>FLR|AF_FLR|PM D3(?:hot)?->D0|bus reset|slot reset|DPC|resume|power up D3hot->D0uninitialized)",
            ),
            Wording::whole("ready after ", r"<dev>ready after (?P<milliseconds>\d+)ms"),
        ],
    ),
    Kind::new(
        "power.changed-by-acpi",
        Level::Information,
        "Firmware changed the device's power.",
        "drivers/pci/pci-acpi.c (acpi_pci_set_power_state)",
        &[Wording::whole("power state changed by ACPI", r"<dev>power state changed by ACPI to (?P<to>\w+)")],
    ),
    Kind::new(
        "power.configuration-lost",
        Level::Bus,
        "When configuration space was restored it read all-ones: the device did not answer.",
        "drivers/pci/pci.c (pci_restore_config_dword)",
        &[Wording::whole(
            "restoring config space",
            r"<dev>restoring config space at offset (?P<offset>0x[0-9a-f]+) \(was (?P<was>0xffffffff), writing (?P<address>0x[0-9a-f]+)\)",
        )],
    ),
    Kind::new(
        "power.configuration-restored",
        Level::Information,
        "The kernel restored configuration space after a sleep or a reset.",
        "drivers/pci/pci.c (pci_restore_config_dword)",
        &[Wording::whole(
            "restoring config space",
            r"<dev>restoring config space at offset (?P<offset>0x[0-9a-f]+) \(was (?P<was>0x[0-9a-f]+), writing",
        )],
    ),
    Kind::new(
        "power.waiting",
        Level::Information,
        "The kernel waits as long as the specification demands.",
        PCI,
        &[
            Wording::whole("waiting ", r"<dev>waiting (?P<milliseconds>\d+) ms for downstream link"),
            Wording::whole(
                "waiting for D3",
                r"<dev>waiting for (?P<state>D3\w+) delay of (?P<milliseconds>\d+) ms",
            ),
        ],
    ),
    Kind::new(
        "power.pending-transaction",
        Level::Device,
        "The device still had requests under way when it was to be reset.",
        "drivers/pci/pci.c (pcie_flr, pci_af_flr)",
        &[Wording::whole(
            "waiting for pending transaction",
            r"<dev>timed out waiting for pending transaction",
        )],
    ),
    Kind::new(
        "power.resume-failed",
        Level::Consequence,
        "The device or its driver failed when the machine woke up.",
        "drivers/base/power/main.c",
        &[
            Wording::whole(
                "failed to resume",
                r"<dev>PM: failed to resume(?: async)?: error (?P<error>-?\d+)",
            ),
            Wording::whole(
                "returns -",
                r"<dev>PM: (?:dpm_run_callback\(\): )?(?P<operation>\w+)[^ ]* returns (?P<error>-\d+)",
            ),
        ],
    ),
    Kind::new(
        "power.addresses-restored",
        Level::Information,
        "vfio found the device's BARs changed and wrote its guest's addresses back: a reset had cleared them. This is what it is \
         for, and no fault.",
        "drivers/vfio/pci/vfio_pci_config.c (vfio_bar_restore)",
        &[Wording::whole("eset recovery", r"<dev>vfio_bar_restore: reset recovery")],
    ),
];
