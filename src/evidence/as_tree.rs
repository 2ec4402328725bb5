//! What was read, as a machine in memory: for what is made of a machine whose personal data is replaced.

use super::recording::{Recording, Stored};
use crate::tree::MemoryTree;
use crate::tree::manifest::Manifest;

/// The same as a capture that is stored and opened again.
pub fn as_tree(recording: &Recording) -> MemoryTree {
    let mut tree = MemoryTree::default();
    for path in recording.bare_folders() {
        tree.add_folder(path.to_owned());
    }
    for (path, stored) in recording.stored() {
        match stored {
            Stored::File(bytes) => tree.add_file(path, bytes.into()),
            Stored::Link(target) => tree.add_link(path, target.to_owned()),
        }
    }
    tree.with_manifest(Some(Manifest::parse(&recording.manifest())), true)
}
