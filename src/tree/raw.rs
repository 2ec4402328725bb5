//! The only file with `unsafe`: reading mapped device registers, and forking.
#![allow(unsafe_code)]

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use memmap2::{MmapOptions, MmapRaw};
use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};

/// A mapped range of a BAR, read 32 bits at a time.
#[derive(Debug)]
pub struct Mapping {
    map: MmapRaw,
    /// Where the wanted range starts in the map, which itself starts on a page.
    skip: usize,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes at `offset` of the file, read-only. The file must be a regular one (the BAR of a device is,
    /// with its size) and hold the range: beyond its end a read is a SIGBUS. Offset and length are multiples of four.
    pub fn new(file: &std::fs::File, offset: u64, length: usize) -> Result<Self, Errno> {
        const PAGE: u64 = 4096;
        if !offset.is_multiple_of(4) || !length.is_multiple_of(4) || length == 0 {
            return Err(Errno::EINVAL);
        }
        let metadata = file.metadata().map_err(errno)?;
        let inside = offset.checked_add(length as u64).is_some_and(|end| end <= metadata.len());
        if !metadata.is_file() || !inside {
            return Err(Errno::EINVAL);
        }
        let start = offset / PAGE * PAGE;
        let skip = (offset - start) as usize;
        // Pages of the kernel may be larger than 4 KiB (arm64, powerpc); memmap2 rounds the offset down itself and
        // keeps the difference hidden, so the skip computed here stays right.
        let map = MmapOptions::new()
            .offset(start)
            .len(skip + length)
            .map_raw_read_only(&file.as_fd().try_clone_to_owned().map_err(errno)?)
            .map_err(errno)?;
        Ok(Mapping { map, skip, length })
    }

    /// The 32-bit register at `offset` in the range; `None` if that is unaligned or outside.
    pub fn read(&self, offset: usize) -> Option<u32> {
        if !offset.is_multiple_of(4) || offset + 4 > self.length {
            return None;
        }
        let pointer = self.map.as_ptr().wrapping_add(self.skip + offset).cast::<u32>();
        // SAFETY: `new` mapped skip + length bytes and offset + 4 <= length was checked above, so the pointer lies in
        // the mapping; the map starts on a page and skip and offset are multiples of four, so it is aligned. The
        // bytes are device registers that may change at any time: hence a volatile read through a raw pointer and
        // never a reference or slice.
        Some(u32::from_le(unsafe { std::ptr::read_volatile(pointer) }))
    }
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32))
}

/// How often [`fork`] looks, a millisecond apart, whether threads that have ended are gone.
const LOOKS: u32 = 100;

/// Exit status of a child that panicked: that of every Rust program.
const PANICKED: i32 = 101;

/// Starts a copy of this process that runs `child` and then ends with its result as exit status, whatever happens.
///
/// Must be called while the process has one thread only: in the copy, locks that other threads held would stay held.
/// The caller guarantees that; [`thread_count`] is checked.
pub fn fork(child: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    // A thread that was joined may be counted for a moment longer: the kernel tells that it has ended before it is gone
    // (do_exit in kernel/exit.c: exit_mm, which wakes whoever joins, comes before release_task).
    let mut looks = 0;
    while thread_count() != Some(1) {
        if looks == LOOKS {
            return Err(Errno::EAGAIN);
        }
        looks += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // SAFETY: the process has a single thread (checked above), so the child may use the allocator and every lock.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            // Unwinding out of here would run the rest of the program, and its destructors, a second time.
            let status = catch_unwind(AssertUnwindSafe(child)).unwrap_or(PANICKED);
            // SAFETY: `_exit` is always safe to call; it skips destructors and buffers that belong to the parent.
            unsafe { nix::libc::_exit(status) }
        }
    }
}

/// Number of threads of this process; `None` where /proc is not there. A folder has a link for each folder in it, one for
/// its name and one for its `.`; the kernel keeps that true here (proc_task_getattr in fs/proc/base.c).
fn thread_count() -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/task").ok()?.nlink().checked_sub(2)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_inside_the_range_only() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&(0u32..4096).flat_map(u32::to_le_bytes).collect::<Vec<_>>()).unwrap();
        let mapping = Mapping::new(&file, 0x2010, 16).unwrap();
        assert_eq!(mapping.read(0), Some(0x2010 / 4));
        assert_eq!(mapping.read(12), Some(0x2010 / 4 + 3));
        assert_eq!(mapping.read(16), None);
        assert_eq!(mapping.read(2), None);
        assert!(Mapping::new(&file, 2, 16).is_err());
    }

    #[test]
    fn threads_are_counted() {
        let before = thread_count().unwrap();
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || wait.recv().is_err());
        // The other tests of this program start and end threads as well: only that there are more can be told.
        assert!(thread_count().unwrap() >= 2, "{before} before");
        let listed = std::fs::read_dir("/proc/self/task").unwrap().count() as u64;
        assert!(listed >= 2);
        drop(end);
        assert!(thread.join().unwrap());
    }

    #[test]
    fn maps_nothing_but_what_a_regular_file_holds() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[1; 4096 + 8]).unwrap();
        assert!(Mapping::new(&file, 4096, 8).is_ok());
        for (offset, length) in [(4096, 12), (4104, 4), (1 << 40, 4), (u64::MAX - 3, 4), (0, 8192)] {
            assert_eq!(
                Mapping::new(&file, offset, length).err(),
                Some(Errno::EINVAL),
                "{offset:#x} {length}"
            );
        }
        let device = std::fs::File::open("/dev/zero").unwrap();
        assert_eq!(Mapping::new(&device, 0, 4096).err(), Some(Errno::EINVAL));
    }
}
