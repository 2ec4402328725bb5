//! FRS Queueing, extended capability ID 0021h: which functions reported that they are ready. PCIe 6.2, 7.8.10.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x21,
    key: "frs",
    name: "FRS Queueing",
    section: "PCIe 6.2, 7.8.10",
    layout: Some(layout),
    registers: &[
        FrsQueueingCapability::REGISTER,
        FrsQueueingStatus::REGISTER,
        FrsQueueingControl::REGISTER,
        FrsMessageQueue::REGISTER,
    ],
};

register! {
    /// Size of the queue.
    pub struct FrsQueueingCapability(u32) at 0x04, "capability", "FRSCap", "PCIe 6.2, 7.8.10.2" {
        /// Most messages in the queue; at least 1.
        11:0 frs_queue_max_depth HwInit "MaxDepth" = Meaning::Quantity(depth),
        /// Which MSI or MSI-X vector reports messages.
        20:16 frs_interrupt_message_number Ro "IntMsgNum",
    }
    /// Whether messages came.
    pub struct FrsQueueingStatus(u16) at 0x08, "status", "FRSSta", "PCIe 6.2, 7.8.10.3" {
        /// A message came.
        0 frs_message_received Rw1c "Received",
        /// A message came while the queue was full, and was lost.
        1 frs_message_overflow Rw1c "Overflow",
    }
    /// Whether messages interrupt.
    pub struct FrsQueueingControl(u16) at 0x0a, "control", "FRSCtl", "PCIe 6.2, 7.8.10.4" {
        /// Interrupts when a bit of the status register gets set.
        0 frs_interrupt_enable Rw "IntEn",
    }
    /// The oldest message. The others are not shown: to take the oldest one off the queue needs a write.
    pub struct FrsMessageQueue(u32) at 0x0c, "message_queue", "FRSQueue", "PCIe 6.2, 7.8.10.5" {
        /// Which function is ready; meaningful unless the queue is empty.
        15:0 frs_message_queue_function_id Ro "Function" = Meaning::Quantity(requester),
        /// Why it reports that; meaningful unless the queue is empty.
        19:16 frs_message_queue_reason Ro "Reason",
        /// Messages in the queue.
        31:20 frs_message_queue_depth Ro "Depth",
    }
}

fn depth(messages: u64) -> Quantity {
    if messages == 0 { Quantity::Reserved } else { Quantity::Count(messages) }
}

fn requester(id: u64) -> Quantity {
    Quantity::RequesterId(id as u16)
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    builder.add::<FrsQueueingCapability>();
    builder.add::<FrsQueueingStatus>();
    builder.add::<FrsQueueingControl>();
    builder.add::<FrsMessageQueue>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let decoded = Case::new(0x21).body(&[0x0003_0020, 0x0001_0003, 0x0023_0100]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("capability.frs_queue_max_depth", 32),
            ("capability.frs_interrupt_message_number", 3),
            ("status.frs_message_received", 1),
            ("status.frs_message_overflow", 1),
            ("control.frs_interrupt_enable", 1),
            ("message_queue.frs_message_queue_function_id", 0x0100),
            ("message_queue.frs_message_queue_reason", 3),
            ("message_queue.frs_message_queue_depth", 2),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 4);
        assert_eq!(Case::new(0x21).limit(0x10c).decode().raw("message_queue"), None);
    }
}
