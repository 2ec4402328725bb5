//! `path` as text: every function on the way and both ends of every link between them.

use crate::inspect::path::{FunctionPath, Node};
use crate::machine::State;
use crate::machine::link::{Hop, Link, LinkState};
use crate::pci::extended::acs::AcsControl;
use crate::pci::register::RegisterType;

use super::super::style::{Style, Tone, paragraph};
use super::{errors, latched, presence_tone, rate, short_names, states, yes};
use crate::inspect::value::{size_text, speed_text};

/// One function's way.
pub fn function(path: &FunctionPath, style: Style) -> String {
    let mut out = format!(
        "path to {} from {}\n",
        style.paint(Tone::Name, &path.address.to_string()),
        path.host_bridge.as_deref().unwrap_or("a host bridge that the source does not name")
    );
    for (index, node) in path.nodes.iter().enumerate() {
        out.push_str(&node_text(node, style));
        let next = path.nodes.get(index + 1);
        let hop = next
            .and_then(|next| path.links.iter().find(|h| h.upper == node.address && h.lower == next.address));
        match (hop, next) {
            (Some(hop), Some(next)) => out.push_str(&hop_text(hop, node, next, style)),
            (None, Some(next)) if is_inside_switch(node, next) => out.push_str("  |  inside the switch\n"),
            (None, Some(_)) => out.push_str("  |  no PCI Express link here, or it was not read\n"),
            _ => {}
        }
    }
    if let (Some((upper, lower)), true) = (path.narrowest, path.links.len() > 1) {
        out.push_str(&format!("narrowest link: {upper} to {lower}\n"));
    }
    if let [node] = path.nodes.as_slice() {
        out.push_str(match node.port_type {
            Some("root port") => "no link above it: a root port is where the way begins\n",
            _ => "no link: the function is integrated into the root complex, or nothing tells what is above it\n",
        });
    }
    let control = &path.aspm_control;
    let manages = match control.kernel_manages {
        Some(true) => "the kernel manages ASPM",
        Some(false) => "the kernel leaves ASPM as firmware set it",
        None => "not known whether the kernel manages ASPM",
    };
    let policy = control.policy.as_ref().map(|p| format!(", policy {p}")).unwrap_or_default();
    paragraph(&mut out, "", &format!("{manages} ({}){policy}", control.reason), 0, style);
    out
}

fn node_text(node: &Node, style: Style) -> String {
    let mut out = format!(
        "{}  {}  {}\n",
        style.paint(Tone::Name, &node.address.to_string()),
        node.port_type.unwrap_or("not PCI Express, or not read"),
        style.paint(Tone::Heading, &node.device)
    );
    let mut row = |name: &str, text: String| paragraph(&mut out, &format!("     {name}"), &text, 17, style);
    if node.presence != State::Answering {
        let state = style.paint(presence_tone(node.presence), node.presence.name());
        row("presence", format!("{state}: {}", node.presence_reason));
    }
    let mut power = Vec::new();
    power.extend(node.power.hardware_state.map(|s| format!("{s} in hardware")));
    power.extend(node.power.kernel_state.as_ref().map(|s| format!("{s} for the kernel")));
    power.extend(node.power.runtime_status.as_ref().map(|s| format!("runtime {s}")));
    if !power.is_empty() {
        row("power", power.join(", "));
    }
    if let Some(driver) = &node.driver {
        row("driver", driver.clone());
    }
    if node.aer.capability == Some(true) || node.aer.correctable.is_some() {
        let latched = match latched(&node.aer) {
            None => "status not read".to_owned(),
            Some(names) if names.is_empty() => "no error latched".to_owned(),
            Some(names) => names,
        };
        let handled = match node.aer.ownership.kernel {
            Some(true) => "the kernel handles errors",
            Some(false) => "the kernel does not handle errors",
            None => "not known who handles errors",
        };
        row("AER", format!("{latched}; {handled} ({})", node.aer.ownership.reason));
    }
    if let Some(enabled) = &node.acs_enabled {
        row(
            "ACS",
            if enabled.is_empty() {
                "all off".to_owned()
            } else {
                short_names(&[AcsControl::REGISTER], enabled)
            },
        );
    }
    out
}

/// Both ends of a link in two columns.
fn hop_text(hop: &Hop, upper: &Node, lower: &Node, style: Style) -> String {
    let verdict = match (hop.below_possible, end_state(&hop.upper_link)) {
        (_, Some(LinkState::Down)) if hop.upper_link.as_ref().is_some_and(|l| l.disabled == Some(true)) => {
            (Tone::Bad, "the link is down: software disabled it (Link Disable)".to_owned())
        }
        (_, Some(LinkState::Down)) => (Tone::Bad, "the link is down".to_owned()),
        _ if matches!(lower.presence, State::AllOnes | State::Disconnected) => {
            let upper = hop
                .upper_link
                .as_ref()
                .map_or("is not known".to_owned(), |l| format!("says {}", rate(l.current)));
            (Tone::Bad, format!("the lower end does not answer; the upper end {upper}"))
        }
        (Some(true), _) => (
            Tone::Warn,
            format!(
                "runs at {}, both ends can {} (may be normal: a device that saves power slows down while idle)",
                rate(hop.current),
                rate(hop.possible)
            ),
        ),
        (Some(false), _) => (Tone::Good, format!("runs at {}, as fast as both ends can", rate(hop.current))),
        (None, _) => (Tone::Warn, format!("runs at {}; what both ends can is not known", rate(hop.current))),
    };
    let bar = style.paint(Tone::Faint, "|");
    let mut out = format!("  {bar}\n  {bar}  link: {}", style.paint(verdict.0, &verdict.1));
    if let Some(occupied) = hop.slot_occupied {
        out.push_str(if occupied { "; the slot is occupied" } else { "; the slot says that it is empty" });
    }
    out.push('\n');
    let ends = [&hop.upper_link, &hop.lower_link];
    let nodes = [upper, lower];
    let link = |f: &dyn Fn(&Link) -> String| ends.map(|e| e.as_ref().map_or("not read".to_owned(), f));
    let each = |f: &dyn Fn(&Node) -> String| nodes.map(f);
    let unknown = || "not read".to_owned();
    let mut rows: Vec<(&str, [String; 2])> = vec![
        ("", [format!("{} (upper)", hop.upper), format!("{} (lower)", hop.lower)]),
        ("now", link(&|l| if l.state == LinkState::Down { "down".to_owned() } else { rate(l.current) })),
        ("can", link(&|l| rate(l.maximum))),
        ("target speed", link(&|l| l.target_speed_mts.map_or("-".to_owned(), speed_text))),
        ("ASPM on", each(&|n| n.aspm.as_ref().map_or_else(unknown, |a| states(a.enabled)))),
        ("ASPM can", each(&|n| n.aspm.as_ref().map_or_else(unknown, |a| states(a.supported)))),
        (
            "max payload",
            each(&|n| match (n.max_payload, n.max_payload_supported) {
                (Some(now), Some(most)) => format!("{} of {}", size_text(now), size_text(most)),
                _ => unknown(),
            }),
        ),
        ("max read", each(&|n| n.max_read_request.map_or_else(unknown, size_text))),
        (
            "common clock",
            each(&|n| {
                n.common_clock.map_or_else(unknown, |(set, slot)| {
                    format!("{}{}", yes(Some(set)), if slot { ", slot clock" } else { "" })
                })
            }),
        ),
        ("DevSta", each(&|n| n.device_status_errors.map_or_else(unknown, |e| errors(e).1))),
    ];
    let kernel: [String; 2] = nodes.map(|n| {
        let on: Vec<&str> = n.aspm.iter().flat_map(|a| &a.kernel).filter(|s| s.on).map(|s| s.name).collect();
        let any = n.aspm.as_ref().is_some_and(|a| !a.kernel.is_empty());
        if any { if on.is_empty() { "all off".to_owned() } else { on.join(" ") } } else { "-".to_owned() }
    });
    if kernel.iter().any(|k| k != "-") {
        rows.insert(6, ("ASPM, kernel", kernel));
    }
    let width = rows.iter().map(|(_, cells)| cells[0].chars().count()).max().unwrap_or(0) + 2;
    for (name, cells) in rows {
        let differ = matches!(name, "now" | "ASPM on" | "common clock" | "max payload") && differ(&cells);
        let second = if differ { style.paint(Tone::Warn, &cells[1]) } else { cells[1].clone() };
        let padding = " ".repeat(width - cells[0].chars().count());
        out.push_str(format!("  {bar}  {name:<14}{}{padding}{second}", cells[0]).trim_end());
        out.push('\n');
    }
    out.push_str(&format!("  {bar}\n"));
    out
}

fn is_inside_switch(upper: &Node, lower: &Node) -> bool {
    upper.port_type == Some("switch upstream port") && lower.port_type == Some("switch downstream port")
}

fn differ(cells: &[String; 2]) -> bool {
    cells[0] != cells[1] && cells.iter().all(|c| c != "not read")
}

fn end_state(link: &Option<Link>) -> Option<LinkState> {
    link.as_ref().map(|l| l.state)
}
