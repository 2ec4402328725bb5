//! Reading the live machine in processes that may hang.
//!
//! A read of configuration space can block uninterruptibly for a minute (a reset that does not complete holds the
//! function's lock; kernel: pci_wait_cfg in drivers/pci/access.c). A thread in that state would keep this process and
//! every pipe it holds alive; so functions are read in worker processes, each with a socket of its own and nothing else
//! open, and one that does not answer in time is abandoned and replaced.

use std::collections::VecDeque;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::tree::{self, Cause, Tree, raw};

use super::reading::{self, Order, Reading};
use super::wire;

/// Fewer functions than this are read by one worker: starting a second one costs more than it saves.
const WORTH_A_SECOND: usize = 32;
/// How many orders a worker has at most: it need not wait for the next one while there is work.
const AHEAD: usize = 8;

/// Opens the tree that is read. Called in the worker, so that nothing of it is open in this process.
pub type Open<'a> = &'a dyn Fn() -> tree::Result<Box<dyn Tree>>;

/// Reads functions; the answer to each order is at its place. `deadline` is the time that one function may take. To be
/// called while this process has one thread.
///
/// Of a function that did not answer in time, what the kernel remembers is read all the same: above all, what it is.
///
/// `meanwhile` is done while the workers begin.
pub fn read_all(
    orders: &[Order],
    deadline: Duration,
    open: Open<'_>,
    meanwhile: impl FnOnce(),
) -> Result<Vec<Reading>, Errno> {
    read_all_watched(orders, deadline, open, meanwhile, &mut |_| true)
}

/// The same; `watch` is told again and again, several times a second, how many functions were read. When it returns
/// false, reading ends: the others are not read, with `EINTR` as the reason.
pub fn read_all_watched(
    orders: &[Order],
    deadline: Duration,
    open: Open<'_>,
    meanwhile: impl FnOnce(),
    watch: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<Reading>, Errno> {
    let mut pool = Pool {
        waiting: orders.iter().copied().enumerate().collect(),
        answers: vec![None; orders.len()],
        done: 0,
        workers: Vec::new(),
        deadline,
        open,
    };
    let count = if orders.len() >= WORTH_A_SECOND { 2 } else { 1 };
    for _ in 0..count.min(orders.len()) {
        pool.workers.push(start(open, deadline)?);
    }
    let mut busy = pool.hand_out()?;
    meanwhile();
    while busy {
        pool.collect()?;
        if !watch(pool.done) {
            break;
        }
        busy = pool.hand_out()?;
    }
    for worker in pool.workers {
        drop(worker.socket);
        if worker.orders.is_empty() {
            // The end of the socket ends the worker; it is idle, so this does not wait.
            let _ = waitpid(worker.process, None);
        } else {
            abandon(worker.process);
        }
    }
    let answers = pool.answers.into_iter().zip(orders);
    let why = if busy { Errno::EINTR } else { Errno::EIO };
    let unread = |order: &Order| Reading::failed(order.address, Cause::Errno(why));
    Ok(answers.map(|(answer, order)| answer.unwrap_or_else(|| unread(order))).collect())
}

/// Ends a process without waiting for it. One in an uninterruptible read dies when the read ends; it holds nothing of
/// ours meanwhile.
pub(super) fn abandon(process: Pid) {
    let _ = kill(process, Signal::SIGKILL);
    let _ = waitpid(process, Some(WaitPidFlag::WNOHANG));
}

/// Longest time in which nobody is told how far reading is.
const TELLING: Duration = Duration::from_millis(250);

struct Worker {
    process: Pid,
    socket: UnixStream,
    /// What it is reading, and what it will read next, with the places of the answers.
    orders: VecDeque<(usize, Order)>,
    /// When it began with the first of them.
    since: Instant,
}

struct Pool<'a> {
    /// Orders that no worker has yet, with the places of their answers.
    waiting: VecDeque<(usize, Order)>,
    answers: Vec<Option<Reading>>,
    /// Number of answers that came.
    done: usize,
    workers: Vec<Worker>,
    deadline: Duration,
    open: Open<'a>,
}

impl Pool<'_> {
    /// Gives orders to every worker that has little left to do. Returns whether any worker has one.
    fn hand_out(&mut self) -> Result<bool, Errno> {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let more = self.waiting.len().min(AHEAD - worker.orders.len());
            if more == 0 || worker.orders.len() > AHEAD / 2 {
                continue;
            }
            if worker.orders.is_empty() {
                worker.since = Instant::now();
            }
            let message: Vec<u8> =
                self.waiting.iter().take(more).flat_map(|(_, order)| wire::order(order)).collect();
            worker.orders.extend(self.waiting.drain(..more));
            if worker.socket.write_all(&message).is_err() {
                self.give_up(index, Cause::Errno(Errno::EIO))?;
            }
        }
        Ok(!self.waiting.is_empty() || self.workers.iter().any(|w| !w.orders.is_empty()))
    }

    /// Waits for answers until the next deadline, and gives up the workers that are past theirs.
    fn collect(&mut self) -> Result<(), Errno> {
        let ready = wait(&self.workers, self.deadline)?;
        for (index, ready) in ready.into_iter().enumerate() {
            let worker = &mut self.workers[index];
            let Some((place, order)) = worker.orders.front().copied() else { continue };
            if ready {
                match wire::receive(&mut worker.socket) {
                    Ok(answer) if answer.address == order.address => {
                        worker.orders.pop_front();
                        worker.since = Instant::now();
                        self.keep(place, answer);
                    }
                    Err(error) if is_late(&error) => self.give_up(index, self.timed_out())?,
                    _ => self.give_up(index, Cause::Errno(Errno::EIO))?,
                }
            } else if worker.since.elapsed() >= self.deadline {
                self.give_up(index, self.timed_out())?;
            }
        }
        Ok(())
    }

    fn timed_out(&self) -> Cause {
        Cause::TimedOut(u32::try_from(self.deadline.as_millis()).unwrap_or(u32::MAX))
    }

    fn keep(&mut self, place: usize, mut answer: Reading) {
        // What the kernel remembers of a function does not change why the function was not read.
        if let Some(earlier) = &self.answers[place] {
            answer.config_error = earlier.config_error;
        }
        self.answers[place] = Some(answer);
        self.done += 1;
    }

    /// Gives up a worker that hangs or broke, notes why its function is not known, and starts another.
    fn give_up(&mut self, index: usize, cause: Cause) -> Result<(), Errno> {
        let worker = &mut self.workers[index];
        let first = worker.orders.pop_front();
        while let Some(untouched) = worker.orders.pop_back() {
            self.waiting.push_front(untouched);
        }
        if let Some((place, order)) = first.filter(|(_, order)| !order.remembered) {
            self.answers[place] = Some(Reading::failed(order.address, cause));
            // Of an order for vital product data nothing is left that the kernel could remember.
            if !order.vital_product_data {
                self.waiting.push_front((place, Order { remembered: true, ..order }));
            }
        }
        abandon(worker.process);
        *worker = start(self.open, self.deadline)?;
        Ok(())
    }
}

/// Which workers have something to say, or none after the time that the next deadline leaves.
fn wait(workers: &[Worker], deadline: Duration) -> Result<Vec<bool>, Errno> {
    let busy: Vec<usize> = (0..workers.len()).filter(|i| !workers[*i].orders.is_empty()).collect();
    let left =
        busy.iter().map(|i| deadline.saturating_sub(workers[*i].since.elapsed())).min().unwrap_or(deadline);
    let mut descriptors: Vec<PollFd<'_>> =
        busy.iter().map(|i| PollFd::new(workers[*i].socket.as_fd(), PollFlags::POLLIN)).collect();
    let timeout =
        PollTimeout::try_from((left + Duration::from_millis(1)).min(TELLING)).unwrap_or(PollTimeout::MAX);
    match poll(&mut descriptors, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno),
    }
    let mut ready = vec![false; workers.len()];
    for (place, descriptor) in busy.iter().zip(&descriptors) {
        ready[*place] = descriptor.any().unwrap_or(false);
    }
    Ok(ready)
}

/// Both ends of a socket. The first does not wait longer than the deadline for any part of an answer: a worker may stop
/// in the middle of one.
pub(super) fn sockets(deadline: Duration) -> std::io::Result<(UnixStream, UnixStream)> {
    let (here, there) = UnixStream::pair()?;
    // Zero would be no limit.
    here.set_read_timeout(Some(deadline.max(Duration::from_millis(1))))?;
    Ok((here, there))
}

/// Whether a read ended because of the time limit.
pub(super) fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn start(open: Open<'_>, deadline: Duration) -> Result<Worker, Errno> {
    let failed = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
    let (here, there) = sockets(deadline).map_err(failed)?;
    let process = raw::fork(|| {
        close_all_but(there.as_raw_fd());
        serve(there, open)
    })?;
    Ok(Worker { process, socket: here, orders: VecDeque::new(), since: Instant::now() })
}

/// Closes everything that a worker inherited: the standard streams, whatever else the caller left open, and the
/// sockets of the other workers, which would never see their end while this one lives.
pub(super) fn close_all_but(keep: i32) {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let names = folder.flatten().map(|entry| entry.file_name());
    let open: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|d| *d != keep) {
        let _ = nix::unistd::close(descriptor);
    }
}

/// The worker's loop: one order, one answer, until the socket ends.
fn serve(socket: UnixStream, open: Open<'_>) -> i32 {
    let Ok(tree) = open() else { return 1 };
    let mut orders = BufReader::new(&socket);
    let mut order = [0; wire::ORDER_SIZE];
    while orders.read_exact(&mut order).is_ok() {
        let Some(order) = wire::parse_order(&order) else { return 1 };
        let answer = reading::read(&*tree, order);
        if (&socket).write_all(&wire::answer(&answer)).is_err() {
            return 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::Bdf;

    #[test]
    fn half_an_answer_is_late() {
        let address = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
        let answer = wire::answer(&Reading::failed(address, Cause::NotCaptured));
        for length in [1, 4, answer.len() - 1] {
            let (mut here, mut there) = sockets(Duration::from_millis(20)).unwrap();
            there.write_all(&answer[..length]).unwrap();
            assert!(is_late(&wire::receive(&mut here).unwrap_err()), "{length} bytes");
        }
        let (mut here, mut there) = sockets(Duration::ZERO).unwrap();
        there.write_all(&answer).unwrap();
        assert_eq!(wire::receive(&mut here).unwrap().address, address);
        drop(there);
        assert!(!is_late(&wire::receive(&mut here).unwrap_err()), "an end is not late");
    }
}
