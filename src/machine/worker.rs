//! Reading the live machine in processes that may hang.
//!
//! A read of configuration space can block uninterruptibly for a minute (a reset that does not complete holds the
//! function's lock; kernel: pci_wait_cfg in drivers/pci/access.c). A thread in that state would keep this process and
//! every pipe it holds alive; so functions are read in worker processes, each with a socket of its own and nothing else
//! open, and one that does not answer in time is abandoned and replaced.

use std::io::{Read, Write};
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

/// Opens the tree that is read. Called in the worker, so that nothing of it is open in this process.
pub type Open<'a> = &'a dyn Fn() -> tree::Result<Box<dyn Tree>>;

struct Worker {
    process: Pid,
    socket: UnixStream,
    /// What it is reading, and since when: index into the orders.
    current: Option<(usize, Instant)>,
}

/// Reads functions; the answer to each order is at its place. `deadline` is the time that one function may take. To be
/// called while this process has one thread.
pub fn read_all(orders: &[Order], deadline: Duration, open: Open<'_>) -> Result<Vec<Reading>, Errno> {
    let mut answers: Vec<Option<Reading>> = vec![None; orders.len()];
    let mut next = 0;
    let count = if orders.len() >= WORTH_A_SECOND { 2 } else { 1 };
    let mut workers = Vec::new();
    for _ in 0..count.min(orders.len()) {
        workers.push(start(open)?);
    }
    while workers.iter().any(|w| w.current.is_some()) || next < orders.len() {
        for index in 0..workers.len() {
            if workers[index].current.is_none() && next < orders.len() {
                workers[index].current = Some((next, Instant::now()));
                if workers[index].socket.write_all(&wire::order(&orders[next])).is_err() {
                    replace(&mut workers, index, orders, &mut answers, Cause::Errno(Errno::EIO), open)?;
                }
                next += 1;
            }
        }
        let ready = wait(&workers, deadline)?;
        for index in 0..workers.len() {
            let Some((order, since)) = workers[index].current else { continue };
            if ready[index] {
                match wire::receive(&mut workers[index].socket) {
                    Some(answer) if answer.address == orders[order].address => {
                        answers[order] = Some(answer);
                        workers[index].current = None;
                    }
                    _ => replace(&mut workers, index, orders, &mut answers, Cause::Errno(Errno::EIO), open)?,
                }
            } else if since.elapsed() >= deadline {
                let milliseconds = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
                replace(&mut workers, index, orders, &mut answers, Cause::TimedOut(milliseconds), open)?;
            }
        }
    }
    for worker in workers {
        drop(worker.socket);
        // The end of the socket ends the worker; it is idle, so this does not wait.
        let _ = waitpid(worker.process, None);
    }
    let unread = |(index, answer): (usize, Option<Reading>)| {
        answer.unwrap_or_else(|| Reading::failed(orders[index].address, Cause::Errno(Errno::EIO)))
    };
    Ok(answers.into_iter().enumerate().map(unread).collect())
}

/// Gives up a worker that hangs or broke, notes why its function is not known, and starts another.
fn replace(
    workers: &mut [Worker],
    index: usize,
    orders: &[Order],
    answers: &mut [Option<Reading>],
    cause: Cause,
    open: Open<'_>,
) -> Result<(), Errno> {
    if let Some((order, _)) = workers[index].current {
        answers[order] = Some(Reading::failed(orders[order].address, cause));
    }
    // A process in an uninterruptible read dies when the read ends. It holds nothing of ours meanwhile.
    let _ = kill(workers[index].process, Signal::SIGKILL);
    let _ = waitpid(workers[index].process, Some(WaitPidFlag::WNOHANG));
    workers[index] = start(open)?;
    Ok(())
}

/// Which workers have something to say, or none after the time that the next deadline leaves.
fn wait(workers: &[Worker], deadline: Duration) -> Result<Vec<bool>, Errno> {
    let busy: Vec<usize> = (0..workers.len()).filter(|i| workers[*i].current.is_some()).collect();
    let left = busy
        .iter()
        .filter_map(|i| workers[*i].current.map(|(_, since)| deadline.saturating_sub(since.elapsed())))
        .min()
        .unwrap_or(deadline);
    let mut descriptors: Vec<PollFd<'_>> =
        busy.iter().map(|i| PollFd::new(workers[*i].socket.as_fd(), PollFlags::POLLIN)).collect();
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
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

fn start(open: Open<'_>) -> Result<Worker, Errno> {
    let failed = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
    let (here, there) = UnixStream::pair().map_err(failed)?;
    let process = raw::fork(|| {
        close_all_but(there.as_raw_fd());
        serve(there, open)
    })?;
    Ok(Worker { process, socket: here, current: None })
}

/// Closes everything that a worker inherited: the standard streams, whatever else the caller left open, and the
/// sockets of the other workers, which would never see their end while this one lives.
fn close_all_but(keep: i32) {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let names = folder.flatten().map(|entry| entry.file_name());
    let open: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|d| *d != keep) {
        let _ = nix::unistd::close(descriptor);
    }
}

/// The worker's loop: one order, one answer, until the socket ends.
fn serve(mut socket: UnixStream, open: Open<'_>) -> i32 {
    let Ok(tree) = open() else { return 1 };
    let mut order = [0; wire::ORDER_SIZE];
    while socket.read_exact(&mut order).is_ok() {
        let Some(order) = wire::parse_order(&order) else { return 1 };
        let answer = reading::read(&*tree, order);
        if socket.write_all(&wire::answer(&answer)).is_err() {
            return 1;
        }
    }
    0
}
