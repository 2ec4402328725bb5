//! What was compared, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use pciscope::pci::catalogue::DECODED;
use pciscope::pci::header;

use super::differences::{DIFFERENCES, LEFT_OUT, NAMES, REFUSED};
use super::view::Seen;

/// Numbers of one referee.
#[derive(Default)]
pub struct Counts {
    pub files: usize,
    pub functions: usize,
    pub capabilities: BTreeMap<&'static str, usize>,
    /// Values and flags that agree, by key of the capability; `header` and `list` are keys here as well.
    pub compared: BTreeMap<&'static str, usize>,
    pub values: usize,
    pub flags: usize,
    /// Values and flags that differ for a reason that is listed.
    pub listed: usize,
    /// Words of lspci that are not compared, as listed.
    pub left_out: usize,
}

/// Everything.
#[derive(Default)]
pub struct Tally {
    pub referees: BTreeMap<&'static str, Counts>,
    /// Differences and words that nobody listed: what, and where first.
    pub failures: BTreeMap<String, (usize, String)>,
    pub fields: Seen,
    pub differences: BTreeMap<usize, usize>,
    pub names: BTreeMap<usize, usize>,
    pub left_out: BTreeMap<usize, usize>,
    pub refused: BTreeSet<usize>,
}

impl Tally {
    /// Notes something that must not be.
    pub fn fail(&mut self, what: String, place: &str) {
        self.failures.entry(what).or_insert_with(|| (0, place.to_owned())).0 += 1;
    }

    /// Entries of the lists that never applied.
    pub fn unused(&self) -> Vec<String> {
        let differences = DIFFERENCES.iter().enumerate().filter(|(i, _)| !self.differences.contains_key(i));
        let names = NAMES.iter().enumerate().filter(|(i, _)| !self.names.contains_key(i));
        let left_out = LEFT_OUT.iter().enumerate().filter(|(i, _)| !self.left_out.contains_key(i));
        let refused = REFUSED.iter().enumerate().filter(|(i, _)| !self.refused.contains(i));
        differences
            .map(|(_, d)| format!("difference {} {}: {} / {}", d.capability, d.item, d.theirs, d.ours))
            .chain(names.map(|(_, n)| format!("name {} {}", n.register, n.theirs)))
            .chain(left_out.map(|(_, l)| format!("left out {} {} {}", l.capability, l.line, l.text)))
            .chain(refused.map(|(_, r)| format!("refused {}", r.source)))
            .collect()
    }

    /// How many of our fields lspci has something about.
    fn print_fields(&self) {
        let header = header::REGISTERS.iter().map(|r| ("header", *r));
        let ours = DECODED.iter().flat_map(|s| s.registers.iter().map(|r| (s.key, *r)));
        let mut all = BTreeSet::new();
        for (key, register) in header.chain(ours) {
            all.extend(register.fields.iter().map(|field| (key, register.short, field.short)));
        }
        let seen = self.fields.borrow();
        let values: usize = seen.values().map(BTreeSet::len).sum();
        println!("{} of {} fields compared, with {values} different values", seen.len(), all.len());
        let never = all.iter().filter(|name| !seen.contains_key(*name));
        let never: Vec<String> =
            never.map(|(key, register, field)| format!("{key} {register} {field}")).collect();
        println!("fields that lspci does not show: {}", never.join(", "));
        let only_clear = seen.iter().filter(|(_, values)| values.iter().eq([&0]));
        let only_clear: Vec<String> =
            only_clear.map(|((key, r, field), _)| format!("{key} {r} {field}")).collect();
        println!("fields compared only while zero: {}", only_clear.join(", "));
    }

    /// The numbers and everything that is listed, for people.
    pub fn print(&self) {
        for (referee, counts) in &self.referees {
            println!(
                "{referee}: {} files, {} functions, {} capabilities, {} values and {} flags agree, {} differ as \
                 listed, {} words are not compared as listed",
                counts.files,
                counts.functions,
                counts.capabilities.values().sum::<usize>(),
                counts.values,
                counts.flags,
                counts.listed,
                counts.left_out
            );
            let kinds: Vec<String> =
                counts.capabilities.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            println!("{referee}: capabilities of {} kinds: {}", kinds.len(), kinds.join(", "));
        }
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (kind, count) in self.referees.values().flat_map(|c| &c.capabilities) {
            *kinds.entry(kind).or_default() += count;
        }
        let (values, flags) = self.referees.values().fold((0, 0), |(v, f), c| (v + c.values, f + c.flags));
        println!(
            "all referees: {} values and flags compared: {values} values and {flags} flags agree, {} differ as listed; \
             {} capabilities of {} kinds",
            values + flags + self.referees.values().map(|c| c.listed).sum::<usize>(),
            self.referees.values().map(|c| c.listed).sum::<usize>(),
            kinds.values().sum::<usize>(),
            kinds.len()
        );
        self.print_fields();
        for (index, count) in &self.differences {
            let d = &DIFFERENCES[*index];
            println!(
                "differs {count} times: {} {}: lspci {}, here {}: {}",
                d.capability, d.item, d.theirs, d.ours, d.reason
            );
        }
        for (index, count) in &self.names {
            let n = &NAMES[*index];
            println!(
                "named differently {count} times: {} {}, here {}: {}",
                n.register, n.theirs, n.ours, n.reason
            );
        }
        for (index, count) in &self.left_out {
            let l = &LEFT_OUT[*index];
            println!("not compared {count} times: {} {} {:?}: {}", l.capability, l.line, l.text, l.reason);
        }
        for index in &self.refused {
            println!("not read to its end by lspci: {}: {}", REFUSED[*index].source, REFUSED[*index].reason);
        }
    }
}
