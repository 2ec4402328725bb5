//! What can be the matter with a device: one word, what it means, where the trouble is.

use crate::kernel_log::Level;

/// What is the matter with a device.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing.
    Healthy,
    /// It has no power, on purpose.
    Asleep,
    /// The link works with less than it could.
    DegradedLink,
    /// Errors on PCI Express are reported.
    ErrorStorm,
    /// Firmware of the machine set something up wrongly.
    FirmwareConfiguration,
    /// Software on the machine set something up wrongly.
    Misconfigured,
    /// It asks to be read again later.
    NotReady,
    /// Not enough is known.
    Unknown,
    /// It does not answer any more, and nothing says why.
    FallenOffBus,
    /// The link is down and the card is there.
    LinkDown,
    /// Somebody took it out.
    SurpriseRemoved,
    /// The port above cut it off because of an error.
    ContainedByDpc,
    /// It does not come back from a power state.
    PowerStateStuck,
    /// It works and its interrupts do not.
    InterruptsUnavailable,
    /// Its memory has no address.
    BarNotAssigned,
    /// The bus is well and the driver gave up.
    DriverWedged,
    /// The device's own firmware or an engine of it failed.
    DeviceFirmware,
    /// The device's memory makes errors.
    MemoryFault,
    /// The program that uses it made a mistake.
    ApplicationFault,
    /// It was stopped from reading or writing memory that is not its own.
    DmaFault,
    /// It did not come back from a reset.
    ResetFailed,
    /// Another device answers than the one that should.
    WrongDevice,
    /// The slot or the cables do not give it the power that it needs.
    SlotPower,
}

use Verdict::*;

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 23] = [
        Healthy,
        DegradedLink,
        FallenOffBus,
        LinkDown,
        SurpriseRemoved,
        ContainedByDpc,
        PowerStateStuck,
        InterruptsUnavailable,
        ErrorStorm,
        BarNotAssigned,
        FirmwareConfiguration,
        DriverWedged,
        DeviceFirmware,
        MemoryFault,
        ApplicationFault,
        Misconfigured,
        DmaFault,
        ResetFailed,
        WrongDevice,
        SlotPower,
        NotReady,
        Asleep,
        Unknown,
    ];

    /// Its name as a person writes it: `contained by DPC`.
    pub fn words(self) -> String {
        let upper = |word: &'static str| match word {
            "dpc" | "bar" | "dma" => word.to_uppercase(),
            _ => word.to_owned(),
        };
        self.name().split('-').map(upper).collect::<Vec<_>>().join(" ")
    }

    /// The verdict of that name.
    pub fn of(name: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// As it is written in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Healthy => "healthy",
            DegradedLink => "degraded-link",
            FallenOffBus => "fallen-off-bus",
            LinkDown => "link-down",
            SurpriseRemoved => "surprise-removed",
            ContainedByDpc => "contained-by-dpc",
            PowerStateStuck => "power-state-stuck",
            InterruptsUnavailable => "interrupts-unavailable",
            ErrorStorm => "error-storm",
            BarNotAssigned => "bar-not-assigned",
            FirmwareConfiguration => "firmware-configuration",
            DriverWedged => "driver-wedged",
            DeviceFirmware => "device-firmware",
            MemoryFault => "memory-fault",
            ApplicationFault => "application-fault",
            Misconfigured => "misconfigured",
            DmaFault => "dma-fault",
            ResetFailed => "reset-failed",
            WrongDevice => "wrong-device",
            SlotPower => "slot-power",
            NotReady => "not-ready",
            Asleep => "asleep",
            Unknown => "unknown",
        }
    }

    /// What it means, in one sentence.
    pub const fn means(self) -> &'static str {
        match self {
            Healthy => "Nothing that was read speaks of trouble.",
            DegradedLink => {
                "The device works over a link that is slower, narrower or less sound than both its ends can."
            }
            FallenOffBus => {
                "The device stopped answering on PCI Express while it was in the machine; nothing that was logged says what \
                 made it fall off."
            }
            LinkDown => "The card is there and its link is down or never came up.",
            SurpriseRemoved => {
                "The device was taken out, with or without intent, while the machine ran or slept."
            }
            ContainedByDpc => {
                "The port above contained an error: it took the link down, so that nothing below it answers until the \
                 kernel lets it up again."
            }
            PowerStateStuck => "The device was put into a power state and does not come back from it.",
            InterruptsUnavailable => {
                "The device answers, and its interrupts cannot be enabled or do not arrive."
            }
            ErrorStorm => {
                "Errors of PCI Express are reported and nothing worse: packets are repeated, refused or lost."
            }
            BarNotAssigned => {
                "Memory of the device has no address, or the address is not forwarded to it: no driver can use it."
            }
            FirmwareConfiguration => {
                "Firmware of the machine (BIOS, ACPI) set up addresses or features so that the device cannot work as it should."
            }
            DriverWedged => {
                "The bus and the device's registers are as they should be; its driver gave up or hangs."
            }
            DeviceFirmware => "The device is on the bus; its own firmware or one of its engines failed.",
            MemoryFault => "The device is on the bus; its own memory makes errors.",
            ApplicationFault => "The device and its driver work; the program that uses it made a mistake.",
            Misconfigured => {
                "Firmware or software of this machine set the device or its port up so that it cannot work as it should."
            }
            DmaFault => {
                "The device was stopped by the IOMMU from reading or writing memory that nobody gave it."
            }
            ResetFailed => "The device was reset and did not come back.",
            WrongDevice => {
                "Another device is in the place than the one that was expected, or than the kernel found when it started."
            }
            SlotPower => "The slot or the cables do not give the device the power that it needs.",
            NotReady => "The device is there and asks to be read again later.",
            Asleep => {
                "The device has no power because nobody uses it; reading it would wake it. This is no fault."
            }
            Unknown => "Not enough is known to tell.",
        }
    }

    /// Where the trouble is, unless a rule knows better.
    pub const fn level(self) -> Level {
        match self {
            Healthy | Asleep => Level::Information,
            DegradedLink | FallenOffBus | LinkDown | SurpriseRemoved | ContainedByDpc | ErrorStorm
            | NotReady | ResetFailed | WrongDevice => Level::Bus,
            PowerStateStuck | SlotPower => Level::Power,
            BarNotAssigned | FirmwareConfiguration => Level::Firmware,
            InterruptsUnavailable | DriverWedged | Misconfigured | DmaFault => Level::Driver,
            DeviceFirmware => Level::Device,
            MemoryFault => Level::Memory,
            ApplicationFault => Level::Application,
            Unknown => Level::Depends,
        }
    }

    /// Exit status of `diagnose` for it.
    pub const fn status(self) -> u8 {
        match self {
            Healthy | Asleep => 0,
            DegradedLink | ErrorStorm | FirmwareConfiguration | Misconfigured => 1,
            Unknown | NotReady => 3,
            _ => 2,
        }
    }

    /// How bad it is, to name the worst first: by exit status, a device that is broken before a program that is, and that before
    /// a device of which nothing is known. A machine is asleep only if all of it is.
    pub const fn weight(self) -> u8 {
        match (self, self.status()) {
            (Asleep, _) => 0,
            (ApplicationFault, _) => 4,
            (_, 2) => 5,
            (_, 3) => 3,
            (_, 1) => 2,
            _ => 1,
        }
    }
}

/// How sure a verdict is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It explains what was seen, and so do other things.
    Possible,
    /// Other explanations need more to be true at once.
    Likely,
    /// What was read leaves no other.
    Certain,
}

impl Confidence {
    /// As it is written in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }

    /// One step less.
    pub const fn less(self) -> Self {
        match self {
            Confidence::Certain => Confidence::Likely,
            _ => Confidence::Possible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_listed_once_and_named_as_in_json() {
        let mut all = Verdict::ALL.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Verdict::SlotPower as usize + 1, "the last one of the list");
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
            assert_eq!(Verdict::of(verdict.name()), Some(verdict));
        }
    }
}
