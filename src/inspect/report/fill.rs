//! The words that stand for the placeholders of a setting: which device, port and slot, and how fast the link should be.

use crate::inspect::value::speed_number;
use crate::machine::Function;
use crate::machine::link::{self, Rate};
use crate::pci::Bdf;
use crate::pci::capability::express::{self, Capabilities, LinkCapabilities};
use crate::pci::quantity::LINK_SPEEDS;

use super::Material;
use super::patients::Patient;

/// What stands for the placeholders of a setting.
pub struct Fill {
    words: Vec<(&'static str, String)>,
    /// Whether the link at the port is up and runs as both ends can, as far as that is known.
    pub runs: bool,
    /// Whether the port's Link Status can show that the link is as it should be: by speed and width, if those of both ends are
    /// known, else by Data Link Layer Link Active, which of any other function, and of ports that do not report it, is always 0
    /// (PCIe 6.2, 7.5.3.8).
    pub tells: bool,
    /// Whether there is a port of which the link can be read.
    pub port: bool,
}

impl Fill {
    /// The words for a patient.
    pub fn new(material: Material<'_>, patient: &Patient) -> Self {
        let machine = material.inspection.machine;
        let most = |address: Option<Bdf>| {
            let function = machine.get(address?)?;
            link::link(function).map(|l| l.maximum).and_then(whole)
        };
        // The kernel's attributes of a card that does not answer are read from all-ones: a width of 255 gives them away, and
        // then the speed is none either. What the log said when the card was found is what it could then.
        let card = most(Some(patient.address)).or_else(|| logged(material, patient.address));
        let upper = link_port(material, patient);
        let own = most(upper.map(|port| port.address));
        let both = card.zip(own).and_then(|(card, port)| whole(port.lower(card)));
        // What the card can is not known: what the port can is not expected of it.
        let up = match own {
            Some(Rate { speed_mts: Some(speed), width: Some(width) }) => {
                format!("up (the port can {}GT/s x{width})", speed_number(speed))
            }
            _ => "up".to_owned(),
        };
        let above = upper;
        let slot = match (&patient.slot, above.filter(|port| has_slot(port))) {
            (Some(slot), _) => format!("slot {slot}"),
            (None, Some(port)) => format!("the slot below {}", port.address),
            (None, None) => format!("the slot of {}", patient.address),
        };
        let port = upper.map(|port| port.address).or(patient.port).unwrap_or(patient.address);
        let mut words = match both {
            Some(Rate { speed_mts: Some(speed), width: Some(width) }) => {
                vec![("{speed}", format!("{}GT/s", speed_number(speed))), ("{width}", format!("x{width}"))]
            }
            // Sentences without numbers. lspci prints DLActive on the line below LnkSta (pciutils: ls-caps.c,
            // cap_express_link).
            _ => vec![
                ("up with {speed} {width}", up),
                ("Speed {speed}, Width {width}", "DLActive+".to_owned()),
                ("lspci -s {port} -vv | grep LnkSta:", "lspci -s {port} -vv | grep DLActive".to_owned()),
                ("{speed}", "as fast as both ends can".to_owned()),
                ("{width}", "as many lanes as both ends have".to_owned()),
            ],
        };
        let places =
            [("{device}", patient.address.to_string()), ("{port}", port.to_string()), ("{slot}", slot)];
        words.extend(places);
        let link = above.and_then(link::link);
        let runs = link.is_some_and(|link| {
            let whole = both.is_none_or(|both| link.current == both);
            whole && link.state != link::LinkState::Down
        });
        let capabilities: Option<LinkCapabilities> =
            above.and_then(|port| port.register(&express::SPECIFICATION));
        let tells = capabilities.is_some_and(|c| c.data_link_layer_link_active_reporting_capable());
        Fill { words, runs, tells: tells || above.is_some() && both.is_some(), port: above.is_some() }
    }

    /// The text with the words in it.
    pub fn text(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (name, word)| text.replace(name, word))
    }
}

/// The port whose link leads to the device: inside a switch the nearest one above that faces downwards across a cable or slot. A
/// switch's upstream port has no link below it (PCIe 6.2, 1.3.3: its buses are inside).
fn link_port<'a>(material: Material<'a>, patient: &Patient) -> Option<&'a Function> {
    let machine = material.inspection.machine;
    let downstream = |f: &Function| link::port_type(f).is_some_and(|p| p.is_downstream_facing());
    let way = patient.place.iter().rev().filter(|address| **address != patient.address);
    let known = way.filter_map(|address| machine.get(*address)).find(|port| downstream(port));
    known.or_else(|| machine.get(patient.port?).filter(|port| downstream(port)))
}

/// A rate of which speed and width are known.
fn whole(rate: Rate) -> Option<Rate> {
    (rate.speed_mts.is_some() && rate.width.is_some()).then_some(rate)
}

/// Whether it is a port with a slot (PCIe 6.2, 7.5.3.2: Slot Implemented is valid for downstream-facing ports only).
fn has_slot(port: &Function) -> bool {
    let downstream = link::port_type(port).is_some_and(|p| p.is_downstream_facing());
    let capabilities: Option<Capabilities> = port.register(&express::SPECIFICATION);
    downstream && capabilities.is_some_and(|c| c.slot_implemented())
}

/// What the kernel said that a device can when it found it (kernel: `__pcie_print_link_status` in drivers/pci/pci.c).
fn logged(material: Material<'_>, address: Bdf) -> Option<Rate> {
    let names = |kind| match kind {
        "link.as-fast-as-the-device" => Some(("speed", "width")),
        "link.slower-than-the-device" => Some(("capable_speed", "capable_width")),
        _ => None,
    };
    let mine = material.log()?.events.iter().filter(|event| event.device == Some(address));
    mine.rev().find_map(|event| {
        let (speed, width) = names(event.kind.id)?;
        let number: f64 = event.text(speed)?.split(' ').next()?.parse().ok()?;
        let width = event.number(width).and_then(|w| u8::try_from(w).ok());
        let speed = LINK_SPEEDS.iter().copied().find(|mts| f64::from(*mts) == number * 1000.0);
        whole(Rate { speed_mts: speed, width })
    })
}
