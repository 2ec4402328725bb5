//! Which link on the way to a device carries least.

use crate::inspect::value::speed_text;
use crate::machine::Function;
use crate::machine::link::{self, Hop, Rate};
use crate::pci::capability::express::{self, LinkCapabilities};

use super::finding::{Judged, Proof, Skip, Verdict};
use super::link_excuses::is_tunnelled;
use super::subject::{self, Subject};

/// The links on the way to an endpoint, the narrowest of all and the device's own, each with what it can carry in MT/s times
/// lanes.
struct Way {
    narrowest: (u64, Hop),
    own: (u64, Hop),
}

fn way(subject: &Subject<'_>) -> Result<Way, Skip> {
    let port = subject.with_link()?;
    if !port.is_endpoint() {
        return Err(Skip::not_applicable("the way is judged at its end"));
    }
    if subject.address().function != 0 {
        return Err(Skip::not_applicable(
            "the way is that of the whole device and judged at its first function",
        ));
    }
    if is_tunnelled(subject) {
        return Err(Skip::not_applicable(
            "the way leads through a tunnel, which says 2.5 GT/s whatever it carries",
        ));
    }
    let carries = |hop: Hop| -> Result<(u64, Hop), Skip> {
        let (speed, width) = (hop.possible.speed_mts, hop.possible.width);
        match speed.zip(width) {
            Some((speed, width)) => Ok((u64::from(speed) * u64::from(width), hop)),
            None => Err(Skip::unknown(format!(
                "what the link {} to {} can do is not known",
                hop.upper, hop.lower
            ))),
        }
    };
    let path = subject.around.machine.path(subject.function);
    let hops: Vec<(u64, Hop)> = link::hops(&path).into_iter().map(carries).collect::<Result<_, _>>()?;
    let own = hops.last().cloned().ok_or_else(|| Skip::unknown("the port above is not known"))?;
    let narrower = hops.into_iter().filter(|(rate, _)| *rate < own.0);
    let narrowest = narrower.min_by_key(|(rate, _)| *rate).unwrap_or_else(|| own.clone());
    Ok(Way { narrowest, own })
}

/// The lower end of the link that carries less than the device's own, if there is one.
pub(super) fn narrowest_end<'a>(subject: &Subject<'a>) -> Option<&'a Function> {
    let Way { narrowest, own } = way(subject).ok()?;
    (narrowest.0 < own.0).then(|| subject.around.machine.get(narrowest.1.lower))?
}

pub(super) fn bottleneck(subject: &Subject<'_>) -> Judged {
    let Way { narrowest: (least, narrowest), own: (wanted, own) } = way(subject)?;
    let read = |address| -> Result<Proof, Skip> {
        let function = subject.around.machine.get(address).ok_or_else(|| Skip::unknown("it is not known"))?;
        Ok(subject::register::<LinkCapabilities>(function, &express::SPECIFICATION)?.proof)
    };
    let proofs = vec![read(narrowest.upper)?, read(narrowest.lower)?, read(own.lower)?];
    if least >= wanted {
        return Ok(Verdict::good(proofs));
    }
    let text = |rate: Rate| {
        let speed = rate.speed_mts.map_or_else(|| "unknown speed".to_owned(), speed_text);
        rate.width.map_or_else(|| speed.clone(), |width| format!("{speed} x{width}"))
    };
    Ok(Verdict::bad(
        format!("the link {} to {} can carry less than the device's own", narrowest.upper, narrowest.lower),
        text(own.possible),
        text(narrowest.possible),
        proofs,
    ))
}
