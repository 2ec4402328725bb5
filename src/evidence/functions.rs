//! What was read of a function, as files.

use crate::machine::attributes::{self, Kind};
use crate::machine::reading::Reading;
use crate::tree::{Cause, Pieces};

use super::recording::{Kept, Recording};

/// Keeps a function's reading; `folder` is the path of its folder without links.
pub fn keep(recording: &mut Recording, folder: &str, reading: &Reading) {
    for (index, answer) in &reading.answers {
        let Some(attribute) = attributes::ALL.get(usize::from(*index)) else { continue };
        let path = format!("{folder}/{}", attribute.name);
        match (answer, attribute.kind) {
            (Err(cause), _) => recording.keep(&path, Kept::Failed(*cause)),
            (Ok(text), Kind::Text | Kind::Bytes) => {
                recording.keep(&path, Kept::File { bytes: line(text), size: None });
            }
            (Ok(target), Kind::Link) => recording.keep(&path, Kept::Link(target.clone())),
            (Ok(names), Kind::Folder) => {
                let names: Vec<String> = names.lines().map(str::to_owned).collect();
                recording.keep_names(&path, &names);
            }
        }
    }
    if let Some(config) = config(reading) {
        recording.keep(&format!("{folder}/config"), config);
    }
    if let Some(data) = &reading.vital_product_data {
        let kept = match data.error {
            Some(cause) if data.bytes.is_empty() => Kept::Failed(cause),
            Some(cause) => Kept::Pieces {
                pieces: Pieces {
                    runs: vec![(0, data.bytes.clone())],
                    ended: Some((data.bytes.len() as u64, cause)),
                },
                size: None,
            },
            None => Kept::File { bytes: data.bytes.clone(), size: None },
        };
        recording.keep(&format!("{folder}/vpd"), kept);
    }
}

/// Attributes are kept without the white space around them; the line end is given back.
fn line(text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { format!("{text}\n").into_bytes() }
}

/// Configuration space: a file if everything up to its end was read, otherwise its pieces, so that what was not read is
/// not taken for zeros, nor for the end. Nothing of a function that was not read at all.
fn config(reading: &Reading) -> Option<Kept> {
    let size = reading.config_size;
    let runs: Vec<(u64, Vec<u8>)> =
        reading.space.pieces().map(|(offset, bytes)| (u64::from(offset), bytes.to_vec())).collect();
    let ended = reading.config_error.map(|(offset, cause)| (u64::from(offset), cause));
    match (runs.as_slice(), ended) {
        ([], Some((_, cause))) => Some(Kept::Failed(cause)),
        ([], None) => size
            .filter(|size| *size == 0 || reading.config_reads > 0)
            .map(|_| Kept::File { bytes: Vec::new(), size }),
        ([(0, run)], None) if run.len() == usize::from(reading.space.limit()) => {
            Some(Kept::File { bytes: run.clone(), size })
        }
        _ => Some(Kept::Pieces {
            pieces: Pieces { runs, ended: ended.filter(|(_, cause)| *cause != Cause::NotCaptured) },
            size,
        }),
    }
}
