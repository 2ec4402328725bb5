//! Running another program with a deadline, in bounded memory.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// What a program gave back.
#[derive(Debug)]
pub struct Answer {
    /// Its exit status; `None` if it was stopped because it wrote too much.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error, at most 64 KiB of it.
    pub errors: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not there.
    #[error("{0}: not found in PATH")]
    Missing(String),
    /// It did not end in time.
    #[error("{program}: did not end within {seconds} s")]
    Late {
        /// Its name.
        program: String,
        /// The time that it had.
        seconds: u64,
    },
    /// The operating system's answer.
    #[error("{program}: {error}")]
    Io {
        /// Its name.
        program: String,
        /// The answer.
        error: io::Error,
    },
}

/// Most bytes of standard error that are kept.
const ERRORS_LIMIT: usize = 64 << 10;
/// How long the end of a program that closed its output is waited for at a time.
const STEP: Duration = Duration::from_millis(10);

/// Runs a program. `input` is its standard input. It is killed when it does not end within `deadline`, or writes more than
/// `limit` bytes; one that cannot be killed, because a driver keeps it, is left behind. `watch` is asked now and then
/// whether to go on.
pub fn run(
    program: &str,
    arguments: &[&str],
    input: &[u8],
    deadline: Duration,
    limit: usize,
    watch: &mut dyn FnMut() -> bool,
) -> Result<Answer, ToolError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ToolError::Missing(program.to_owned()),
        _ => ToolError::Io { program: program.to_owned(), error },
    };
    let mut child = Command::new(program)
        .args(arguments)
        // Messages are read by people and by this program: no translations.
        .env("LC_ALL", "C")
        .stdin(standard_input(input).map_err(failed)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let end = Instant::now() + deadline;
    let answer = attend(&mut child, end, limit, watch);
    if !matches!(&answer, Ok(Some(Answer { status: Some(_), .. }))) {
        // It may be gone already. One that a driver keeps does not go: it is not waited for.
        let _ = child.kill();
        let _ = child.try_wait();
    }
    let late = || ToolError::Late { program: program.to_owned(), seconds: deadline.as_secs() };
    answer.map_err(failed)?.ok_or_else(late)
}

/// A file without a name, from which a program can read at its leisure.
fn standard_input(input: &[u8]) -> io::Result<Stdio> {
    if input.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = std::fs::File::from(memfd_create(c"input", MFdFlags::MFD_CLOEXEC)?);
    io::Write::write_all(&mut file, input)?;
    io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

/// Reads what it writes until it ends. `None`: the time is over.
fn attend(
    child: &mut Child,
    end: Instant,
    limit: usize,
    watch: &mut dyn FnMut() -> bool,
) -> io::Result<Option<Answer>> {
    let mut output = Pipe::new(child.stdout.take().map(OwnedFd::from))?;
    let mut errors = Pipe::new(child.stderr.take().map(OwnedFd::from))?;
    loop {
        if output.kept.len() > limit {
            output.kept.truncate(limit);
            return Ok(Some(Answer { status: None, output: output.kept, errors: errors.kept }));
        }
        errors.kept.truncate(ERRORS_LIMIT);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || !watch() {
            return Ok(None);
        }
        let open: Vec<_> = [&output, &errors].into_iter().filter_map(|pipe| pipe.end.as_ref()).collect();
        if open.is_empty() {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(Answer { status: Some(status), output: output.kept, errors: errors.kept }));
            }
            std::thread::sleep(STEP.min(left));
            continue;
        }
        let mut waiting: Vec<_> =
            open.iter().map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN)).collect();
        // Often enough that an interrupt is noticed.
        let time = left.min(Duration::from_millis(200)).as_millis().max(1);
        match poll(&mut waiting, PollTimeout::from(time as u16)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        output.read()?;
        errors.read()?;
        // A program that has ended may have left another one behind that holds the pipes.
        if let Some(status) = child.try_wait()? {
            output.read()?;
            errors.read()?;
            errors.kept.truncate(ERRORS_LIMIT);
            output.kept.truncate(limit);
            return Ok(Some(Answer { status: Some(status), output: output.kept, errors: errors.kept }));
        }
    }
}

/// One end of a pipe, and what came out of it.
struct Pipe {
    end: Option<std::fs::File>,
    kept: Vec<u8>,
}

impl Pipe {
    fn new(end: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(end) = &end {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Pipe { end: end.map(std::fs::File::from), kept: Vec::new() })
    }

    /// Takes what is there, up to some mebibytes.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 << 10];
        for _ in 0..64 {
            let Some(end) = &mut self.end else { return Ok(()) };
            match end.read(&mut buffer) {
                Ok(0) => self.end = None,
                Ok(length) => self.kept.extend(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], milliseconds: u64, limit: usize) -> Result<Answer, ToolError> {
        run("sh", &["-c", script], input, Duration::from_millis(milliseconds), limit, &mut || true)
    }

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let long = vec![b'x'; 1 << 20];
        let answer = shell("cat; echo oops >&2; exit 3", &long, 10_000, 2 << 20).unwrap();
        assert_eq!((answer.output.len(), answer.errors.as_slice()), (1 << 20, b"oops\n".as_slice()));
        assert_eq!(answer.status.unwrap().code(), Some(3));
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let begin = Instant::now();
        let error = shell("echo one; exec sleep 60", b"", 300, 1000).unwrap_err();
        assert!(matches!(error, ToolError::Late { .. }), "{error}");
        let answer = shell("yes", b"", 10_000, 1000).unwrap();
        assert_eq!((answer.status, answer.output.len()), (None, 1000));
        // One that leaves a child behind, which holds the pipe.
        let answer = shell("sleep 60 & echo done", b"", 10_000, 1000).unwrap();
        assert_eq!(answer.output, b"done\n");
        assert!(begin.elapsed() < Duration::from_secs(9));
        assert!(matches!(
            run("no-such-program-here", &[], b"", STEP, 1, &mut || true),
            Err(ToolError::Missing(_))
        ));
    }
}
