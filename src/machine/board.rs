//! What firmware says of the machine: who made it, its board, its firmware. Serial numbers are not read.

use crate::tree::{Tree, read_text};

/// The machine in the words of its firmware. Everything is `None` where the source does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Board {
    /// Who made the machine (`sys_vendor`).
    pub vendor: Option<String>,
    /// What it is called (`product_name`).
    pub product: Option<String>,
    /// Who made the board (`board_vendor`).
    pub board_vendor: Option<String>,
    /// What the board is called (`board_name`).
    pub board: Option<String>,
    /// Who made the firmware (`bios_vendor`).
    pub firmware_vendor: Option<String>,
    /// Version of the firmware (`bios_version`).
    pub firmware_version: Option<String>,
    /// Date of the firmware (`bios_date`), as it says it.
    pub firmware_date: Option<String>,
}

/// Reads `sys/class/dmi/id` (kernel: drivers/firmware/dmi-id.c).
pub fn read_board(tree: &dyn Tree) -> Board {
    let text = |name: &str| {
        read_text(tree, &format!("sys/class/dmi/id/{name}")).ok().map(single_line).filter(|t| !t.is_empty())
    };
    Board {
        vendor: text("sys_vendor"),
        product: text("product_name"),
        board_vendor: text("board_vendor"),
        board: text("board_name"),
        firmware_vendor: text("bios_vendor"),
        firmware_version: text("bios_version"),
        firmware_date: text("bios_date"),
    }
}

/// The strings are the vendor's: whatever is in them becomes one line.
fn single_line(text: String) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn reads_what_there_is() {
        let tree = MemoryTree::complete()
            .file("sys/class/dmi/id/product_name", "Two\nlines \n")
            .file("sys/class/dmi/id/bios_version", " \n");
        let board = read_board(&tree);
        assert_eq!(board, Board { product: Some("Two lines".to_owned()), ..Board::default() });
    }
}
