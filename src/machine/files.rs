//! Reading files of the live machine that may keep the reader waiting, such as those of a driver whose device is sick.
//!
//! They are read by a process of their own, which is abandoned when it does not answer in time, and replaced.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::waitpid;

use crate::tree::{self, Cause, Tree, raw};

use super::worker::{Open, abandon, close_all_but, is_late, sockets};

/// The bytes of a file, or why there are none.
pub type Answer = Result<Vec<u8>, Cause>;

/// Most bytes of one file.
pub const LIMIT: usize = 16 << 20;

/// Reads files; the answer to each path is at its place. `deadline` is the time that one file may take. To be called
/// while this process has one thread.
pub fn read_all(paths: &[String], deadline: Duration, open: Open<'_>) -> Result<Vec<Answer>, Errno> {
    let mut answers = Vec::with_capacity(paths.len());
    while answers.len() < paths.len() {
        let rest = &paths[answers.len()..];
        let failed =
            |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
        let (mut here, there) = sockets(deadline).map_err(failed)?;
        let process = raw::fork(|| {
            close_all_but(there.as_raw_fd());
            serve(&there, rest, open)
        })?;
        // Its end is seen only when nobody else holds the socket.
        drop(there);
        loop {
            match receive(&mut here) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    let late = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
                    answers.push(Err(match is_late(&error) {
                        true => Cause::TimedOut(late),
                        false => Cause::Errno(Errno::EIO),
                    }));
                    abandon(process);
                    break;
                }
            }
            if answers.len() == paths.len() {
                // It has nothing left to do.
                let _ = waitpid(process, None);
                break;
            }
        }
    }
    Ok(answers)
}

/// Reads one file after the other and sends each: a word for the error, or none, and the bytes, with their lengths.
fn serve(mut socket: &UnixStream, paths: &[String], open: Open<'_>) -> i32 {
    let Ok(tree) = open() else { return 1 };
    for path in paths {
        let (word, bytes) = match read_one(&*tree, path) {
            Ok(bytes) => (String::new(), bytes),
            Err(cause) => (cause.word(), Vec::new()),
        };
        let mut message = vec![word.len() as u8];
        message.extend(word.bytes());
        message.extend((bytes.len() as u32).to_le_bytes());
        message.extend(bytes);
        if socket.write_all(&message).is_err() {
            return 1;
        }
    }
    0
}

fn read_one(tree: &dyn Tree, path: &str) -> Answer {
    tree::read(tree, path, LIMIT).map_err(|error| error.cause)
}

fn receive(socket: &mut impl Read) -> std::io::Result<Answer> {
    let mut length = [0];
    socket.read_exact(&mut length)?;
    let mut word = vec![0; usize::from(length[0])];
    socket.read_exact(&mut word)?;
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LIMIT {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes)?;
    if word.is_empty() {
        return Ok(Ok(bytes));
    }
    let cause = std::str::from_utf8(&word).ok().and_then(Cause::of_word);
    cause.map(Err).ok_or_else(|| ErrorKind::InvalidData.into())
}
