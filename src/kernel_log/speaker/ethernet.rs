//! Network adapters (drivers/net/ethernet, net/sched/sch_generic.c).

use super::super::event::{Kind, Level, Wording};

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "ethernet.gone",
        Level::Bus,
        "The driver read all-ones from the adapter: it does not answer on the bus.",
        "drivers/net/ethernet/intel/{igb,igc,fm10k,ixgbe,ixgbevf}",
        &[
            Wording::whole("PCIe link lost", r"<dev>PCIe link lost(?:, device now detached)?"),
            Wording::whole("Adapter removed", r"<dev>Adapter removed"),
            Wording::whole(
                "PCI config space invalid",
                r"<dev>Firmware reset aborted, PCI config space invalid",
            ),
        ],
    ),
    Kind::new(
        "ethernet.transmit-timeout",
        Level::Consequence,
        "The adapter did not send for seconds; the kernel asks its driver to reset it.",
        "net/sched/sch_generic.c (dev_watchdog)",
        &[
            Wording::whole(
                "NETDEV WATCHDOG",
                r"NETDEV WATCHDOG: (?P<interface>\S+) \((?P<driver><word>)\): transmit queue (?P<queue>\d+) timed out",
            ),
            // Since 6.8.
            Wording::whole(
                "NETDEV WATCHDOG",
                r"<dev>NETDEV WATCHDOG: CPU: \d+: transmit queue (?P<queue>\d+) timed out",
            ),
        ],
    ),
    Kind::new(
        "ethernet.hardware-hang",
        Level::Device,
        "The adapter's transmit unit hangs.",
        "drivers/net/ethernet/intel/e1000e/netdev.c",
        &[Wording::whole("Detected Hardware Unit Hang", r"<dev>Detected Hardware Unit Hang")],
    ),
    Kind::new(
        "ethernet.register-stuck",
        Level::Device,
        "The driver waited for a bit of the adapter to become 0, and it did not. Once may be a slow adapter; several bits at once are one \
         that hangs, or that does not answer: then every bit reads 1.",
        "drivers/net/ethernet/realtek/r8169_main.c (rtl_loop_wait)",
        &[Wording::whole(
            "_cond == 1 (loop: ",
            r"<dev>rtl_(?P<name>\w+)_cond == 1 \(loop: \d+, delay: \d+\)",
        )],
    ),
    Kind::new(
        "ethernet.slow-slot",
        Level::Bus,
        "The slot is slower than the adapter needs.",
        "drivers/net/ethernet/intel/i40e, ixgbe",
        &[Wording::whole(
            "may be insufficient",
            r"<dev>PCI-Express bandwidth available for this (?:device|card) (?:may be insufficient|is not sufficient)",
        )],
    ),
    Kind::new(
        "ethernet.start-failed",
        Level::Driver,
        "The driver could not start the adapter.",
        "drivers/net/ethernet, drivers/net/wireless",
        &[
            Wording::whole("Failed to initialize device", r"<dev>Failed to initialize device"),
            Wording::whole("failed to wake up device", r"<dev>failed to wake up device ?: (?P<error>-?\d+)"),
            Wording::whole(
                "Rev 0xff",
                r"^ath: phy\d+: Mac Chip Rev 0x(?P<value>fff[0-9a-f.]+) is not supported",
            ),
        ],
    ),
];
