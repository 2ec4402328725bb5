//! Which captured fault is which simulated one.

/// A captured fault and how the simulator makes it.
pub struct Case {
    /// The capture with the fault.
    pub capture: &'static str,
    /// The capture of the same machine without it.
    pub base: &'static str,
    /// The function that breaks.
    pub function: &'static str,
    /// What happens to it.
    pub steps: &'static [Step],
}

/// Something that happens.
pub enum Step {
    /// A fault with its parameters.
    Fault(&'static str, &'static [(&'static str, Value)]),
    /// The driver is unbound.
    Unbind,
    /// The function is removed.
    Remove,
}

/// A value of a parameter.
pub enum Value {
    /// A number.
    Number(u64),
    /// A word.
    Word(&'static str),
    /// Yes or no.
    Flag(bool),
}

use Step::Fault;
use Value::{Flag, Number, Word};

const A: &str = "base-a-6.12";
const GPU: &str = "gpu-healthy";

const fn case(
    capture: &'static str,
    base: &'static str,
    function: &'static str,
    steps: &'static [Step],
) -> Case {
    Case { capture, base, function, steps }
}

/// One correctable error.
const fn correctable(values: &'static [(&'static str, Value)]) -> Step {
    Fault("aer-correctable-storm", values)
}

const RECEIVER: Step = correctable(&[("error", Word("RxErr")), ("count", Number(1))]);
const BAD_TLP: Step = correctable(&[("error", Word("BadTLP")), ("count", Number(1))]);
const BAD_DLLP: Step = correctable(&[("error", Word("BadDLLP")), ("count", Number(1))]);
const ROLLOVER: Step = correctable(&[("error", Word("Rollover")), ("count", Number(1))]);
const TIMEOUT: Step = correctable(&[("error", Word("Timeout")), ("count", Number(1))]);

/// Every captured fault that the simulator has.
pub const CASES: &[Case] = &[
    case(
        "gpu-gone",
        GPU,
        "0000:06:00.0",
        &[Fault("fallen-off-bus", &[("link", Word("up")), ("notice", Word("never"))])],
    ),
    case(
        "hp-gone-nvme",
        A,
        "0000:01:00.0",
        &[Fault("fallen-off-bus", &[("link", Word("up")), ("notice", Word("never"))])],
    ),
    case("hp-gone-nvme-io", A, "0000:01:00.0", &[Fault("fallen-off-bus", &[("link", Word("up"))])]),
    case("hp-sysfs-remove", A, "0000:01:00.0", &[Step::Remove]),
    case("cfg-unbound", A, "0000:01:00.0", &[Step::Unbind]),
    case("cfg-mem-off", A, "0000:09:00.0", &[Fault("memory-decode-off", &[])]),
    case("cfg-master-off", A, "0000:01:00.0", &[Fault("bus-master-off", &[])]),
    case("cfg-cap-loop", A, "0000:06:00.0", &[Fault("capability-loop", &[])]),
    case("cfg-cap-loop", A, "0000:09:00.0", &[Fault("capability-loop", &[("list", Word("extended"))])]),
    case("cfg-hdr-7f", A, "0000:10:00.0", &[Fault("header-type-corrupt", &[("at_boot", Flag(true))])]),
    case("cfg-mps-mismatch", A, "0000:09:00.0", &[Fault("payload-size-mismatch", &[])]),
    case(
        "aer-cor-storm",
        A,
        "0000:0a:00.0",
        &[
            RECEIVER, BAD_TLP, BAD_DLLP, ROLLOVER, TIMEOUT, RECEIVER, BAD_TLP, BAD_DLLP, ROLLOVER, TIMEOUT,
            RECEIVER, BAD_TLP, BAD_DLLP, ROLLOVER, TIMEOUT, RECEIVER, BAD_TLP, BAD_DLLP, ROLLOVER, TIMEOUT,
            RECEIVER, BAD_TLP, BAD_DLLP, ROLLOVER, TIMEOUT,
        ],
    ),
    case("aer-nonfatal", A, "0000:0a:00.0", &[Fault("aer-nonfatal", &[("error", Word("UnxCmplt"))])]),
    case("aer-fatal-nic", A, "0000:09:00.0", &[Fault("aer-fatal", &[("error", Word("MalfTLP"))])]),
    case("gpu-speed-gen1", GPU, "0000:06:00.0", &[Fault("link-speed-reduced", &[("speed", Number(1))])]),
    case("gpu-width-x8", GPU, "0000:06:00.0", &[Fault("link-width-reduced", &[("width", Number(8))])]),
    case("gpu-aspm-on", GPU, "0000:06:00.0", &[Fault("aspm-ends-differ", &[])]),
    case("gpu-rebar-small", GPU, "0000:06:00.0", &[Fault("rebar-at-minimum", &[])]),
    case("gpu-cesta", GPU, "0000:06:00.0", &[Fault("lane-errors", &[("lanes", Number(0x8001))])]),
    case("link-target-speed", GPU, "0000:06:00.0", &[Fault("target-speed-limited", &[("speed", Number(1))])]),
];
