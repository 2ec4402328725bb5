//! `list --tree`: the hierarchy.

use std::collections::{BTreeMap, HashSet};

use crate::inspect::list::{List, Summary};
use crate::machine::{MOST_LEVELS, State};
use crate::pci::Bdf;

use super::super::style::{Style, Tone, cut};
use super::{link_now_and_most, notes, presence_tone};

/// Lays out the hierarchy. `titles` are in the order of the functions.
pub fn tree(list: &List, titles: &[String], style: Style) -> String {
    let by_address: BTreeMap<Bdf, (&Summary, &str)> =
        list.functions.iter().zip(titles).map(|(f, t)| (f.address, (f, t.as_str()))).collect();
    let mut children: BTreeMap<Option<Bdf>, Vec<Bdf>> = BTreeMap::new();
    for function in &list.functions {
        let parent = function.parent.filter(|p| by_address.contains_key(p) && *p != function.address);
        children.entry(parent).or_default().push(function.address);
    }
    let mut printer =
        Printer { by_address, children, style, seen: HashSet::new(), deeper: Vec::new(), out: String::new() };
    let mut roots: BTreeMap<String, Vec<Bdf>> = BTreeMap::new();
    for root in printer.children.get(&None).cloned().unwrap_or_default() {
        let name = printer.by_address[&root].0.host_bridge.clone();
        let name = name.unwrap_or_else(|| format!("{:04x}:{:02x}", root.domain, root.bus));
        roots.entry(name).or_default().push(root);
    }
    for (name, functions) in roots {
        printer.out.push_str(&style.paint(Tone::Heading, &name));
        printer.out.push('\n');
        printer.level(&functions, "", 1);
        printer.flat();
    }
    // A tree from a stranger may claim bridges above each other; nothing that was asked for is left out.
    let missed: Vec<Bdf> =
        printer.by_address.keys().filter(|a| !printer.seen.contains(*a)).copied().collect();
    if !missed.is_empty() {
        printer.out.push_str("below each other, in a circle\n");
        printer.level(&missed, "", 1);
        printer.flat();
    }
    printer.out + &notes(&list.notes)
}

struct Printer<'a> {
    by_address: BTreeMap<Bdf, (&'a Summary, &'a str)>,
    children: BTreeMap<Option<Bdf>, Vec<Bdf>>,
    style: Style,
    seen: HashSet<Bdf>,
    /// Functions below the deepest level that is drawn.
    deeper: Vec<Bdf>,
    out: String,
}

impl Printer<'_> {
    fn level(&mut self, functions: &[Bdf], indent: &str, depth: usize) {
        // Neither the stack nor the indent grows with what a stranger claims.
        if depth > MOST_LEVELS {
            self.deeper.extend_from_slice(functions);
            return;
        }
        for (index, address) in functions.iter().enumerate() {
            if !self.seen.insert(*address) {
                continue;
            }
            let last = index + 1 == functions.len();
            self.line(*address, indent, if last { "└─ " } else { "├─ " });
            let below = self.children.get(&Some(*address)).cloned().unwrap_or_default();
            self.level(&below, &format!("{indent}{}", if last { "   " } else { "│  " }), depth + 1);
        }
    }

    /// What lies deeper than any machine is, without the hierarchy.
    fn flat(&mut self) {
        let mut waiting = std::mem::take(&mut self.deeper);
        waiting.retain(|address| !self.seen.contains(address));
        if !waiting.is_empty() {
            self.out.push_str(&format!(
                "deeper than the {MOST_LEVELS} buses that a domain has, as the source says\n"
            ));
        }
        waiting.reverse();
        while let Some(address) = waiting.pop() {
            if self.seen.insert(address) {
                self.line(address, "", "");
                waiting.extend(self.children.get(&Some(address)).into_iter().flatten().rev());
            }
        }
    }

    fn line(&mut self, address: Bdf, indent: &str, branch: &str) {
        let Some((summary, title)) = self.by_address.get(&address).copied() else { return };
        let style = self.style;
        let mut line = format!("{indent}{branch}");
        let mut length = line.chars().count();
        let mut push = |tone: Tone, text: &str| {
            length += text.chars().count() + 1;
            line.push_str(&style.paint(tone, text));
            line.push(' ');
        };
        push(Tone::Name, &address.to_string());
        if let Some((secondary, subordinate)) = summary.buses {
            let buses = match subordinate == secondary {
                true => format!("[{secondary:02x}]"),
                false => format!("[{secondary:02x}-{subordinate:02x}]"),
            };
            push(Tone::Faint, &buses);
        }
        if summary.presence != State::Answering {
            push(presence_tone(summary.presence), summary.presence.name());
        }
        if let Some(link) = &summary.link {
            let (tone, text) = link_now_and_most(link);
            push(tone, &text);
        }
        let room = style.width.map_or(usize::MAX, |columns| columns.saturating_sub(length).max(12));
        line.push_str(&cut(title, room));
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}
