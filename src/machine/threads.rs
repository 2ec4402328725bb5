//! The same work for many items, on all processors.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

/// Fewer items than this are not worth a thread.
const WORTH_A_THREAD: usize = 64;
/// How many items a thread takes at a time.
const SHARE: usize = 16;

/// How many threads that many items are worth. Asking for the number of processors reads half a dozen files.
fn processors(items: usize) -> usize {
    let few = items < WORTH_A_THREAD;
    if few { 1 } else { std::thread::available_parallelism().map_or(1, usize::from).min(8) }
}

/// The next share of the items with its number, counted from 1; `None` when nothing is left.
fn share<T>(rest: &Mutex<(usize, std::vec::IntoIter<T>)>) -> Option<(usize, Vec<T>)> {
    let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
    rest.0 += 1;
    let items: Vec<T> = rest.1.by_ref().take(SHARE).collect();
    (!items.is_empty()).then_some((rest.0, items))
}

/// Does the work for every item, on all processors if there is much of it; results keep the order.
pub fn in_threads<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = processors(items.len());
    if processors == 1 {
        return items.into_iter().map(work).collect();
    }
    let rest = Mutex::new((0, items.into_iter()));
    let shares = || -> Vec<(usize, Vec<R>)> {
        let taken = std::iter::from_fn(|| share(&rest));
        taken.map(|(place, items)| (place, items.into_iter().map(&work).collect())).collect()
    };
    let mut done = std::thread::scope(|scope| {
        // Where no thread can be made, this one does all the work.
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, shares).ok();
        let others: Vec<_> = (1..processors).filter_map(spawn).collect();
        let mut done = shares();
        for other in others {
            match other.join() {
                Ok(results) => done.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

/// Shares that may wait to be fetched, for each thread. Those that were fetched while an earlier one is still being worked
/// on wait besides.
const WAITING: usize = 4;

/// Does the work for every item, on all processors if there is much of it, and hands the results on one after the other,
/// in the order of the items, while the work goes on. Ends early when `take` returns false or fails.
pub fn in_order<T: Send, R: Send, E>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<bool, E>,
) -> Result<(), E> {
    let processors = processors(items.len());
    if processors == 1 {
        for item in items {
            if !take(work(item))? {
                break;
            }
        }
        return Ok(());
    }
    let rest = Mutex::new((0, items.into_iter()));
    std::thread::scope(|scope| {
        let (done, finished) = sync_channel::<(usize, Vec<R>)>(WAITING * processors);
        for _ in 0..processors {
            let (done, rest, work) = (done.clone(), &rest, &work);
            // Where no thread can be made, the work is done below.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || {
                while let Some((place, items)) = share(rest) {
                    if done.send((place, items.into_iter().map(work).collect())).is_err() {
                        // Nobody wants more.
                        break;
                    }
                }
            });
        }
        drop(done);
        let (mut next, mut early) = (1, BTreeMap::new());
        for (place, results) in finished {
            early.insert(place, results);
            while let Some(results) = early.remove(&next) {
                next += 1;
                for result in results {
                    if !take(result)? {
                        return Ok(());
                    }
                }
            }
        }
        // Nothing is left, unless there was no thread.
        while let Some((_, items)) = share(&rest) {
            for item in items {
                if !take(work(item))? {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, WORTH_A_THREAD, 1000] {
            let slow = |item: usize| {
                // The first of each share is late.
                if item.is_multiple_of(SHARE) {
                    std::thread::yield_now();
                }
                item * 2
            };
            let expected: Vec<usize> = (0..count).map(|item| item * 2).collect();
            assert_eq!(in_threads((0..count).collect(), slow), expected);
            let mut seen = Vec::new();
            let take = |result| {
                seen.push(result);
                Ok::<bool, ()>(true)
            };
            in_order((0..count).collect(), slow, take).unwrap();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn work_ends_when_nobody_wants_more() {
        let mut seen = 0;
        let some = |result: usize| {
            seen = result;
            Ok::<bool, ()>(result < 100)
        };
        in_order((0..1_000_000).collect(), |item: usize| item, some).unwrap();
        assert_eq!(seen, 100);
        assert_eq!(
            in_order((0..1000).collect(), |item: usize| item, |_| Err::<bool, _>("full")),
            Err("full")
        );
    }
}
