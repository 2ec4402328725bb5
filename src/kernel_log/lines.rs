//! Lines of a stream of any length, in bounded memory.

use std::io::{self, Read};

/// Most bytes that are kept of one line. The longest line of the kernel itself is 1,024 bytes (PRINTK_MESSAGE_MAX, 2,048,
/// with the prefix), one of `journalctl -o json` a few KiB.
pub const LINE_LIMIT: usize = 64 << 10;

/// Bytes that one read asks for.
const CHUNK: usize = 256 << 10;

/// One line as it stands in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u64,
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Its bytes without the line end, at most [`LINE_LIMIT`] of them.
    pub bytes: &'a [u8],
    /// Whether the line was longer than that.
    pub cut: bool,
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Lines, a last one without line end included.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// Lines of which only the first [`LINE_LIMIT`] bytes were kept.
    pub cut: u64,
}

/// Gives every line of a stream to `take`, in order. Never keeps more than one chunk and one line.
pub fn each_line(stream: &mut dyn Read, take: &mut dyn FnMut(Line<'_>)) -> io::Result<Extent> {
    let mut buffer = vec![0; CHUNK + LINE_LIMIT];
    let mut extent = Extent::default();
    // `buffer[..kept]` is the beginning of a line whose end was not read yet; `cut`: the rest of it is dropped.
    let (mut kept, mut cut) = (0, false);
    let mut line_start = 0;
    loop {
        let length = match stream.read(&mut buffer[kept..kept + CHUNK]) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if length == 0 {
            break;
        }
        let end = kept + length;
        let chunk_offset = extent.bytes;
        extent.bytes += length as u64;
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', &buffer[kept..end]) {
            let newline = kept + newline;
            finish(&mut extent, line_start, &buffer[start..newline], cut, take);
            start = newline + 1;
            line_start = chunk_offset + (start - kept) as u64;
            cut = false;
        }
        if end - start > LINE_LIMIT {
            cut = true;
        }
        let rest = (end - start).min(LINE_LIMIT);
        buffer.copy_within(start..start + rest, 0);
        kept = rest;
    }
    if kept > 0 {
        finish(&mut extent, line_start, &buffer[..kept], cut, take);
    }
    Ok(extent)
}

fn finish(extent: &mut Extent, offset: u64, bytes: &[u8], cut: bool, take: &mut dyn FnMut(Line<'_>)) {
    extent.lines += 1;
    let cut = cut || bytes.len() > LINE_LIMIT;
    extent.cut += u64::from(cut);
    // Programs of Windows begin a text with a byte order mark.
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| extent.lines == 1);
    let bytes = marked.unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    take(Line { number: extent.lines, offset, bytes: &bytes[..bytes.len().min(LINE_LIMIT)], cut });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that gives at most `step` bytes a read.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(self.1).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    /// Number, offset, bytes and whether it was cut.
    type Seen = (u64, u64, Vec<u8>, bool);

    fn lines(bytes: &[u8], step: usize) -> (Vec<Seen>, Extent) {
        let mut seen = Vec::new();
        let extent = each_line(&mut Slow(bytes, step), &mut |l| {
            seen.push((l.number, l.offset, l.bytes.to_vec(), l.cut))
        });
        (seen, extent.unwrap())
    }

    #[test]
    fn numbers_and_offsets_are_those_of_the_file_however_it_arrives() {
        let text = b"one\r\n\ntwo \xff\nlast";
        for step in [1, 2, 3, 1000] {
            let (seen, extent) = lines(text, step);
            assert_eq!(
                seen,
                [
                    (1, 0, b"one".to_vec(), false),
                    (2, 5, b"".to_vec(), false),
                    (3, 6, b"two \xff".to_vec(), false),
                    (4, 12, b"last".to_vec(), false),
                ]
            );
            assert_eq!(extent, Extent { lines: 4, bytes: 16, cut: 0 });
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mut seen = Vec::new();
        each_line(&mut &b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n"[..], &mut |line| {
            seen.push(line.bytes.to_vec())
        })
        .unwrap();
        assert_eq!(seen, [b"one".to_vec(), b"\xef\xbb\xbftwo".to_vec()]);
    }

    #[test]
    fn a_line_without_end_keeps_its_beginning_only() {
        let mut text = vec![b'x'; 5 * CHUNK];
        text.extend(b"\nshort\n");
        for step in [CHUNK, 1000] {
            let (seen, extent) = lines(&text, step);
            assert_eq!((seen[0].2.len(), seen[0].3), (LINE_LIMIT, true));
            assert_eq!(seen[1], (2, 5 * CHUNK as u64 + 1, b"short".to_vec(), false));
            assert_eq!((extent.lines, extent.cut), (2, 1));
        }
    }
}
