//! Whether anybody answers at an address. Asked before anything else is believed of a function.

use nix::errno::Errno;

use crate::tree::Cause;
use crate::tree::TreeError;

use super::reading::{Asleep, Reading, answers};

/// The state of a function as seen from the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Configuration space reads as that of a function.
    Answering,
    /// Configuration space reads all-ones: nothing answers, and the kernel has not noticed.
    AllOnes,
    /// Nothing answers and the kernel marked the function disconnected.
    Disconnected,
    /// The function is there and not ready yet: it asks for the request to be repeated (Request Retry Status).
    NotReady,
    /// Reading would wake it, or a bridge above it, from D3cold; so it was not read.
    Asleep,
    /// There is no such function, or it went away while it was read.
    Absent,
    /// It could not be read; the reason says why.
    Unknown,
}

impl State {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Answering => "answering",
            State::AllOnes => "all-ones",
            State::Disconnected => "disconnected",
            State::NotReady => "not-ready",
            State::Asleep => "asleep",
            State::Absent => "absent",
            State::Unknown => "unknown",
        }
    }
}

/// The state with what it was concluded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The state.
    pub state: State,
    /// What it was concluded from: a clause without a full stop. Empty for a function that answers.
    pub reason: String,
}

/// Concludes the state from what was read.
pub fn judge(reading: &Reading) -> Presence {
    let (state, reason) = conclude(reading);
    Presence { state, reason }
}

fn conclude(reading: &Reading) -> (State, String) {
    match reading.asleep {
        Some(Asleep::PowerState) => {
            return (State::Asleep, "power_state is D3cold; reading it would wake it".into());
        }
        Some(Asleep::RuntimeSuspended) => {
            return (
                State::Asleep,
                "runtime-suspended and allowed to be in D3cold; reading it could wake it".into(),
            );
        }
        Some(Asleep::BridgeAbove) => {
            return (
                State::Asleep,
                "a bridge above it is in D3cold; reading it would wake the bridge".into(),
            );
        }
        None => {}
    }
    let Some(identity) = reading.space.u32(0) else { return unread(reading) };
    if answers(&reading.space) {
        return (State::Answering, String::new());
    }
    match identity {
        u32::MAX => dead(reading),
        // Vendor ID 0001h is how a root complex with CRS Software Visibility reports Request Retry Status (PCIe 6.2,
        // 2.3.2); kernel: pci_bus_wait_rrs in drivers/pci/probe.c.
        0xffff_0001 => (
            State::NotReady,
            "vendor ID reads 0x0001: the function asks to be read again later (Request Retry Status)".into(),
        ),
        // Kernel: pci_bus_generic_read_dev_vendor_id in drivers/pci/probe.c takes 0 for an empty slot too.
        _ => {
            (State::Unknown, format!("vendor and device ID read {identity:#010x}, which no function answers"))
        }
    }
}

fn dead(reading: &Reading) -> (State, String) {
    // Kernel: pci_dev_is_disconnected makes the link accessors fail, which sysfs turns into EINVAL (kernel-side copies
    // such as vendor and resource stay as they were).
    let marked = matches!(reading.answer("current_link_speed"), Some(Err(Cause::Errno(Errno::EINVAL))));
    if marked {
        return (
            State::Disconnected,
            "configuration space reads all-ones and current_link_speed fails with EINVAL: the kernel marked it disconnected"
                .into(),
        );
    }
    (
        State::AllOnes,
        "the first 16 bytes of configuration space read all-ones: nothing answers on the bus".into(),
    )
}

fn unread(reading: &Reading) -> (State, String) {
    match reading.config_error {
        Some((_, Cause::Errno(errno @ (Errno::ENODEV | Errno::ENXIO)))) => {
            (State::Absent, format!("it was removed while it was read ({errno:?})"))
        }
        Some((_, Cause::Errno(Errno::ENOENT))) if reading.answers.is_empty() => {
            (State::Absent, "there is no such function".into())
        }
        Some((_, cause)) => (State::Unknown, format!("config: {}", TreeError::new("", cause).cause)),
        None if reading.config_size == Some(0) => (State::Unknown, "config is empty".into()),
        None => (State::Unknown, "config is shorter than 4 bytes".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::{Bdf, ConfigSpace};

    fn reading(bytes: &[u8]) -> Reading {
        let address = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
        Reading { space: ConfigSpace::from_bytes(bytes), ..Reading::failed(address, Cause::NotCaptured) }
    }

    fn header(identity: u32, rest: u8) -> Vec<u8> {
        let mut bytes = vec![rest; 64];
        bytes[..4].copy_from_slice(&identity.to_le_bytes());
        bytes
    }

    fn state(reading: &Reading) -> State {
        judge(reading).state
    }

    #[test]
    fn the_first_sixteen_bytes_decide() {
        assert_eq!(state(&reading(&header(0x2b85_10de, 0))), State::Answering);
        assert_eq!(state(&reading(&header(u32::MAX, 0xff))), State::AllOnes);
        assert_eq!(state(&reading(&header(u32::MAX, 0))), State::Answering, "a virtual function");
        assert_eq!(state(&reading(&header(0xffff_0001, 0xff))), State::NotReady);
        assert_eq!(state(&reading(&header(0, 0))), State::Unknown);
        assert_eq!(state(&reading(&[])), State::Unknown);
    }

    #[test]
    fn a_marked_device_is_told_from_an_unmarked_one() {
        let mut dead = reading(&header(u32::MAX, 0xff));
        let index = super::super::attributes::index("current_link_speed").unwrap();
        dead.answers = vec![(index, Ok("Unknown".into()))];
        assert_eq!(state(&dead), State::AllOnes);
        dead.answers = vec![(index, Err(Cause::Errno(Errno::EINVAL)))];
        assert_eq!(state(&dead), State::Disconnected);
    }

    #[test]
    fn what_could_not_be_read_is_unknown_with_its_reason() {
        let address = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
        for (cause, expected, word) in [
            (Cause::Errno(Errno::EACCES), State::Unknown, "EACCES"),
            (Cause::Errno(Errno::EINVAL), State::Unknown, "EINVAL"),
            (Cause::TimedOut(2000), State::Unknown, "2000 ms"),
            (Cause::NotCaptured, State::Unknown, "not captured"),
            (Cause::Errno(Errno::ENODEV), State::Absent, "ENODEV"),
        ] {
            let presence = judge(&Reading::failed(address, cause));
            assert_eq!(presence.state, expected, "{cause:?}");
            assert!(presence.reason.contains(word), "{}", presence.reason);
        }
    }
}
