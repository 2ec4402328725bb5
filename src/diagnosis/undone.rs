//! Which events take others back: found in one look, however many there are.

use std::collections::HashMap;

use crate::kernel_log::{Event, Value};
use crate::pci::Bdf;

use super::subject::Subject;

/// Fields that must be the same where both events have them: an address for BAR 0 says nothing of BAR 1.
const SAME: [&str; 3] = ["slot", "bar", "bar_name"];

/// What is asked of one such field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asked<'a> {
    /// Whatever it is.
    Anything,
    /// This, or that it is not there.
    This(Option<&'a Value>),
}

type Key<'a> = (usize, Option<Subject>, &'static str, [Asked<'a>; 3]);

/// Events that take others back: the last line of each kind in each boot, by whom it is about and by its fields.
#[derive(Debug, Default)]
pub struct Undoing<'a> {
    lines: HashMap<Key<'a>, u64>,
    /// The same of devices that were found or started, by the ports above them.
    arrivals: HashMap<(usize, Bdf, &'static str), u64>,
}

/// Line at which an event last began.
fn last_line(event: &Event) -> u64 {
    event.last_line.max(event.line())
}

impl<'a> Undoing<'a> {
    /// Notes an event that takes others back; `about` whom it is, `None`: nobody who is known.
    pub fn note(&mut self, about: Option<&Subject>, event: &'a Event) {
        let own = SAME.map(|field| Asked::This(event.fields.get(field)));
        // Whoever asks may know any of the fields, or not.
        for known in 0..1u8 << SAME.len() {
            let mut asked = own;
            for (place, one) in asked.iter_mut().enumerate() {
                if known >> place & 1 == 0 {
                    *one = Asked::Anything;
                }
            }
            let line = self.lines.entry((event.boot, about.cloned(), event.kind.id, asked)).or_default();
            *line = (*line).max(last_line(event));
        }
    }

    /// Notes that a device below a port is there.
    pub fn note_arrival(&mut self, port: Bdf, event: &Event) {
        let line = self.arrivals.entry((event.boot, port, event.kind.id)).or_default();
        *line = (*line).max(last_line(event));
    }

    /// The last line at which an event of one of these kinds takes this one back, of the same slot and BAR: about its device,
    /// about the same subject, or about nobody; or at a device below the port that this one is about. 0: there is none.
    pub fn undone_at(
        &self,
        event: &'a Event,
        about: Option<&Subject>,
        kinds: &'static [&'static str],
    ) -> u64 {
        let device = event.device.map(Subject::Function);
        let of = |kind: &'static str| {
            let below = event.device.and_then(|port| self.arrivals.get(&(event.boot, port, kind)));
            let own = device.as_ref().map_or(0, |device| self.last(event, Some(device), kind));
            let other = about.filter(|a| device.as_ref() != Some(*a));
            let other = other.map_or(0, |subject| self.last(event, Some(subject), kind));
            below.copied().unwrap_or(0).max(self.last(event, None, kind)).max(own).max(other)
        };
        kinds.iter().map(|kind| of(kind)).max().unwrap_or(0)
    }

    /// The last line of that kind about that subject, of those whose fields do not contradict.
    fn last(&self, event: &'a Event, about: Option<&Subject>, kind: &'static str) -> u64 {
        let own = SAME.map(|field| event.fields.get(field));
        let mut last = 0;
        // A field that this event has must be the same there, or missing.
        for missing in 0..1u8 << SAME.len() {
            let mut asked = [Asked::Anything; SAME.len()];
            for (place, one) in asked.iter_mut().enumerate() {
                if let Some(value) = own[place] {
                    *one = Asked::This(Some(value).filter(|_| missing >> place & 1 == 0));
                }
            }
            let key = (event.boot, about.cloned(), kind, asked);
            last = last.max(self.lines.get(&key).copied().unwrap_or(0));
        }
        last
    }
}
