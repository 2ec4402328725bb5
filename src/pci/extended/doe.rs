//! Data Object Exchange, extended capability ID 002Eh. PCIe 6.2, 7.9.24.
//!
//! The two mailbox registers at 10h and 14h are not read. Objects come and go through them a doubleword at a time while
//! software writes, and a reader in between would show a piece of someone else's exchange.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::RegisterType;
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x2e,
    key: "doe",
    name: "Data Object Exchange",
    section: "PCIe 6.2, 7.9.24",
    layout: Some(layout),
    registers: &[Capabilities::REGISTER, Control::REGISTER, Status::REGISTER],
};

register! {
    /// What the mailbox can do besides carrying objects.
    pub struct Capabilities(u32) at 0x04, "capabilities", "DOECap", "PCIe 6.2, 7.9.24.2" {
        /// Can interrupt.
        0 doe_interrupt_support HwInit "IntSup",
        /// Which MSI or MSI-X vector is used; undefined where it cannot interrupt.
        11:1 doe_interrupt_message_number Ro "IntMsgNum",
        /// Can tell when it may not be available at once.
        12 doe_attention_mechanism_support HwInit "AttnSup",
        /// Can send messages that were not asked for.
        13 doe_async_message_support HwInit "AsyncSup",
    }
    /// What the mailbox does.
    pub struct Control(u32) at 0x08, "control", "DOECtl", "PCIe 6.2, 7.9.24.3" {
        /// Gives up all transfers when 1 is written.
        0 doe_abort Wo "Abort",
        /// Interrupts.
        1 doe_interrupt_enable Rw "IntEn",
        /// The mailbox need not be available at once.
        2 doe_attention_not_needed Rw "AttnNotNeeded",
        /// Messages that were not asked for may be sent.
        3 doe_async_message_enable Rw "AsyncEn",
        /// The object is complete and may be worked on, when 1 is written.
        31 doe_go Wo "Go",
    }
    /// What the mailbox is doing.
    pub struct Status(u32) at 0x0c, "status", "DOESta", "PCIe 6.2, 7.9.24.4" {
        /// Takes no new object now.
        0 doe_busy Ro "Busy",
        /// There was a reason to interrupt.
        1 doe_interrupt_status Rw1c "IntSta",
        /// An object could not be worked on. Only Abort clears it.
        2 doe_error Ro "Error",
        /// There is a message that was not asked for.
        3 doe_async_message_status Ro "AsyncSta",
        /// The mailbox is available at once.
        4 doe_at_attention Ro "AtAttn",
        /// There is an object to be read.
        31 data_object_ready Ro "ObjectReady",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 0x0c);
    builder.add::<Capabilities>();
    builder.add::<Control>();
    builder.add::<Status>();
    builder.reaches(0x18);
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn three_registers_and_no_mailbox() {
        let body = [0x0000_3007, 0x0000_000a, 0x8000_0015, 0x1234_5678, 0x1234_5678];
        let decoded = Case::new(0x2e).body(&body).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12), "the mailbox is not read");
        for (path, value) in [
            ("capabilities.doe_interrupt_support", 1),
            ("capabilities.doe_interrupt_message_number", 3),
            ("capabilities.doe_attention_mechanism_support", 1),
            ("capabilities.doe_async_message_support", 1),
            ("control.doe_interrupt_enable", 1),
            ("control.doe_attention_not_needed", 0),
            ("control.doe_async_message_enable", 1),
            ("status.doe_busy", 1),
            ("status.doe_interrupt_status", 0),
            ("status.doe_error", 1),
            ("status.doe_at_attention", 1),
            ("status.data_object_ready", 1),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.capability.end, 0x118);
        assert_eq!(Case::new(0x2e).limit(0x10c).decode().raw("status"), None);
    }
}
