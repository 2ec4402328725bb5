//! What `nvidia-bug-report.sh` collected, from a stranger.
use pciscope::tree::bug_report::add;
use pciscope::tree::{Content, Tree, hexdump, read_text};

/// One input. Gives how many files were made of it.
pub fn run(data: &[u8]) -> usize {
    let dump = hexdump::parse(data);
    let (tree, found) = add(dump.tree, data);
    let mut files = 0;
    for (path, content) in tree.contents() {
        // Nothing leads out of the tree, and no file is longer than the text that it came from.
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
        if let Content::File(bytes) = content {
            assert!(bytes.len() <= data.len().max(4096) + 1, "{path}");
            files += 1;
        }
        std::hint::black_box(read_text(&tree, path).is_ok());
    }
    std::hint::black_box(tree.list("sys/bus/pci/devices").is_ok());
    files + found.parts.len()
}
