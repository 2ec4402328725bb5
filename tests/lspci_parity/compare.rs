//! One function of lspci's text against the same function here.

use pciscope::machine::Function;
use pciscope::pci::decode::{Capability, Placed};
use pciscope::pci::header;
use pciscope::pci::walk::{Anomaly, List};

use super::differences::{DIFFERENCES, LEFT_OUT, NAMES};
use super::kinds::{Kind, WITHOUT_RULES, kind};
use super::rule::{Rule, TITLE, ids, take};
use super::sources::DUMPED;
use super::tally::Tally;
use super::text::{CapabilityText, FunctionText};
use super::view::View;
use super::{
    rules_cxl, rules_express, rules_extended, rules_header, rules_legacy, rules_recent, rules_services,
    rules_standard,
};

/// Words before a group of flags; they are part of the flag's name where that is needed to tell it from another.
const GROUPS: [&str; 6] = ["Enable", "Control", "Status", "Changed", "AtomicOpsCap", "AtomicOpsCtl"];

/// Where we are, for messages and for the lists.
pub struct Place<'a> {
    pub referee: &'static str,
    pub source: &'a str,
    /// lspci did not get to the end of this function.
    pub cut: bool,
}

pub struct Comparison<'a> {
    pub tally: &'a mut Tally,
    pub place: Place<'a>,
}

impl Comparison<'_> {
    /// Compares one function.
    pub fn function(&mut self, text: &FunctionText, function: &Function) {
        let at = format!("{}: {} {}", self.place.referee, self.place.source, function.address);
        self.counts().functions += 1;
        let (capabilities, anomalies) = function.decode();
        let registers = function.space().map(header::registers).unwrap_or_default();
        let fields = std::mem::take(&mut self.tally.fields);
        let view = |key, registers| View { function, key, registers, seen: &fields };
        if function.answers() {
            let header = view(rules_header::KEY, &registers[..]);
            self.line(&header, &first(&text.first), rules_header::FIRST, &at);
            let source = if self.place.referee == DUMPED { "kernel" } else { "" };
            self.header_lines(&header, &text.header, source, &at);
            let listed = |bar: &u8| text.header.iter().any(|l| l.starts_with(&format!("Region {bar}:")));
            let bars = if source.is_empty() { rules_header::regions(&header) } else { Vec::new() };
            for (bar, noted) in bars.iter().filter(|(bar, _)| !listed(bar)) {
                let ours = if *noted { bar.to_string() } else { "not noted by the kernel".to_owned() };
                self.value(rules_header::KEY, "Region", "nothing".to_owned(), ours, &at);
            }
            self.lists(text, &capabilities, &anomalies, &at);
            for text in &text.capabilities {
                if let Some(ours) = capabilities.iter().find(|c| c.located.offset == text.offset) {
                    self.capability(text, ours, &view, &at);
                }
            }
        } else if text.header.iter().any(|l| l.starts_with("!!! Unknown header type")) {
            let theirs = "unknown header type".to_owned();
            self.value(rules_header::KEY, "answers", theirs, "no answer".to_owned(), &at);
        } else {
            // Nothing could be read, but the kernel still knows something.
            let header = view(rules_header::KEY, &[]);
            self.line(&header, &first(&text.first), rules_header::FIRST, &at);
            self.header_lines(&header, &text.header, "unread", &at);
        }
        self.tally.fields = fields;
    }

    /// Lines of the header, except those that cannot be compared with this source.
    fn header_lines(&mut self, header: &View<'_>, lines: &[String], source: &str, at: &str) {
        for line in lines {
            let mut rest = line.clone();
            self.leave_out(source, line, &mut rest);
            if !rest.is_empty() {
                self.line(header, line, "", at);
            }
        }
    }

    /// Whether both found the same capabilities.
    fn lists(&mut self, text: &FunctionText, ours: &[Capability], anomalies: &[Anomaly], at: &str) {
        for theirs in &text.capabilities {
            let list = list(theirs.offset);
            let here = ours.iter().find(|c| c.located.offset == theirs.offset);
            let said = here.map_or("nothing", |c| c.specification.map_or("unknown", |s| s.key));
            let (theirs, said) = match (kind(list, &theirs.title), here) {
                (Some(Kind::Known(key, _)), _) => (key.to_owned(), said.to_owned()),
                (Some(Kind::Unknown(id)), Some(here)) => {
                    (format!("{id:x}"), format!("{:x}", here.located.id))
                }
                (Some(Kind::Unknown(id)), None) => (format!("{id:x}"), said.to_owned()),
                (Some(Kind::Broken(how)), _) => {
                    let looped = anomalies.iter().any(|a| matches!(a, Anomaly::Loop { .. }));
                    (how.to_owned(), if looped { "<chain looped>" } else { "no loop" }.to_owned())
                }
                (None, _) => (theirs.title.clone(), said.to_owned()),
            };
            self.value("list", "capability", theirs, said, at);
        }
        let hidden = self.place.cut || text.header.iter().any(|l| l == "Capabilities: <access denied>");
        for ours in
            ours.iter().filter(|c| !hidden && !text.capabilities.iter().any(|t| t.offset == c.located.offset))
        {
            self.value("list", "capability", "nothing".to_owned(), ours.path(), at);
        }
    }

    fn capability<'v>(
        &mut self,
        text: &CapabilityText,
        ours: &'v Capability,
        view: &dyn Fn(&'static str, &'v [Placed]) -> View<'v>,
        at: &str,
    ) {
        let Some(specification) = ours.specification else { return };
        let Some(Kind::Known(key, title)) = kind(ours.located.list, &text.title) else { return };
        *self.counts().capabilities.entry(specification.key).or_default() += 1;
        if let Some(version) = text.version {
            self.value(
                specification.key,
                "version",
                version.to_string(),
                ours.located.version.to_string(),
                at,
            );
        }
        if specification.layout.is_none() || specification.key != key || WITHOUT_RULES.contains(&key) {
            return;
        }
        let view = view(specification.key, &ours.registers);
        self.line(&view, title, TITLE, at);
        for line in &text.lines {
            self.line(&view, line, "", at);
        }
    }

    /// Compares everything in a line. `start` is what the line is, where it does not say so itself.
    fn line(&mut self, view: &View<'_>, line: &str, start: &str, at: &str) {
        let rule = rule_for(view.key, if start.is_empty() { line } else { start });
        let (label, register) = match (rule, start, line.split_once(':')) {
            (Some(rule), "", _) => (rule.line, rule.register),
            (Some(rule), ..) => ("", rule.register),
            (None, "", Some((register, _))) => (&line[..=register.len()], register),
            _ => ("", ""),
        };
        let name = if start.is_empty() { line } else { start };
        let mut rest = format!(" {}", &line[label.len()..]);
        self.leave_out(view.key, name, &mut rest);
        for (from, to) in rule.map_or(&[][..], |rule| rule.rewrite) {
            rest = rest.replace(from, to);
        }
        for value in rule.map_or(&[][..], |rule| rule.values) {
            let Some(text) = take(&mut rest, value.pattern) else { continue };
            let item = format!("{register} {}", value.name());
            match value.compare(view, register, &text) {
                Some((theirs, ours)) => self.value(view.key, item.trim(), theirs, ours, at),
                None => self.counts().left_out += 1,
            }
        }
        let (mut group, mut unknown) = ("", Vec::new());
        for word in rest.split([' ', ',', ';', '|']) {
            let flag = word.strip_suffix('+').map(|name| (name, 1));
            match flag.or_else(|| word.strip_suffix('-').map(|name| (name, 0))) {
                Some((flag, set)) if !flag.is_empty() => self.flag(view, register, group, flag, set, at),
                _ => match GROUPS.iter().find(|g| word.strip_suffix(':') == Some(g)) {
                    Some(found) => group = found,
                    None if word.chars().any(char::is_alphanumeric) => unknown.push(word),
                    None => {}
                },
            }
        }
        if !unknown.is_empty() {
            self.tally.fail(format!("{} {name}: nothing compares `{}`", view.key, unknown.join(" ")), at);
        }
    }

    /// Takes out what is listed as not compared.
    fn leave_out(&mut self, key: &str, name: &str, rest: &mut String) {
        for (index, entry) in LEFT_OUT.iter().enumerate() {
            let everywhere = entry.capability == "*" && key != "unread" && key != "kernel" && !key.is_empty();
            if !(entry.capability == key || everywhere) || !name.starts_with(entry.line) {
                continue;
            }
            let found = if entry.text.is_empty() { Some(rest.clone()) } else { Some(entry.text.to_owned()) };
            while let Some(at) =
                found.as_ref().and_then(|found| rest.find(found.as_str())).filter(|_| !rest.is_empty())
            {
                let text = found.as_deref().unwrap_or_default();
                self.counts().left_out += text.split_whitespace().filter(|w| *w != "|").count();
                *self.tally.left_out.entry(index).or_default() += 1;
                rest.replace_range(at..at + text.len(), "");
            }
        }
    }

    fn flag(&mut self, view: &View<'_>, register: &str, group: &str, flag: &str, set: u64, at: &str) {
        let named = NAMES.iter().enumerate().find(|(_, n)| {
            (n.capability, n.register, n.theirs) == (view.key, register, flag)
                && self.place.source.contains(n.source)
        });
        let grouped = format!("{group} {flag}");
        let raw = match named {
            Some((_, name)) => view.raw(register, name.ours),
            None => view.raw(register, &grouped).or_else(|| view.raw(register, flag)),
        };
        if let Some((index, _)) = named {
            *self.tally.names.entry(index).or_default() += 1;
        }
        let inverted = u64::from(named.is_some_and(|(_, n)| n.inverted));
        let ours = raw.map_or("nothing".to_owned(), |raw| (raw ^ inverted).to_string());
        if self.agree(view.key, &format!("{register} {flag}"), &set.to_string(), &ours, at) {
            self.counts().flags += 1;
            *self.counts().compared.entry(view.key).or_default() += 1;
        }
    }

    fn value(&mut self, key: &'static str, item: &str, theirs: String, ours: String, at: &str) {
        if self.agree(key, item, &theirs, &ours, at) {
            self.counts().values += 1;
            *self.counts().compared.entry(key).or_default() += 1;
        }
    }

    /// Whether both say the same. What they do not agree on is listed or a failure.
    fn agree(&mut self, key: &str, item: &str, theirs: &str, ours: &str, at: &str) -> bool {
        if theirs == ours {
            return true;
        }
        let same = |listed: &str, said: &str| listed == "*" || listed == said;
        let known = DIFFERENCES.iter().position(|d| {
            (d.capability, d.item) == (key, item)
                && same(d.theirs, theirs)
                && same(d.ours, ours)
                && at.contains(d.source)
        });
        match known {
            Some(index) => {
                *self.tally.differences.entry(index).or_default() += 1;
                self.counts().listed += 1;
            }
            None => self.tally.fail(format!("{key} {item}: lspci says `{theirs}`, here it is `{ours}`"), at),
        }
        false
    }

    fn counts(&mut self) -> &mut super::tally::Counts {
        self.tally.referees.entry(self.place.referee).or_default()
    }
}

fn list(offset: u16) -> List {
    if offset < 0x100 { List::Standard } else { List::Extended }
}

/// The rule whose start is the longest that fits.
fn rule_for(key: &str, line: &str) -> Option<&'static Rule> {
    let tables = [
        rules_header::RULES,
        rules_express::RULES,
        rules_standard::RULES,
        rules_legacy::RULES,
        rules_extended::RULES,
        rules_recent::RULES,
        rules_cxl::RULES,
        rules_services::RULES,
    ];
    let fits = |rule: &&Rule| rule.capability == key && line.starts_with(rule.line);
    tables.into_iter().flatten().filter(fits).max_by_key(|rule| rule.line.len())
}

/// The numbers in a first line; names are not compared.
fn first(line: &str) -> String {
    let behind = |mark: &str| line.rfind(mark).and_then(|at| line.get(at + mark.len()..at + mark.len() + 2));
    let number = |text: &&str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let with_names = || line.split_once("]: ")?.0.rsplit('[').next()?.get(..4);
    let class = line.get(..4).filter(|_| line[4..].starts_with(": ")).or_else(with_names).filter(number);
    let names = line.split(" (rev ").next().and_then(|l| l.split(" (prog-if ").next()).unwrap_or(line);
    let mut text = format!("(rev {})", behind("(rev ").unwrap_or("00"));
    if let Some(interface) = behind("(prog-if ") {
        text.push_str(&format!(" (prog-if {interface} "));
    }
    if let (Some(class), Some(ids)) = (class, ids(names)) {
        text.push_str(&format!(" class {class} id {ids} "));
    }
    text
}

#[test]
fn numbers_of_a_first_line() {
    assert_eq!(first("0604: 8086:7270 (rev 02)"), "(rev 02) class 0604 id 8086:7270 ");
    assert_eq!(
        first("0700: 8086:1e3d (prog-if 02 [16550])"),
        "(rev 00) (prog-if 02  class 0700 id 8086:1e3d "
    );
    assert_eq!(first("Host bridge: Intel Corporation X (prog-if 00 [Y])"), "(rev 00) (prog-if 00 ");
    assert_eq!(first("PCI bridge [0604]: Intel X [8086:7270] (rev 01)"), "(rev 01) class 0604 id 8086:7270 ");
}
