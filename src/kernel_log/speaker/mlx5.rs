//! Mellanox/NVIDIA network adapters (drivers/net/ethernet/mellanox/mlx5/core/health.c, events.c).

use super::super::event::{Kind, Level, Wording};

const HEALTH: &str = "drivers/net/ethernet/mellanox/mlx5/core/health.c";

/// Everything that this speaker says.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "mlx5.unreachable",
        Level::Bus,
        "The adapter does not answer on the bus.",
        HEALTH,
        &[
            Wording::whole(
                "PCI slot is unavailable",
                r"^mlx5_core (?P<device><bdf>): .*PCI slot is unavailable",
            ),
            // health.c: MLX5_SENSOR_PCI_COMM_ERR (1, a read gave all-ones) and MLX5_SENSOR_PCI_ERR (2, the channel is offline).
            Wording::whole(
                "Fatal error ",
                r"^mlx5_core (?P<device><bdf>): .*Fatal error (?P<value>[12]) detected",
            ),
            Wording::whole(
                "PCI channel offline",
                r"^mlx5_core (?P<device><bdf>): .*PCI channel offline, stop waiting for PCI",
            ),
            Wording::whole(
                "health recovery flow aborted",
                r"^(?:mlx5_core (?P<device><bdf>): )?.*health recovery flow aborted(?:, PCI reads still not working)?",
            ),
            Wording::whole(
                "device is being removed",
                r"^mlx5_core (?P<device><bdf>): .*device is being removed, stop waiting for PCI",
            ),
        ],
    ),
    Kind::new(
        "mlx5.health",
        Level::Device,
        "The adapter's own firmware stopped counting or reported an error. A dead bus looks the same at first.",
        HEALTH,
        &[
            Wording::whole(
                "health compromised",
                r"^mlx5_core (?P<device><bdf>): .*device's health compromised - (?P<reason>.+)$",
            ),
            Wording::whole(
                "Fatal error ",
                r"^mlx5_core (?P<device><bdf>): .*Fatal error (?P<value>[03-9]|[0-9]{2,}) detected",
            ),
            Wording::whole("assert_var", r"^mlx5_core (?P<device><bdf>): .*assert_var\[\d+\] 0x[0-9a-f]+"),
        ],
    ),
    Kind::new(
        "mlx5.recovery",
        Level::Consequence,
        "The driver resets the adapter to recover.",
        HEALTH,
        &[
            Wording::whole(
                "mlx5_error_sw_reset",
                r"^mlx5_core (?P<device><bdf>): .*mlx5_error_sw_reset.*(?P<state>start|end)",
            ),
            Wording::whole(
                "health recovery succeeded",
                r"^mlx5_core (?P<device><bdf>): .*health recovery (?P<state>succeeded)",
            ),
        ],
    ),
    Kind::new(
        "mlx5.error-reported",
        Level::Bus,
        "The kernel told the driver of an error on PCI Express.",
        "drivers/net/ethernet/mellanox/mlx5/core/main.c (mlx5_pci_err_detected)",
        &[Wording::whole(
            "mlx5_pci_err_detected",
            r"^mlx5_core (?P<device><bdf>): (?:\S+ )?mlx5_pci_err_detected\b",
        )],
    ),
    Kind::new(
        "mlx5.slot-power",
        Level::Power,
        "The slot offers less power than the adapter needs.",
        "drivers/net/ethernet/mellanox/mlx5/core/events.c (mlx5_pcie_event)",
        &[Wording::whole(
            "insufficient power on the PCIe slot",
            r"^mlx5_core (?P<device><bdf>): .*Detected insufficient power on the PCIe slot \((?P<watts>\d+)W\)",
        )],
    ),
];
