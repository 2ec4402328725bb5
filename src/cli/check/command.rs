//! A command that loads devices while they are checked.

use std::io::Error;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How long a command may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// A running command. It ends, with everything that it started, at the latest when this value does.
pub struct Load {
    child: Child,
    /// Of the command and of everything that it starts and that does not leave it on purpose.
    group: Pid,
    ended: Option<ExitStatus>,
}

impl Load {
    /// Starts a command of the shell. What it prints goes to standard error, so that it does not mix with findings.
    pub fn start(command: &str) -> Result<Load, Error> {
        let out = std::io::stderr().as_fd().try_clone_to_owned()?;
        let child = Command::new("/bin/sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::from(out))
            // A group of its own: a signal for it reaches all of it, and Ctrl-C reaches only this program.
            .process_group(0)
            .spawn()?;
        let group = Pid::from_raw(child.id() as i32);
        Ok(Load { child, group, ended: None })
    }

    /// Whether the command has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            // Looked at without being taken away: until then its group cannot be somebody else's.
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            match waitid(Id::Pid(self.group), flags) {
                Ok(WaitStatus::StillAlive) => return false,
                // It has ended, or nothing is known of it; then there is nothing to wait for.
                _ => self.finish(),
            }
        }
        true
    }

    /// Ends the command if it has not ended, with everything that it left behind.
    pub fn stop(&mut self) {
        if self.has_ended() {
            return;
        }
        let _ = killpg(self.group, Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.finish();
    }

    /// Why it failed: a clause. `None` if it ended well, or was ended by us.
    pub fn failure(&self) -> Option<String> {
        let status = self.ended.filter(|status| !status.success())?;
        Some(match status.code() {
            Some(code) => format!("exit status {code}"),
            None => status.to_string(),
        })
    }

    /// Takes the rest of the group away, then the command itself.
    fn finish(&mut self) {
        let _ = killpg(self.group, Signal::SIGKILL);
        self.ended = self.child.wait().ok();
        // What was killed is gone a little later. Signal 0 asks whether anybody is left.
        let asked = Instant::now();
        while killpg(self.group, None).is_ok() && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.stop();
        }
    }
}
