//! BARs, windows of bridges, Resizable BAR.

use crate::inspect::value::size_text;
use crate::machine::vectors::places;
use crate::pci::bars::{Bar, BarKind};
use crate::pci::extended::rebar::{
    ResizableBarCapability, ResizableBarControl, SPECIFICATION, supported_sizes,
};
use crate::pci::header::Command;
use crate::pci::register::RegisterType;

use super::bridge;
use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::platform::window_above_4g;
use super::registry::{Check, Of, Severity, Threshold};
use super::subject::{Read, Subject};
use super::translation::is_translated;

/// Bytes from which on a BAR counts as large; a profile may say otherwise.
pub const LARGE: u64 = 256 << 20;

/// Checks of address ranges.
pub static CHECKS: &[Check] = &[
    Check {
        id: "bar-unassigned",
        rule: "Every memory BAR has an address.",
        reads: "resource, configuration space 10h to 24h",
        why: "A BAR without an address cannot be used: drivers refuse the device (NVRM: BAR1 is 0M @ 0x0).",
        reference: "Linux drivers/pci/setup-bus.c, include/linux/ioport.h (IORESOURCE_UNSET)",
        remedy: "set `Above 4G Decoding` to Enabled in firmware setup; try pci=realloc on the kernel command line",
        who: Who::Firmware,
        false_positives: "Functions that nobody uses; BARs of bridges.",
        of: Of::Function(unassigned),
        ..Check::BASE
    },
    Check {
        id: "bar-lost-after-reset",
        rule: "The BAR registers hold the addresses that the kernel has noted.",
        reads: "configuration space 10h to 24h, resource",
        why: "A reset behind the kernel's back empties the registers while sysfs keeps showing the addresses: the device \
              answers nowhere.",
        reference: "PCIe 6.2, 7.5.1.2.1; Linux pci_restore_state",
        remedy: "remove and rescan the function, or reboot; find out who reset it",
        who: Who::Operator,
        false_positives: "Virtual functions, whose BARs are in their physical function, are not judged. BARs that Enhanced \
                          Allocation fixes differ by design.",
        of: Of::Function(lost),
        ..Check::BASE
    },
    Check {
        id: "bar-large-below-4g",
        rule: "Large prefetchable 64-bit BARs, and those that could be large, lie above 4 GiB.",
        severity: Severity::Off,
        reads: "resource, ReBARCap; root bus resource lines of the kernel log",
        false_positives: "A BAR that lies below by chance: it counts only where no window above 4 GiB is known, or where the \
                          device offers a larger size.",
        why: "Then firmware did not use the space above 4 GiB, and there is no room for more, or larger, BARs.",
        reference: "UEFI `Above 4G Decoding`",
        remedy: "set `Above 4G Decoding` (`Memory Mapped I/O above 4GB`, `64-bit MMIO`) to Enabled in firmware setup",
        who: Who::Firmware,
        threshold: Some(Threshold { default: LARGE, unit: "bytes" }),
        of: Of::Function(large_below_4g),
        ..Check::BASE
    },
    Check {
        id: "rebar-below-max",
        rule: "Resizable BARs have the largest size that the device offers.",
        severity: Severity::Off,
        reads: "ReBARCap and ReBARCtl of every entry",
        why: "With a small BAR the processor reaches only a part of the device's memory at a time.",
        reference: "PCIe 6.2, 7.8.6",
        remedy: "set `Re-Size BAR Support` and `Above 4G Decoding` to Enabled in firmware setup",
        who: Who::Firmware,
        false_positives: "Some drivers resize when they are loaded (nvidia): not judged without a driver. Where the largest \
                          size does not fit the machine.",
        of: Of::Function(rebar_small),
        ..Check::BASE
    },
    Check {
        id: "rebar-absent",
        rule: "Display controllers and accelerators with a large memory have Resizable BAR.",
        severity: Severity::Off,
        reads: "extended capability 0015h, resource",
        why: "A prefetchable BAR of exactly 256 MiB without the capability is what a GPU with old firmware shows.",
        reference: "PCIe 6.2, 7.8.6",
        remedy: "update the card's firmware",
        who: Who::Firmware,
        false_positives: "Small or old cards that never had it.",
        of: Of::Function(rebar_absent),
        ..Check::BASE
    },
    Check {
        id: "bridge-window-small",
        rule: "The windows of every bridge above cover the function's BARs.",
        reads: "MemBase, MemLimit, PrefBase, PrefLimit of every bridge above, resource of the function",
        why: "An access that no bridge forwards does not reach the device. sysfs shows the kernel's copy of the windows: \
              one that was closed in hardware shows only in the registers.",
        reference: "PCIe 6.2, 7.5.1.3.8 to 7.5.1.3.10",
        remedy: "remove and rescan the bridge, or reboot; for windows that are too small, pci=realloc or \
                 `Above 4G Decoding`",
        who: Who::Operator,
        false_positives: "Bridges that decode subtractively, or by a register of their own (Enhanced Allocation), are not \
                          judged.",
        of: Of::Function(bridge::window),
        ..Check::BASE
    },
    Check {
        id: "bridge-bus-numbers",
        rule: "A bridge's bus numbers are in order, inside those of the bridge above, and no other bridge's on its bus.",
        reads: "primary, secondary and subordinate bus number of the bridge, of the one above and of those on the same bus",
        why: "Configuration requests go where the numbers say: with wrong ones whole branches vanish, or answer twice.",
        reference: "PCIe 6.2, 7.5.1.3.2 to 7.5.1.3.4",
        remedy: "rescan or reboot; if firmware sets them so, try pci=assign-busses",
        who: Who::Firmware,
        false_positives: "A bridge with nothing below may have zeros: only a warning then.",
        of: Of::Function(bridge::bus_numbers),
        ..Check::BASE
    },
];

/// The BARs and the file that tells of them.
pub(super) fn own_bars<'a>(subject: &'a Subject<'_>) -> Result<(&'a [Bar], Proof), Skip> {
    let bars = subject.bars()?;
    Ok((bars, subject.attribute("resource")?.1))
}

fn unassigned(subject: &Subject<'_>) -> Judged {
    let (bars, proof) = own_bars(subject)?;
    let memory: Vec<&Bar> = bars.iter().filter(|b| b.kind != BarKind::Io).collect();
    if memory.is_empty() {
        return Err(Skip::not_applicable("it has no memory BAR"));
    }
    let mut without: Vec<u8> =
        memory.iter().filter(|b| b.assigned == Some(false)).map(|b| b.number).collect();
    // Of a BAR that the kernel gave up nothing may be left, neither in the register nor in `resource`; but what lies in it
    // says that there is one.
    if let Some((table, pending)) = places(subject.function) {
        let lost = |bar: &u8| *bar < 6 && !bars.iter().any(|b| b.number == *bar);
        without.extend([table.bar, pending.bar].iter().filter(|bar| lost(bar)));
    }
    without.sort_unstable();
    without.dedup();
    let without: Vec<String> = without.iter().map(u8::to_string).collect();
    if without.is_empty() {
        return Ok(Verdict::good([proof]));
    }
    let numbers = without.join(", ");
    let verdict = Verdict::bad(
        format!("memory BAR {numbers} has no address"),
        "an address for every memory BAR",
        format!("none for BAR {numbers}"),
        [proof],
    );
    // What nobody uses does no harm without; but drivers of devices refuse them for lack of an address, and are not bound.
    let unused = subject.function.driver_known() && subject.function.driver().is_none();
    let device = matches!(subject.base_class(), Some(0x01 | 0x02 | 0x03 | 0x0c | 0x12));
    Ok(if unused && !device { verdict.mild() } else { verdict })
}

fn lost(subject: &Subject<'_>) -> Judged {
    let (bars, proof) = own_bars(subject)?;
    if subject.has(&crate::pci::capability::enhanced_allocation::SPECIFICATION)? {
        return Err(Skip::not_applicable("Enhanced Allocation fixes its addresses"));
    }
    let command: Read<Command> = subject.header()?;
    // IDE controllers in compatibility mode are at fixed ports, which the kernel notes and no register holds (Linux:
    // pci_setup_device in drivers/pci/probe.c).
    let ide = subject.function.identity.class.is_some_and(|class| class >> 8 == 0x0101);
    let judged = |b: &&Bar| b.agrees.is_some() && !(ide && b.kind == BarKind::Io);
    let known: Vec<&Bar> = bars.iter().filter(judged).collect();
    if known.is_empty() {
        return Err(Skip::not_applicable("no BAR has both a register and an address of the kernel"));
    }
    let register = |bar: &Bar| Proof::Bytes {
        address: subject.address(),
        offset: 0x10 + 4 * u16::from(bar.number),
        width: 4,
        raw: subject.function.reading.space.u32(0x10 + 4 * u16::from(bar.number)).unwrap_or(0).into(),
        decoded: "Base Address Register",
    };
    let Some(bar) = known.iter().find(|b| b.agrees == Some(false) && !is_translated(subject, b)) else {
        return Ok(Verdict::good([register(known[0]), proof]));
    };
    let (is, was) = (bar.address.unwrap_or(0), bar.kernel_address.unwrap_or(0));
    let number = bar.number;
    let summary = match is {
        0 => format!("BAR {number} lost its address"),
        _ => format!("BAR {number} holds another address than the kernel noted"),
    };
    let verdict = Verdict::bad(
        summary,
        format!("{was:#x}"),
        format!("{is:#x}"),
        [register(bar), proof, command.field("memory_space_enable")],
    );
    // An I/O BAR that is off is not in use.
    Ok(if bar.kind == BarKind::Io && !command.io_space_enable() { verdict.mild() } else { verdict })
}

fn large_below_4g(subject: &Subject<'_>) -> Judged {
    let (bars, proof) = own_bars(subject)?;
    let limit = subject.around.profile.threshold("bar-large-below-4g");
    // One that firmware made small to fit below 4 GiB counts as what it could be.
    let most = |number: u8| {
        let entries = entries(subject).unwrap_or_default();
        let entry = entries.into_iter().find(|(_, control, _)| control.bar_index() as u8 == number)?;
        largest(entry.0, entry.1)
    };
    let is_large = |b: &&Bar| b.size.max(most(b.number)).is_some_and(|size| size >= limit);
    let large: Vec<&Bar> =
        bars.iter().filter(|b| b.kind == BarKind::Memory64 && b.prefetchable).filter(is_large).collect();
    if large.is_empty() {
        return Err(Skip::not_applicable("it has no large prefetchable 64-bit BAR"));
    }
    match large.iter().find(|b| b.kernel_address.is_some_and(|a| a < 1 << 32)) {
        None => match large.iter().find(|b| b.kernel_address.is_none()) {
            None => Ok(Verdict::good([proof])),
            // Where it will lie nobody knows; that it has no address is a finding of its own.
            Some(bar) => Err(Skip::unknown(format!(
                "BAR {} has no address and lies nowhere (bar-unassigned)",
                bar.number
            ))),
        },
        Some(bar) => {
            // Below there is room enough for what is no larger, and above there is room for what is.
            let small = most(bar.number).is_some_and(|most| Some(most) > bar.size);
            if let (false, Ok(window)) = (small, window_above_4g(&subject.around))
                && window.good
            {
                return Ok(Verdict::good([vec![proof], window.proofs].concat()));
            }
            let (number, size) = (bar.number, size_text(bar.size.unwrap_or(0)));
            let found = format!("{:#x}", bar.kernel_address.unwrap_or(0));
            let summary = format!("BAR {number} of {size} lies below 4 GiB");
            Ok(Verdict::bad(summary, "above 4 GiB", found, [proof]))
        }
    }
}

fn entries(subject: &Subject<'_>) -> Result<Vec<(ResizableBarCapability, ResizableBarControl, Proof)>, Skip> {
    let first: Read<ResizableBarControl> = subject.register(&SPECIFICATION)?;
    let base = subject.function.find(&SPECIFICATION).map_or(0, |l| l.offset);
    let space = subject.function.space().ok_or_else(|| Skip::unknown("it was not read"))?;
    let count = first.number_of_resizable_bars().clamp(1, 6) as u16;
    let entry = |index: u16| {
        let at = |register: u16| space.u32(base + register + 8 * index);
        let (capability, control) =
            at(0x04).zip(at(0x08)).ok_or_else(|| Skip::unknown("ReBAR was not read"))?;
        let proof = Proof::Register {
            address: subject.address(),
            capability: SPECIFICATION.key,
            register: ResizableBarControl::REGISTER,
            field: ResizableBarControl::REGISTER.field("size"),
            offset: base + 0x08 + 8 * index,
            raw: control.into(),
        };
        Ok((ResizableBarCapability(capability), ResizableBarControl(control), proof))
    };
    (0..count).map(entry).collect()
}

/// Resizable BARs: number, size in bytes (`None` for a reserved value), and where that stands.
pub(super) fn rebar_sizes(subject: &Subject<'_>) -> Result<Vec<(u8, Option<u64>, Proof)>, Skip> {
    let entries = entries(subject)?;
    let one = |(_, control, proof): (_, ResizableBarControl, _)| {
        (control.bar_index() as u8, control.size_bytes(), proof)
    };
    Ok(entries.into_iter().map(one).collect())
}

/// The largest size in bytes that a BAR can have.
fn largest(capability: ResizableBarCapability, control: ResizableBarControl) -> Option<u64> {
    let sizes = supported_sizes(capability, control);
    (0..44).rev().find(|bit| sizes >> bit & 1 == 1).map(|bit| 1u64 << (bit + 20))
}

/// The resizable BARs that are smaller than the device offers: number, size and largest size in bytes, and the proof; and
/// the proofs of the others.
type Small = (Vec<(u8, u64, u64, Proof)>, Vec<Proof>);

fn small(subject: &Subject<'_>) -> Result<Small, Skip> {
    let (mut small, mut others) = (Vec::new(), Vec::new());
    for (capability, control, proof) in entries(subject)? {
        let (Some(largest), Some(size)) = (largest(capability, control), control.size_bytes()) else {
            return Err(Skip::unknown("a size is a reserved value"));
        };
        match size < largest {
            true => small.push((control.bar_index() as u8, size, largest, proof)),
            false => others.push(proof),
        }
    }
    Ok((small, others))
}

/// Numbers of the resizable BARs that are smaller than the device offers.
pub(super) fn below_maximum(subject: &Subject<'_>) -> Result<Vec<u8>, Skip> {
    Ok(small(subject)?.0.into_iter().map(|(bar, ..)| bar).collect())
}

fn rebar_small(subject: &Subject<'_>) -> Judged {
    let (small, others) = small(subject)?;
    subject.driver()?;
    if small.is_empty() {
        return Ok(Verdict::good(others));
    }
    let words = |word: &dyn Fn(u8, &str, &str) -> String| {
        let all =
            small.iter().map(|(bar, size, largest, _)| word(*bar, &size_text(*size), &size_text(*largest)));
        all.collect::<Vec<_>>().join(", ")
    };
    let summary = words(&|bar, size, largest| format!("BAR {bar} has {size}, the device offers {largest}"));
    let (expected, found) = match small.len() {
        1 => (words(&|_, _, largest| largest.to_owned()), words(&|_, size, _| size.to_owned())),
        _ => (
            words(&|bar, _, largest| format!("BAR {bar} {largest}")),
            words(&|bar, size, _| format!("BAR {bar} {size}")),
        ),
    };
    let proofs: Vec<Proof> = small.into_iter().map(|(.., proof)| proof).collect();
    Ok(Verdict::bad(summary, expected, found, proofs))
}

fn rebar_absent(subject: &Subject<'_>) -> Judged {
    if !matches!(subject.base_class(), Some(0x03 | 0x12)) {
        return Err(Skip::not_applicable("it is neither a display controller nor an accelerator"));
    }
    subject.port()?;
    if subject.has(&SPECIFICATION)? {
        return Ok(Verdict::good([subject.register::<ResizableBarControl>(&SPECIFICATION)?.proof]));
    }
    let (bars, proof) = own_bars(subject)?;
    let typical = |b: &&Bar| b.prefetchable && b.kind == BarKind::Memory64 && b.size == Some(256 << 20);
    match bars.iter().find(typical) {
        None => Err(Skip::not_applicable("no BAR has the 256 MiB of a GPU that could have more")),
        Some(bar) => {
            let summary = format!("BAR {} has 256 MiB and cannot be resized", bar.number);
            Ok(Verdict::bad(summary, "Resizable BAR", "none", [proof]))
        }
    }
}
