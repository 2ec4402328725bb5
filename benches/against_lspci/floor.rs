//! The floor: a program that only opens and reads the same files, and makes nothing of what is in them.
//!
//! Files are opened from one handle a function, on two threads, with as few system calls as can be: no `fstat`, no
//! second read that finds the end.

use std::fs;
use std::io;
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::uio::pread;

/// What is read of a function: files, links, folders that are listed.
pub struct Set {
    pub files: &'static [&'static str],
    pub links: &'static [&'static str],
    pub folders: &'static [&'static str],
    /// Bytes of `config`.
    pub config: usize,
}

/// Only configuration space: what any such program must do.
pub const CONFIG: Set = Set { files: &[], links: &[], folders: &[], config: 64 };

/// What `list` reads.
pub const LIST: Set = Set { files: &["power_state", "uevent"], links: &[], folders: &[], config: 128 };

/// What `show` reads.
pub const SHOW: Set = Set { files: &[], links: &[], folders: &[], config: 1024 };

/// Reads the set of every function below `devices`; gives how many bytes that were.
pub fn read(devices: &Path, set: &Set) -> io::Result<usize> {
    let names: Vec<_> =
        fs::read_dir(devices)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    let folder = fs::File::open(devices)?;
    let work = |names: &[std::ffi::OsString]| -> io::Result<usize> {
        let mut buffer = vec![0; 4096];
        let mut total = 0;
        for name in names {
            let function =
                openat(&folder, name.as_os_str(), OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
            let config = openat(&function, "config", OFlag::O_RDONLY, Mode::empty())?;
            total += pread(&config, &mut buffer[..set.config], 0)?;
            for name in set.files {
                match openat(&function, *name, OFlag::O_RDONLY, Mode::empty()) {
                    Ok(file) => total += pread(&file, &mut buffer, 0)?,
                    Err(nix::Error::ENOENT) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            for name in set.links {
                total += readlinkat(&function, *name).map_or(0, |target| target.len());
            }
            for name in set.folders {
                let mut entries = Dir::openat(&function, *name, OFlag::O_RDONLY, Mode::empty())?;
                total += entries.iter().count();
            }
        }
        Ok(total)
    };
    let (first, second) = names.split_at(names.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let here = work(first)?;
        let there =
            other.join().map_err(|_| io::Error::other("a thread of the floor program panicked"))??;
        Ok(here + there)
    })
}
