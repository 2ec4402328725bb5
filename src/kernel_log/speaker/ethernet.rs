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
        "ethernet.transmit-hang",
        Level::Device,
        "The adapter's transmit unit made no progress, and the driver resets it. A peer that holds traffic back, a program and a bad \
         cable cause it as well as a bad adapter.",
        "drivers/net/ethernet/intel/{ixgbe,igb,igc,fm10k,e1000}",
        &[Wording::whole("Detected Tx Unit Hang", r"<dev>Detected Tx Unit Hang")],
    ),
    Kind::new(
        "ethernet.command-timeout",
        Level::Device,
        "The adapter's own firmware did not answer a command of its driver in time.",
        "drivers/net/ethernet/broadcom/bnxt/bnxt_hwrm.c (__hwrm_send); drivers/net/ethernet/emulex/benet/be_cmds.c",
        &[
            Wording::whole(
                "Error (timeout: ",
                r"<dev>Error \(timeout: \d+\) msg \{0x[0-9a-f]+ 0x[0-9a-f]+\}",
            ),
            Wording::whole("FW not responding", r"<dev>FW not responding"),
        ],
    ),
    Kind::new(
        "ethernet.firmware-failed",
        Level::Device,
        "The adapter's own firmware stopped, or the adapter reported an error that it cannot recover from.",
        "drivers/net/ethernet/broadcom/bnxt/bnxt.c (bnxt_try_recover_fw, bnxt_async_event_process); \
         drivers/net/ethernet/emulex/benet/be_main.c (be_detect_error); drivers/net/ethernet/broadcom/bnx2x/bnx2x_main.c \
         (bnx2x_attn_int_deasserted3)",
        &[
            Wording::whole(
                "Firmware not responding, status",
                r"<dev>Firmware not responding, status: (?P<status>0x[0-9a-f]+)",
            ),
            Wording::whole("Firmware fatal reset event", r"<dev>Firmware fatal reset event"),
            Wording::whole("Fatal firmware reset event", r"<dev>Fatal firmware reset event"),
            Wording::whole(
                "Unrecoverable Error detected in the adapter",
                r"<dev>Unrecoverable Error detected in the adapter",
            ),
            Wording::whole("UE: ", r"<dev>UE: \S.* bit set"),
            // It names the interface alone (BNX2X_ERR in bnx2x.h).
            Wording::whole(
                "assert!",
                r"^bnx2x: \[\w+:\d+\((?P<interface>[^()]+)\)\] ?MCP? assert!",
            )
            .of("bnx2x"),
            Wording::whole("assert!", r"<dev>\[bnx2x_\w+:\d+\([^()]+\)\] ?MCP? assert!"),
        ],
    ),
    Kind::new(
        "ethernet.not-stopping",
        Level::Depends,
        "The adapter did not stop when its driver asked. A value of ffffffff is all-ones: nothing answers on the bus.",
        "drivers/net/ethernet/broadcom/tg3.c (tg3_abort_hw)",
        &[
            Wording::whole(
                "TX_MODE_ENABLE will not clear",
                r"<dev>tg3_abort_hw timed out, TX_MODE_ENABLE will not clear MAC_TX_MODE=(?P<value>[0-9a-f]+)",
            ),
            Wording::whole(
                "TX_MODE_ENABLE will not clear",
                r"^tg3: (?:\S+: )?tg3_abort_hw timed out(?: for (?P<interface>\S+))?[,;] TX_MODE_ENABLE will not clear MAC_TX_MODE=(?P<value>[0-9a-f]+)",
            )
            .of("tg3"),
        ],
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
