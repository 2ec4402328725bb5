//! Against the plain way: every cause is looked at for every event.

use proptest::prelude::*;

use super::*;
use crate::kernel_log::source::events_of;

/// Whether a cause is near, as it is defined.
fn is_near(event: (&When, u64), cause: (&When, u64), window: Window) -> bool {
    let apart = |a: Option<i128>, b: Option<i128>| a.zip(b).map(|(a, b)| a - b);
    let times = apart(start(event.0), start(cause.0)).or_else(|| apart(clock(event.0), clock(cause.0)));
    let (apart, before, after) = match times {
        Some(apart) => (apart, i128::from(window.before) * 1_000_000, i128::from(window.after) * 1_000_000),
        None => {
            let after = if window.after == 0 { 0 } else { LINES };
            (i128::from(event.1) - i128::from(cause.1), LINES, after)
        }
    };
    (-after..=before).contains(&apart)
}

fn plainly(causes: &[&Event], event: &Event, window: Window) -> bool {
    let times: u64 = causes.iter().map(|cause| cause.count).sum();
    let moments =
        || causes.iter().flat_map(|cause| [(&cause.first, cause.line()), (&cause.last, cause.last_line)]);
    let first = |cause: (&When, u64)| is_near((&event.first, event.line()), cause, window);
    let last = |cause: (&When, u64)| is_near((&event.last, event.last_line), cause, window);
    let of_one = !window.each && moments().any(|cause| first(cause) && last(cause));
    of_one || event.count <= times && moments().any(first) && moments().any(last)
}

proptest! {
    #[test]
    fn sorted_causes_explain_what_all_of_them_do(
        causes in proptest::collection::vec((0u64..200, 0u8..3), 0..6),
        happened in proptest::collection::vec((0u64..200, 0u8..3), 1..4),
        each: bool, before in 0i64..60, after in 0i64..60,
    ) {
        let stamp = |second: u64, style: u8| match style {
            0 => format!("[{second}.000000] "),
            1 => format!("Jul 07 18:{:02}:{:02} host kernel: ", second / 60, second % 60),
            _ => String::new(),
        };
        let mut text = String::new();
        for (slot, (second, style)) in causes.iter().enumerate() {
            text += &format!("{}pcieport 0000:00:01.0: pciehp: Slot({}): Card not present\n", stamp(*second, *style), slot % 3);
        }
        for (second, style) in &happened {
            text += &format!("{}pcieport 0000:00:01.0: pciehp: Slot(1): Link Down\n", stamp(*second, *style));
        }
        let mut log = events_of(&mut text.as_bytes()).unwrap();
        // Times that go back begin another boot; here all are of one.
        log.events.iter_mut().for_each(|event| event.boot = 0);
        let left: Vec<&Event> = log.events.iter().filter(|e| e.kind.id == "pciehp.card-not-present").collect();
        let mut moments = Moments::default();
        left.iter().for_each(|event| moments.add(event));
        moments.sort();
        let window = Window { before, after, each };
        for event in log.events.iter().filter(|e| e.kind.id == "pciehp.link-down") {
            // First and last time in different styles say nothing together.
            let (first, last) = (&event.first, &event.last);
            let style = |when: &When| (start(when).is_some(), clock(when).is_some());
            if style(first) != style(last) {
                continue;
            }
            prop_assert_eq!(explains(&[&moments], event, window), plainly(&left, event, window), "{}", text);
        }
    }
}
