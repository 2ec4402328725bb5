//! What a bridge forwards: its windows and its bus numbers.

use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::bars::{BarKind, windows};
use crate::pci::header::{PrimaryBus, SecondaryBus, SubordinateBus};

use super::bars::own_bars;
use super::finding::{Judged, Proof, Skip, Verdict};
use super::subject::{Read, Subject, header};
use super::translation::is_translated;

pub(super) fn window(subject: &Subject<'_>) -> Judged {
    let (bars, proof) = own_bars(subject)?;
    let path = subject.around.machine.path(subject.function);
    let (_, above) = path.split_last().ok_or_else(|| Skip::unknown("the way to it is not known"))?;
    if above.is_empty() {
        return Err(Skip::not_applicable("no bridge is above it"));
    }
    let needed: Vec<(u8, u64, u64)> = bars
        .iter()
        .filter(|b| b.kind != BarKind::Io)
        // Windows hold addresses of the bus.
        .filter_map(|b| {
            let address = if is_translated(subject, b) { b.address } else { b.kernel_address };
            Some((b.number, address?, b.size?))
        })
        .collect();
    if needed.is_empty() {
        return Err(Skip::not_applicable("it has no memory BAR with an address"));
    }
    for bridge in above {
        if let Some(skip) = odd_bridge(bridge) {
            return Err(skip);
        }
        let space = bridge
            .space()
            .ok_or_else(|| Skip::unknown(format!("{}: {}", bridge.address, bridge.presence.reason)))?;
        let open: Vec<_> = windows(space).into_iter().filter(|w| w.open && w.kind != "io").collect();
        if windows(space).len() < 3 {
            return Err(Skip::unknown(format!("the windows of {} were not read", bridge.address)));
        }
        for (number, start, size) in &needed {
            let end = start + (size - 1);
            if open.iter().any(|w| w.base <= *start && end <= w.limit) {
                continue;
            }
            let shown: Vec<String> =
                open.iter().map(|w| format!("{:#x} to {:#x}", w.base, w.limit)).collect();
            let found = if shown.is_empty() { "no memory window".to_owned() } else { shown.join(", ") };
            let bytes = |offset: u16, decoded| Proof::Bytes {
                address: bridge.address,
                offset,
                width: 4,
                raw: space.u32(offset).unwrap_or(0).into(),
                decoded,
            };
            return Ok(Verdict::bad(
                format!("{} does not forward BAR {number}", bridge.address),
                format!("{start:#x} to {end:#x} in a window"),
                found,
                [
                    proof,
                    bytes(0x20, "Memory Base and Limit"),
                    bytes(0x24, "Prefetchable Memory Base and Limit"),
                    bytes(0x28, "Prefetchable Base Upper 32 Bits"),
                    bytes(0x2c, "Prefetchable Limit Upper 32 Bits"),
                ],
            ));
        }
    }
    Ok(Verdict::good([proof]))
}

/// Bridges whose windows do not tell what they forward.
fn odd_bridge(bridge: &Function) -> Option<Skip> {
    if !bridge.answers() {
        let (state, reason) = (bridge.presence.state.name(), &bridge.presence.reason);
        return Some(Skip::unknown(format!("{} is {state}: {reason}", bridge.address)));
    }
    let subtractive = bridge.identity.class == Some(0x06_0401);
    let allocated = bridge.find(&crate::pci::capability::enhanced_allocation::SPECIFICATION).is_some();
    if bridge.header_layout() != Some(1) || subtractive || allocated {
        return Some(Skip::not_applicable(format!(
            "the windows of {} do not tell what it forwards",
            bridge.address
        )));
    }
    None
}

pub(super) fn bus_numbers(subject: &Subject<'_>) -> Judged {
    if subject.layout()? != 1 {
        return Err(Skip::not_applicable("it is no PCI-to-PCI bridge"));
    }
    let primary: Read<PrimaryBus> = subject.header()?;
    let secondary: Read<SecondaryBus> = subject.header()?;
    let subordinate: Read<SubordinateBus> = subject.header()?;
    let (p, s, u) = (primary.number(), secondary.number(), subordinate.number());
    let proofs = vec![primary.proof, secondary.proof, subordinate.proof];
    let found = format!("primary {p:02x}, secondary {s:02x}, subordinate {u:02x}");
    let listed = subject.around.machine.children(subject.address()).next();
    if s == 0 && listed.is_none() {
        return Ok(Verdict::bad("the bridge has no bus below", "a bus number", found, proofs).mild());
    }
    if s == 0 || s > u || s <= p && subject.address().bus == p {
        return Ok(Verdict::bad(
            "the bus numbers are not in order",
            "primary < secondary <= subordinate",
            found,
            proofs,
        ));
    }
    if let Some(other) =
        listed.filter(|child| child.address.domain == subject.address().domain && child.address.bus != s)
    {
        let summary = format!("the bridge leads to bus {s:02x}, and the kernel has {} below", other.address);
        return Ok(Verdict::bad(summary, format!("secondary {:02x}", other.address.bus), found, proofs));
    }
    if let Some(above) = subject.around.machine.parent(subject.function) {
        let (Some(from), Some(to)) = (above.header::<SecondaryBus>(), above.header::<SubordinateBus>())
        else {
            return Err(Skip::unknown(format!("the bus numbers of {} were not read", above.address)));
        };
        if s < from.number() || u > to.number() {
            let range = format!("within {:02x} to {:02x}", from.number(), to.number());
            let summary = format!("the buses below are not all inside those of {}", above.address);
            return Ok(Verdict::bad(summary, range, found, proofs));
        }
    }
    siblings(subject, (s, u), found, proofs)
}

/// Two bridges on one bus must not lead to the same buses.
fn siblings(subject: &Subject<'_>, (s, u): (u8, u8), found: String, mut proofs: Vec<Proof>) -> Judged {
    let here = subject.address();
    let mut unread = None;
    // Functions are in the order of their addresses, so those of one bus stand together.
    let functions = &subject.around.machine.functions;
    let bus = |address: Bdf| (address.domain, address.bus);
    let first = functions.partition_point(|other| bus(other.address) < bus(here));
    let others = functions[first..].iter().take_while(|other| bus(other.address) == bus(here));
    let others = others.filter(|other| {
        other.address != here && other.identity.class.is_none_or(|class| class >> 8 == 0x0604)
    });
    for other in others {
        if other.header_layout().is_some_and(|layout| layout != 1) {
            continue;
        }
        let (Ok(from), Ok(to)) = (header::<SecondaryBus>(other), header::<SubordinateBus>(other)) else {
            unread = unread.or(Some(other));
            continue;
        };
        let (first, last) = (from.number(), to.number());
        if first == 0 || last < s || u < first {
            continue;
        }
        proofs.extend([from.proof, to.proof]);
        let summary =
            format!("{} on the same bus leads to buses {first:02x} to {last:02x} as well", other.address);
        return Ok(Verdict::bad(summary, "buses that no other bridge leads to", found, proofs));
    }
    match unread {
        Some(other) => Err(Skip::unknown(format!(
            "the bus numbers of {} on the same bus were not read: {}",
            other.address,
            other.unread().unwrap_or_else(|| other.presence.reason.clone())
        ))),
        None => Ok(Verdict::good(proofs)),
    }
}
