//! What was seen of links between two readings.
//!
//! Two readings alone miss a link that went down and came back. So Link Status is looked at several times in between; each
//! time that it differs from the time before counts as one transition.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::machine::link::{self, LinkState, Rate};
use crate::machine::{Machine, State};
use crate::pci::Bdf;

use super::earlier::seconds;

/// Most transitions of a link that are kept in words.
const WORDS: usize = 8;

/// Whether functions had work when they were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nobody knows.
    Unknown,
    /// A command that gives them work is running. It takes a while until the work begins.
    Begun,
    /// They are known to be at work all the time.
    Steady,
}

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
    last: Option<Look>,
    /// How often the speed was another one than the time before.
    pub speed_changes: u32,
    /// How often the width was another one, the link went down or came up, or the function stopped or began to answer.
    pub other_changes: u32,
    /// The highest speed that was seen, in MT/s.
    pub fastest_mts: Option<u32>,
    /// What was seen while there was work; `None` if nobody looked then.
    pub at_work: Option<AtWork>,
    /// When it first did not answer although it had been there, and in which state it was.
    pub silent: Option<(Duration, State)>,
    /// The first transitions in words, with the time since the first reading.
    pub words: Vec<String>,
}

/// A link while its device has work. Looks from before the highest speed was reached do not count where the work had only
/// begun: a device that saved power is fast when it has something to do, not when a command is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtWork {
    /// The lowest speed in MT/s, and when that was.
    pub slowest_mts: Option<(u32, Duration)>,
    /// The lowest number of lanes, and when that was.
    pub narrowest: Option<(u8, Duration)>,
    /// How often the speed was another one than the time before.
    pub speed_changes: u32,
    fastest_mts: Option<u32>,
    last_mts: Option<u32>,
}

/// What one look at a function showed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Look {
    Link(LinkState, Rate),
    Silent(State),
}

impl History {
    /// Looks at every link of a machine that was read, `since` the first reading.
    pub fn look(&mut self, machine: &Machine, since: Duration, work: Work) {
        self.looks += 1;
        for function in &machine.functions {
            let look = match (function.presence.state, link::link(function)) {
                (state @ (State::AllOnes | State::Disconnected | State::NotReady | State::Absent), _) => {
                    Look::Silent(state)
                }
                (_, Some(now)) => Look::Link(now.state, now.current),
                (_, None) => continue,
            };
            self.links.entry(function.address).or_default().take(look, since, work);
        }
        let gone = self.links.iter_mut().filter(|(address, _)| machine.get(**address).is_none());
        gone.for_each(|(_, seen)| seen.take(Look::Silent(State::Absent), since, work));
    }

    /// What was seen of the link of a function.
    pub fn of(&self, address: Bdf) -> Option<&Seen> {
        self.links.get(&address)
    }
}

impl Seen {
    fn take(&mut self, now: Look, since: Duration, work: Work) {
        match now {
            Look::Silent(state) => self.silent = self.silent.or(Some((since, state))),
            Look::Link(_, rate) => {
                self.fastest_mts = self.fastest_mts.max(rate.speed_mts);
                if work != Work::Unknown {
                    self.at_work.get_or_insert_default().take(rate, since, work);
                }
            }
        }
        if let Some(before) = self.last.replace(now)
            && before != now
        {
            *(if only_speed(before, now) { &mut self.speed_changes } else { &mut self.other_changes }) += 1;
            if self.words.len() < WORDS {
                self.words.push(format!("{}: {} to {}", seconds(since), words(before), words(now)));
            }
        }
    }
}

impl AtWork {
    fn take(&mut self, rate: Rate, since: Duration, work: Work) {
        if let Some(speed) = rate.speed_mts {
            let faster = self.fastest_mts.is_none_or(|fastest| speed > fastest);
            if faster && work == Work::Begun {
                (self.slowest_mts, self.speed_changes) = (Some((speed, since)), 0);
            } else {
                self.speed_changes += u32::from(self.last_mts.is_some_and(|last| last != speed));
                if self.slowest_mts.is_none_or(|(slowest, _)| speed < slowest) {
                    self.slowest_mts = Some((speed, since));
                }
            }
            self.fastest_mts = self.fastest_mts.max(Some(speed));
            self.last_mts = Some(speed);
        }
        if let Some(width) = rate.width
            && self.narrowest.is_none_or(|(narrowest, _)| width < narrowest)
        {
            self.narrowest = Some((width, since));
        }
    }
}

fn only_speed(before: Look, now: Look) -> bool {
    match (before, now) {
        (Look::Link(was, before), Look::Link(is, now)) => (was, before.width) == (is, now.width),
        _ => false,
    }
}

fn words(look: Look) -> String {
    let rate = match look {
        Look::Silent(state) => return state.name().to_owned(),
        Look::Link(LinkState::Down, _) => return "down".to_owned(),
        Look::Link(_, rate) => rate,
    };
    let speed = rate.speed_mts.map_or_else(|| "unknown speed".to_owned(), crate::inspect::value::speed_text);
    let width = rate.width.map_or_else(|| "of unknown width".to_owned(), |width| format!("x{width}"));
    format!("{speed} {width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(speed: u32, width: u8) -> Look {
        Look::Link(LinkState::Up, Rate { speed_mts: Some(speed), width: Some(width) })
    }

    fn seen(looks: &[(Look, Work)]) -> Seen {
        let mut seen = Seen::default();
        for (second, (look, work)) in looks.iter().enumerate() {
            seen.take(*look, Duration::from_secs(second as u64), *work);
        }
        seen
    }

    #[test]
    fn transitions_are_counted_by_what_changed() {
        let looks = [
            rate(16_000, 16),
            rate(16_000, 16),
            rate(2_500, 16),
            rate(16_000, 8),
            Look::Link(LinkState::Down, Rate::default()),
            rate(16_000, 16),
            Look::Silent(State::AllOnes),
            rate(16_000, 16),
        ];
        let seen = seen(&looks.map(|look| (look, Work::Unknown)));
        assert_eq!((seen.speed_changes, seen.other_changes), (1, 5));
        assert_eq!((seen.fastest_mts, seen.at_work), (Some(16_000), None));
        assert_eq!(seen.silent, Some((Duration::from_secs(6), State::AllOnes)));
        assert_eq!(seen.words[0], "2 s: 16 GT/s x16 to 2.5 GT/s x16");
        assert_eq!(seen.words[2], "4 s: 16 GT/s x8 to down");
        assert_eq!(seen.words[4], "6 s: 16 GT/s x16 to all-ones");
    }

    #[test]
    fn the_slowest_look_at_work_counts_once_work_has_begun() {
        let slowest = |looks: &[(u32, Work)]| {
            let looks: Vec<_> = looks.iter().map(|(speed, work)| (rate(*speed, 16), *work)).collect();
            let at_work = seen(&looks).at_work.unwrap();
            (at_work.slowest_mts.map(|(speed, at)| (speed, at.as_secs())), at_work.speed_changes)
        };
        let (unknown, begun, steady) = (Work::Unknown, Work::Begun, Work::Steady);
        // Idle, the command starts, two steps up, and there it stays.
        let up = [(2_500, unknown), (2_500, begun), (16_000, begun), (32_000, begun), (32_000, begun)];
        assert_eq!(slowest(&up), (Some((32_000, 3)), 0));
        // It falls under load and comes back.
        let falls = [(2_500, begun), (32_000, begun), (8_000, begun), (32_000, begun), (2_500, unknown)];
        assert_eq!(slowest(&falls), (Some((8_000, 2)), 2));
        // It never gets there.
        assert_eq!(slowest(&[(2_500, begun), (8_000, begun), (8_000, begun)]), (Some((8_000, 1)), 0));
        // At work from the beginning: nothing is excused.
        assert_eq!(slowest(&[(2_500, steady), (32_000, steady)]), (Some((2_500, 0)), 1));
        assert_eq!(slowest(&[(32_000, steady), (2_500, steady)]), (Some((2_500, 1)), 1));
    }
}
