//! How fast and how wide a link runs. A link has two ends, so both are always read; it is judged at its lower end.

use crate::inspect::value::speed_text;
use crate::machine::Function;
use crate::machine::link::{self, Hop, Rate, link};
use crate::pci::capability::express::{self, Capabilities, LinkCapabilities, LinkControl2, LinkStatus};
use crate::pci::quantity::{lanes, speed_mts};

use super::bottleneck;
use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::link_excuses::{at_work, is_tunnelled, seen_at, slows_down_when_idle};
use super::registry::{Check, Of, Severity};
use super::subject::{self, Read, Subject};

pub static CHECKS: &[Check] = &[
    Check {
        id: "link-speed-below-path",
        rule: "The link runs as fast as both its ends can.",
        severity: Severity::Warn,
        reads: "LnkCap and LnkSta of both ends",
        why: "A link that trained slower than both ends can moves half the data or less, and nothing in Linux says so \
              after boot.",
        reference: "PCIe 6.2, 7.5.3.6 and 7.5.3.8; Linux pcie_report_downtraining",
        remedy: "look at the target speed of the port (link-target-limited) and the firmware's PCIe link speed setting; \
                 then reseat the card and its riser",
        who: Who::Provider,
        false_positives: "Display controllers and accelerators go to 2.5 GT/s while idle: that is unknown, not wrong, \
                          until they are known to be busy (`check --busy`, `--while`). Then the slowest look counts; \
                          with --while from the one on that showed the highest speed, since work takes a while to begin. \
                          A load that pauses lets a GPU rest.",
        of: Of::Function(speed_below_path),
        ..Check::BASE
    },
    Check {
        id: "link-width-below-path",
        rule: "The link uses as many lanes as both its ends have.",
        reads: "LnkCap and LnkSta of both ends",
        why: "Lanes are lost by dirt, a bad contact, a riser, or a slot that shares lanes. Devices do not give up lanes to \
              save power.",
        reference: "PCIe 6.2, 7.5.3.6 and 7.5.3.8",
        remedy: "reseat the card and its riser, clean the contacts; look for a bifurcation or lane sharing setting of the \
                 slot in firmware setup",
        who: Who::Provider,
        false_positives: "A slot that is wired with fewer lanes than its port has, such as x8 in an x16 connector: write \
                          it into an expectation. Of devices that are soldered to the board (the port has no slot) it is \
                          only warned.",
        of: Of::Function(width_below_path),
        ..Check::BASE
    },
    Check {
        id: "link-speed-below-own",
        rule: "The port above is as fast as the card.",
        severity: Severity::Off,
        reads: "LnkCap of both ends",
        why: "A card in a slot of an older generation works, slower than it could.",
        reference: "PCIe 6.2, 7.5.3.6; what lspci calls downgraded",
        remedy: "move the card to a faster slot, or raise the slot's link speed in firmware setup",
        who: Who::Provider,
        false_positives: "Tunnels (Thunderbolt, USB4) say 2.5 GT/s whatever they carry.",
        of: Of::Function(speed_below_own),
        ..Check::BASE
    },
    Check {
        id: "link-width-below-own",
        rule: "The port above has as many lanes as the card.",
        severity: Severity::Off,
        reads: "LnkCap of both ends",
        why: "A card in a slot with fewer lanes works, slower than it could.",
        reference: "PCIe 6.2, 7.5.3.6",
        remedy: "move the card to a wider slot, or change the slot's bifurcation in firmware setup",
        who: Who::Provider,
        false_positives: "x8 by design, x1 riser cards, tunnels.",
        of: Of::Function(width_below_own),
        ..Check::BASE
    },
    Check {
        id: "link-bottleneck",
        rule: "No link on the way to the root port can carry less than the device's own.",
        severity: Severity::Off,
        reads: "LnkCap of both ends of every link on the way",
        why: "A card with a switch of its own shows a wide link at the device while the slot is two links further up.",
        reference: "Linux pcie_bandwidth_available",
        remedy: "look at the link that is named",
        who: Who::Provider,
        false_positives: "Switches whose uplink is shared by design.",
        of: Of::Function(bottleneck::bottleneck),
        ..Check::BASE
    },
    Check {
        id: "link-ends-disagree",
        rule: "Both ends of a link report the same speed and width.",
        reads: "LnkSta of both ends",
        why: "Two ends of one link cannot run differently; one of them is lying or not answering properly.",
        reference: "PCIe 6.2, 7.5.3.8",
        remedy: "read again; if it stays, the hierarchy is emulated or the device is in a bad state",
        who: Who::Replacement,
        false_positives: "A link that changes speed between the two reads; emulated ports in virtual machines; tunnels.",
        of: Of::Function(ends_disagree),
        ..Check::BASE
    },
    Check {
        id: "link-overdriven",
        rule: "A link does not run faster or wider than its end says it can.",
        severity: Severity::Warn,
        reads: "LnkCap and LnkSta of this end",
        why: "Then one of the registers is wrong, and nothing that is concluded from them holds.",
        reference: "PCIe 6.2, 7.5.3.6 and 7.5.3.8",
        remedy: "update the device's firmware",
        who: Who::Driver,
        false_positives: "Emulated devices.",
        of: Of::Function(overdriven),
        ..Check::BASE
    },
    Check {
        id: "link-speed-unknown",
        rule: "The speed and width of a link that is up are values that exist.",
        severity: Severity::Warn,
        reads: "LnkSta of this end",
        why: "Zero is no speed and no width: the register does not tell of the link. Other codes outside the specification \
              are newer generations or modes of a vendor: what they mean is unknown, and so is all that is concluded from \
              them.",
        reference: "PCIe 6.2, 7.5.3.8",
        remedy: "look at the raw value; some servers have faster modes of their own",
        who: Who::Nobody,
        false_positives: "Emulated devices that leave the register empty. A code that the specification does not know is \
                          `unknown` with its raw value, never a warning.",
        of: Of::Function(speed_unknown),
        ..Check::BASE
    },
    Check {
        id: "link-target-limited",
        rule: "The port's target speed is not below what both ends can do.",
        severity: Severity::Warn,
        reads: "LnkCtl2 bits 3:0 of the port, LnkCap of both ends",
        why: "Then the link is slow because firmware or somebody with setpci limited it, not because of the hardware.",
        reference: "PCIe 6.2, 7.5.3.19",
        remedy: "raise the slot's PCIe link speed (Auto, or the generation of the card) in firmware setup",
        who: Who::Firmware,
        false_positives: "A limit that was set on purpose. Linux itself limits a link to 2.5 GT/s that did not train \
                          (kernel log: retraining non-functional downstream link).",
        of: Of::Function(target_limited),
        ..Check::BASE
    },
];

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

/// The two ends of a link with their registers.
struct Ends {
    hop: Hop,
    proofs: Vec<Proof>,
}

fn ends(subject: &Subject<'_>) -> Result<Ends, Skip> {
    let upper = subject.upper_end()?;
    let registers = |function: &Function| -> Result<(Read<LinkCapabilities>, Read<LinkStatus>), Skip> {
        Ok((subject::register(function, EXPRESS)?, subject::register(function, EXPRESS)?))
    };
    let (above, below) = (registers(upper)?, registers(subject.function)?);
    let proofs = vec![
        above.0.field("max_link_speed"),
        above.1.field("current_link_speed"),
        below.0.field("max_link_speed"),
        below.1.field("current_link_speed"),
    ];
    let hop = link::hops(&[upper, subject.function]).into_iter().next();
    let hop = hop.ok_or_else(|| Skip::not_applicable("the port above has no link below it"))?;
    Ok(Ends { hop, proofs })
}

/// The same proofs with the width as the field that decides.
fn of_width(mut proofs: Vec<Proof>) -> Vec<Proof> {
    for proof in &mut proofs {
        if let Proof::Register { register, field: Some(field), .. } = proof {
            let key = match field.key {
                "max_link_speed" => "maximum_link_width",
                _ => "negotiated_link_width",
            };
            if let Some(width) = register.field(key) {
                *field = width;
            }
        }
    }
    proofs
}

fn both<T>(a: Option<T>, b: Option<T>, what: &str) -> Result<(T, T), Skip> {
    a.zip(b).ok_or_else(|| Skip::unknown(format!("the {what} of one end is a value that does not exist")))
}

fn speed_below_path(subject: &Subject<'_>) -> Judged {
    let Ends { hop, mut proofs } = ends(subject)?;
    let (current, possible) = both(hop.current.speed_mts, hop.possible.speed_mts, "speed")?;
    // Whoever has work has to be fast all the time: the slowest look counts.
    let slowest =
        at_work(subject).and_then(|seen| seen.slowest_mts).filter(|(slowest, _)| *slowest < current);
    let (current, at) = slowest.map_or((current, None), |(slowest, at)| (slowest, Some(at)));
    if current >= possible {
        return Ok(Verdict::good(proofs));
    }
    let (now, can) = (speed_text(current), speed_text(possible));
    if is_tunnelled(subject) {
        return Err(Skip::unknown(format!(
            "says {now}, both ends can {can}: a tunnel says 2.5 GT/s whatever it carries"
        )));
    }
    if !subject.around.busy && slows_down_when_idle(subject) {
        let seen = subject.around.earlier.and_then(|earlier| earlier.history.of(subject.address()));
        if seen.and_then(|seen| seen.fastest_mts) >= Some(possible) {
            // It reached its speed in between; that it rests now is what it should do.
            return Ok(Verdict::good(proofs));
        }
        return Err(Skip::unknown(format!(
            "runs at {now}, both ends can {can}: such devices do so while idle; give it work (check --while COMMAND, or check --busy)"
        )));
    }
    let mut when = String::new();
    if let Some(at) = at {
        let (words, proof) = seen_at(subject, &now, at);
        when = words;
        proofs.push(proof);
    }
    let (upper, lower) = (hop.upper, hop.lower);
    Ok(Verdict::bad(
        format!("the link {upper} to {lower} runs at {now}{when}, both ends can {can}"),
        can,
        now,
        proofs,
    ))
}

fn width_below_path(subject: &Subject<'_>) -> Judged {
    let Ends { hop, proofs } = ends(subject)?;
    let mut proofs = of_width(proofs);
    let (current, possible) = both(hop.current.width, hop.possible.width, "width")?;
    let narrowest =
        at_work(subject).and_then(|seen| seen.narrowest).filter(|(narrowest, _)| *narrowest < current);
    let (current, at) = narrowest.map_or((current, None), |(narrowest, at)| (narrowest, Some(at)));
    if current >= possible {
        return Ok(Verdict::good(proofs));
    }
    let mut when = String::new();
    if let Some(at) = at {
        let (words, proof) = seen_at(subject, &format!("x{current}"), at);
        when = words;
        proofs.push(proof);
    }
    let (upper, lower) = (hop.upper, hop.lower);
    let verdict = Verdict::bad(
        format!("the link {upper} to {lower} uses {current} lanes{when}, both ends have {possible}"),
        format!("x{possible}"),
        format!("x{current}"),
        proofs,
    );
    // Slot Implemented is clear where the device is part of the board: how many lanes are wired is the board's design, and
    // there is nothing to seat anew.
    let upper: Read<Capabilities> = subject::register(subject.upper_end()?, EXPRESS)?;
    if upper.slot_implemented() {
        return Ok(verdict);
    }
    let proofs = verdict.proofs.iter().cloned().chain([upper.field("slot_implemented")]).collect();
    let advice = "the port has no slot: the board may wire fewer lanes by design; if a sound board of the kind has more, \
                  this one is broken; otherwise expect the width (--expect)";
    Ok(Verdict { proofs, ..verdict }.mild().action(Who::Nobody, advice))
}

fn maxima(hop: &Hop) -> (Rate, Rate) {
    let maximum = |l: &Option<link::Link>| l.as_ref().map(|l| l.maximum).unwrap_or_default();
    (maximum(&hop.upper_link), maximum(&hop.lower_link))
}

fn speed_below_own(subject: &Subject<'_>) -> Judged {
    let Ends { hop, proofs } = ends(subject)?;
    if is_tunnelled(subject) {
        return Err(Skip::not_applicable("the link is a tunnel, which says 2.5 GT/s whatever it carries"));
    }
    let (upper, lower) = maxima(&hop);
    let (upper, lower) = both(upper.speed_mts, lower.speed_mts, "maximum speed")?;
    if upper >= lower {
        return Ok(Verdict::good(proofs));
    }
    let (slot, card) = (speed_text(upper), speed_text(lower));
    Ok(Verdict::bad(format!("the card can {card}, the port above only {slot}"), card, slot, proofs))
}

fn width_below_own(subject: &Subject<'_>) -> Judged {
    let Ends { hop, proofs } = ends(subject)?;
    if is_tunnelled(subject) {
        return Err(Skip::not_applicable("the link is a tunnel, whose width means nothing"));
    }
    let (upper, lower) = maxima(&hop);
    let (upper, lower) = both(upper.width, lower.width, "maximum width")?;
    if upper >= lower {
        return Ok(Verdict::good(of_width(proofs)));
    }
    Ok(Verdict::bad(
        format!("the card has {lower} lanes, the port above only {upper}"),
        format!("x{lower}"),
        format!("x{upper}"),
        of_width(proofs),
    ))
}

fn ends_disagree(subject: &Subject<'_>) -> Judged {
    let Ends { hop, proofs } = ends(subject)?;
    let current = |l: &Option<link::Link>| l.as_ref().map(|l| l.current).unwrap_or_default();
    let (upper, lower) = (current(&hop.upper_link), current(&hop.lower_link));
    let (speeds, widths) =
        (both(upper.speed_mts, lower.speed_mts, "speed")?, both(upper.width, lower.width, "width")?);
    if hop.upper_link.as_ref().is_some_and(|l| l.training == Some(true)) {
        return Err(Skip::unknown("the link is being trained"));
    }
    if speeds.0 == speeds.1 && widths.0 == widths.1 {
        return Ok(Verdict::good(proofs));
    }
    let text = |speed, width: u8| format!("{} x{width}", speed_text(speed));
    let (above, below) = (text(speeds.0, widths.0), text(speeds.1, widths.1));
    Ok(Verdict::bad(
        format!("{} says {above}, {} says {below}", hop.upper, hop.lower),
        "the same at both ends",
        format!("{above}, {below}"),
        proofs,
    ))
}

fn own_link(subject: &Subject<'_>) -> Result<(link::Link, Read<LinkCapabilities>, Read<LinkStatus>), Skip> {
    subject.with_link()?;
    let (capabilities, status) = (subject.register(EXPRESS)?, subject.register(EXPRESS)?);
    let own = link(subject.function).ok_or_else(|| Skip::unknown("the link was not read"))?;
    match own.state {
        link::LinkState::Down => Err(Skip::not_applicable("the link is down")),
        _ => Ok((own, capabilities, status)),
    }
}

fn overdriven(subject: &Subject<'_>) -> Judged {
    let (own, capabilities, status) = own_link(subject)?;
    let (speed, width) = (
        both(own.current.speed_mts, own.maximum.speed_mts, "speed")?,
        both(own.current.width, own.maximum.width, "width")?,
    );
    let proofs = [capabilities.proof, status.proof];
    if speed.0 <= speed.1 && width.0 <= width.1 {
        return Ok(Verdict::good(proofs));
    }
    let text = |speed, width: u8| format!("{} x{width}", speed_text(speed));
    let (now, can) = (text(speed.0, width.0), text(speed.1, width.1));
    Ok(Verdict::bad(format!("the link runs at {now} and says it can {can}"), can, now, proofs))
}

fn speed_unknown(subject: &Subject<'_>) -> Judged {
    let (own, _, status) = own_link(subject)?;
    let (speed, width) = (u64::from(status.current_link_speed()), u64::from(status.negotiated_link_width()));
    if speed_mts(speed).is_some() && lanes(width).is_some() {
        return Ok(Verdict::good([status.proof]));
    }
    if own.state == link::LinkState::Up && (speed == 0 || width == 0) {
        let found = format!("speed code {speed}, width code {width}");
        return Ok(Verdict::bad(
            "the link is up and has no speed or no width",
            "both",
            found,
            [status.proof],
        ));
    }
    Err(Skip::unknown(format!(
        "LnkSta is {:#06x}: speed code {speed}, width code {width}, which the specification does not know",
        status.value.0
    )))
}

fn target_limited(subject: &Subject<'_>) -> Judged {
    let upper = subject.upper_end()?;
    if is_tunnelled(subject) {
        return Err(Skip::not_applicable("the link is a tunnel, which says 2.5 GT/s whatever it carries"));
    }
    let Ends { hop, mut proofs } = ends(subject)?;
    let possible =
        hop.possible.speed_mts.ok_or_else(|| Skip::unknown("what both ends can do is not known"))?;
    if !link::has_second_registers(upper) {
        return Err(Skip::not_applicable("the port is older than the target speed"));
    }
    let control: Read<LinkControl2> = subject::register(upper, EXPRESS)?;
    // Ports that know 2.5 GT/s only may hardwire the field to 0.
    let target = match u64::from(control.target_link_speed()) {
        0 if possible == 2500 => 2500,
        code => speed_mts(code).ok_or_else(|| Skip::unknown(format!("the target speed is code {code}")))?,
    };
    proofs.push(control.field("target_link_speed"));
    if target >= possible {
        return Ok(Verdict::good(proofs));
    }
    let (target, possible) = (speed_text(target), speed_text(possible));
    Ok(Verdict::bad(
        format!("{} is told to use {target} at most, both ends can {possible}", upper.address),
        possible,
        target,
        proofs,
    ))
}
