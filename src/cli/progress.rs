//! Progress for a terminal, and whether somebody wants it to end.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// How often a terminal is told how far it is.
const TELLING: Duration = Duration::from_millis(200);

/// Progress of something that may take long.
pub struct Progress {
    signals: Option<SignalFd>,
    ended: bool,
    terminal: bool,
    began: Instant,
    told: Option<Instant>,
    /// Nothing is told before so much time has passed.
    patience: Duration,
}

impl Progress {
    /// From here on, SIGINT, SIGTERM and SIGHUP are noticed and do nothing else.
    pub fn catching() -> Self {
        let mut wanted = SigSet::empty();
        wanted.add(Signal::SIGINT);
        wanted.add(Signal::SIGTERM);
        wanted.add(Signal::SIGHUP);
        // Where they cannot be noticed they end the program.
        let signals = SignalFd::with_flags(&wanted, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .ok()
            .filter(|_| wanted.thread_block().is_ok());
        Progress { signals, patience: Duration::ZERO, ..Progress::patient() }
    }

    /// Of something that mostly takes no time: nothing is told in the first second, and signals end the program.
    pub fn patient() -> Self {
        Progress {
            signals: None,
            ended: false,
            terminal: std::io::stderr().is_terminal(),
            began: Instant::now(),
            told: None,
            patience: Duration::from_secs(1),
        }
    }

    /// Says how far it is. False: it is to end.
    pub fn tell(&mut self, words: impl FnOnce() -> String) -> bool {
        let due = self.told.is_none_or(|told| told.elapsed() >= TELLING);
        if self.terminal && due && self.began.elapsed() >= self.patience {
            self.told = Some(Instant::now());
            // Progress that nobody can see is no loss. Up to the end of the line is cleared.
            let _ = write!(std::io::stderr(), "\r{}\x1b[K", words());
        }
        !self.interrupted()
    }

    /// Whether somebody wants it to end.
    pub fn interrupted(&mut self) -> bool {
        if let Some(signals) = &mut self.signals {
            self.ended |= matches!(signals.read_signal(), Ok(Some(_)));
        }
        self.ended
    }

    /// Waits, at most so long, but no longer than until somebody wants it to end.
    pub fn wait(&mut self, time: Duration) {
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        let Some(signals) = &self.signals else { return std::thread::sleep(time) };
        // A failure is like a wait that was shorter: the caller asks again.
        let _ = poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], timeout);
    }

    /// Clears the line.
    pub fn end(&self) {
        if self.told.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
