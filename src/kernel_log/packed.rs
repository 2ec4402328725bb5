//! Logs as they lie about: packed with gzip or zstd, which is undone here, or in a way that another program must undo first.

use std::error::Error;
use std::fmt;
use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

/// Bytes that tell how a file is packed.
pub const START: usize = 8;
/// Largest window that zstd may ask for, as a power of two: 128 MiB, what the program `zstd` takes without being told to.
const WINDOW_LOG: u32 = 27;

/// What files begin with that are not read here, and what to do about it. The signatures are from the formats' own
/// descriptions (xz-file-format 1.2, 2.1.1.1; bzip2's compress.c; lz4_Frame_format; APPNOTE 6.3.10, 4.3.7; Unicode 17,
/// 23.8).
const FOREIGN: &[(&[u8], Foreign)] = &[
    (
        b"\xfd7zXZ\0",
        Foreign(
            "is packed with xz; expected text, or text packed with gzip or zstd; unpack it first: xz -dc FILE | pciscope \
             diagnose --log -",
        ),
    ),
    (
        b"BZh",
        Foreign(
            "is packed with bzip2; expected text, or text packed with gzip or zstd; unpack it first: bzip2 -dc FILE | pciscope \
             diagnose --log -",
        ),
    ),
    (
        b"\x04\x22\x4d\x18",
        Foreign(
            "is packed with lz4; expected text, or text packed with gzip or zstd; unpack it first: lz4 -dc FILE | pciscope \
             diagnose --log -",
        ),
    ),
    (
        b"PK\x03\x04",
        Foreign(
            "is a zip archive; expected text, or text packed with gzip or zstd; unpack it first: unzip -p FILE | pciscope \
             diagnose --log -",
        ),
    ),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
];
const UTF_16: Foreign = Foreign(
    "is text in UTF-16; expected UTF-8 or ASCII, as the kernel writes it; convert it first: iconv -f UTF-16 -t UTF-8 FILE | \
     pciscope diagnose --log -",
);

/// Something that is not read here: a clause without the name of the file.
#[derive(Debug, Clone, Copy)]
struct Foreign(&'static str);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Foreign {}

/// What an error says of a file that is not read here.
pub fn told(error: &io::Error) -> Option<&'static str> {
    error.get_ref()?.downcast_ref::<Foreign>().map(|foreign| foreign.0)
}

/// Whether what begins so is read here. `start`: its first [`START`] bytes, or all of it.
pub fn check(start: &[u8]) -> io::Result<()> {
    match FOREIGN.iter().find(|(signature, _)| start.starts_with(signature)) {
        Some((_, foreign)) => Err(io::Error::other(*foreign)),
        None => Ok(()),
    }
}

/// The stream that begins so, unpacked if need be.
pub fn unpack<'a>(start: &[u8], stream: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    check(start)?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::new(stream))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = Decoder::new(stream)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(decoder)
        }
        _ => Box::new(stream),
    })
}
