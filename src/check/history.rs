//! What was seen of links between two readings.
//!
//! Two readings alone miss a link that went down and came back. So Link Status is looked at several times in between; each
//! time that it differs from the time before counts as one transition.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::machine::Machine;
use crate::machine::link::{self, LinkState, Rate};
use crate::pci::Bdf;

use super::earlier::seconds;

/// Most transitions of a link that are kept in words.
const WORDS: usize = 8;

/// All links, by the function whose Link Status it is.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// How often was looked.
    pub looks: u32,
    links: BTreeMap<Bdf, Seen>,
}

/// One end of a link.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    last: Option<(LinkState, Rate)>,
    /// How often the speed was another one than the time before.
    pub speed_changes: u32,
    /// How often the width was another one, or the link went down or came up.
    pub other_changes: u32,
    /// The highest speed that was seen, in MT/s.
    pub fastest_mts: Option<u32>,
    /// The first transitions in words, with the time since the first reading.
    pub words: Vec<String>,
}

impl History {
    /// Looks at every link of a machine that was read, `since` the first reading.
    pub fn look(&mut self, machine: &Machine, since: Duration) {
        self.looks += 1;
        for function in &machine.functions {
            let Some(now) = link::link(function) else { continue };
            let seen = self.links.entry(function.address).or_default();
            seen.take((now.state, now.current), since);
        }
    }

    /// What was seen of the link of a function.
    pub fn of(&self, address: Bdf) -> Option<&Seen> {
        self.links.get(&address)
    }
}

impl Seen {
    fn take(&mut self, now: (LinkState, Rate), since: Duration) {
        self.fastest_mts = self.fastest_mts.max(now.1.speed_mts);
        if let Some(before) = self.last.replace(now)
            && before != now
        {
            let only_speed = (before.0, before.1.width) == (now.0, now.1.width);
            *(if only_speed { &mut self.speed_changes } else { &mut self.other_changes }) += 1;
            if self.words.len() < WORDS {
                self.words.push(format!("{}: {} to {}", seconds(since), words(before), words(now)));
            }
        }
    }
}

fn words((state, rate): (LinkState, Rate)) -> String {
    if state == LinkState::Down {
        return "down".to_owned();
    }
    let speed = rate.speed_mts.map_or_else(|| "unknown speed".to_owned(), crate::inspect::value::speed_text);
    let width = rate.width.map_or_else(|| "of unknown width".to_owned(), |width| format!("x{width}"));
    format!("{speed} {width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_counted_by_what_changed() {
        let rate = |speed, width| (LinkState::Up, Rate { speed_mts: Some(speed), width: Some(width) });
        let mut seen = Seen::default();
        let looks = [
            rate(16_000, 16),
            rate(16_000, 16),
            rate(2_500, 16),
            rate(16_000, 8),
            (LinkState::Down, Rate::default()),
            rate(16_000, 16),
        ];
        for (second, look) in looks.into_iter().enumerate() {
            seen.take(look, Duration::from_secs(second as u64));
        }
        assert_eq!((seen.speed_changes, seen.other_changes), (1, 3));
        assert_eq!(seen.fastest_mts, Some(16_000));
        assert_eq!(seen.words[0], "2 s: 16 GT/s x16 to 2.5 GT/s x16");
        assert_eq!(seen.words[2], "4 s: 16 GT/s x8 to down");
    }
}
