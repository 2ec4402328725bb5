//! The way from the root port to a device as a picture: what stands on it, and every link with what it runs at. Inline SVG
//! whose colours come from the page.

use crate::inspect::path::{FunctionPath, Node};
use crate::inspect::report::patients::Patient;
use crate::machine::State;
use crate::machine::link::{Hop, LinkState};

use super::super::style::cut;
use super::super::text::rate;

/// Width of the picture; on a telephone it is shown nearly as it is.
const WIDTH: usize = 400;
const BOX: usize = 62;
const LINK: usize = 56;
/// Characters that fit into a box.
const LETTERS: usize = 56;

/// How a link looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Good,
    Weak,
    Broken,
    Unknown,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Look::Good => "good",
            Look::Weak => "weak",
            Look::Broken => "broken",
            Look::Unknown => "unknown",
        }
    }
}

/// The picture.
pub fn picture(path: &FunctionPath, patient: &Patient) -> String {
    let ghost = !path.nodes.iter().any(|n| n.address == patient.address);
    let count = path.nodes.len() + usize::from(ghost);
    let height = 26 + count * BOX + count.saturating_sub(1) * LINK + 6;
    let mut out = format!(
        "<svg class=\"path\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"the way to {}\">",
        escape(&patient.address.to_string())
    );
    let bridge = path.host_bridge.as_deref().unwrap_or("host bridge");
    out.push_str(&format!("<text class=\"faint\" x=\"8\" y=\"16\">{}</text>", escape(bridge)));
    let mut y = 26;
    for (place, node) in path.nodes.iter().enumerate() {
        if place > 0 {
            let upper = &path.nodes[place - 1];
            let hop = path.links.iter().find(|h| h.upper == upper.address && h.lower == node.address);
            y = match hop {
                Some(hop) => {
                    let (look, text, more) = words(hop, node);
                    link(&mut out, y, look, &text, &more)
                }
                None if inside(upper, node) => link(&mut out, y, Look::Good, "inside the switch", ""),
                None => link(&mut out, y, Look::Unknown, "no PCI Express link here, or it was not read", ""),
            };
        }
        let sick = node.presence != State::Answering;
        let ports = node.port_type.unwrap_or("function");
        let state = match node.presence {
            State::Answering => {
                node.driver.as_ref().map(|d| format!("answers, driver {d}")).unwrap_or("answers".into())
            }
            state => format!("{}: {}", state.name(), node.presence_reason),
        };
        let slot = (node.address == patient.address).then_some(patient.slot.as_deref()).flatten();
        let name = match slot {
            Some(slot) => format!("{}  {ports}, slot {slot}", node.address),
            None => format!("{}  {ports}", node.address),
        };
        y = square(&mut out, y, if sick { "node sick" } else { "node" }, [&name, &node.device, &state]);
    }
    if ghost {
        let slot = patient.slot.as_ref().map(|s| format!(", slot {s}")).unwrap_or_default();
        y = link(&mut out, y, Look::Broken, "nothing answers below this port", "");
        let name = format!("{}{slot}", patient.address);
        let device = patient.device.as_deref().unwrap_or("the device that was here");
        square(&mut out, y, "node sick ghost", [&name, device, "not listed by the kernel any more"]);
    }
    out.push_str("</svg>");
    out
}

fn inside(upper: &Node, lower: &Node) -> bool {
    upper.port_type == Some("switch upstream port") && lower.port_type == Some("switch downstream port")
}

fn words(hop: &Hop, lower: &Node) -> (Look, String, String) {
    let down = hop.upper_link.as_ref().is_some_and(|l| l.state == LinkState::Down);
    let silent = lower.presence != State::Answering;
    let possible = hop.upper_link.as_ref().map(|l| l.maximum).unwrap_or_default();
    let card = match hop.slot_occupied {
        Some(true) => "; the slot sees a card",
        Some(false) => "; the slot sees no card",
        None => "",
    };
    if down {
        return (Look::Broken, format!("link down{card}"), format!("the port can {}", rate(possible)));
    }
    if silent {
        return (
            Look::Broken,
            "nobody answers at the other end".to_owned(),
            format!("the port can {}", rate(possible)),
        );
    }
    let now = format!("{} now", rate(hop.current));
    let most = format!("both ends can {}", rate(hop.possible));
    match hop.below_possible {
        Some(true) => (Look::Weak, now, most),
        Some(false) => (Look::Good, now, "as fast as both ends can".to_owned()),
        None => (Look::Unknown, now, most),
    }
}

fn square(out: &mut String, y: usize, class: &str, lines: [&str; 3]) -> usize {
    let (inner, height) = (WIDTH - 8, BOX);
    out.push_str(&format!(
        "<rect class=\"{class}\" x=\"4\" y=\"{y}\" width=\"{inner}\" height=\"{height}\" rx=\"6\"/>"
    ));
    for (place, line) in lines.into_iter().enumerate() {
        let class = ["name", "", "faint"][place];
        let text = escape(&cut(line, LETTERS));
        let at = y + 20 + place * 17;
        out.push_str(&format!("<text class=\"{class}\" x=\"14\" y=\"{at}\">{text}</text>"));
    }
    y + BOX
}

fn link(out: &mut String, y: usize, look: Look, text: &str, more: &str) -> usize {
    let (class, end, middle) = (look.class(), y + LINK, y + LINK / 2);
    out.push_str(&format!("<line class=\"link {class}\" x1=\"34\" y1=\"{y}\" x2=\"34\" y2=\"{end}\"/>"));
    if look == Look::Broken {
        let (a, b) = (middle - 9, middle + 9);
        out.push_str(&format!(
            "<circle class=\"mark\" cx=\"34\" cy=\"{middle}\" r=\"13\"/><path class=\"cross\" d=\"M27 {c} L41 {d} M41 {c} L27 {d}\"/>",
            c = a + 2,
            d = b - 2
        ));
    }
    let (first, second) = if more.is_empty() { (middle + 5, middle) } else { (middle - 3, middle + 14) };
    out.push_str(&format!(
        "<text class=\"{class}\" x=\"58\" y=\"{first}\">{}</text>",
        escape(&cut(text, LETTERS - 6))
    ));
    if !more.is_empty() {
        out.push_str(&format!(
            "<text class=\"faint\" x=\"58\" y=\"{second}\">{}</text>",
            escape(&cut(more, LETTERS - 6))
        ));
    }
    end
}

/// Text for a page.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
