//! Page Request Interface, extended capability ID 0013h. PCIe 6.2, 10.5.2.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::RegisterType;
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x13,
    key: "page_request",
    name: "Page Request Interface",
    section: "PCIe 6.2, 10.5.2",
    layout: Some(layout),
    registers: &[
        PageRequestControl::REGISTER,
        PageRequestStatus::REGISTER,
        OutstandingPageRequestCapacity::REGISTER,
        OutstandingPageRequestAllocation::REGISTER,
    ],
};

register! {
    /// Whether the function may ask for pages.
    pub struct PageRequestControl(u16) at 0x04, "control", "PRICtl", "PCIe 6.2, 10.5.2.2" {
        /// It may.
        0 enable Rw "Enable",
        /// Clears credits and pending requests when 1 is written while Enable is clear.
        1 reset Wo "Reset",
    }
    /// What became of its requests.
    pub struct PageRequestStatus(u16) at 0x06, "status", "PRISta", "PCIe 6.2, 10.5.2.3" {
        /// The host answered that it failed for good.
        0 response_failure Rw1c "RF",
        /// An answer came to a group of requests that does not exist.
        1 unexpected_page_request_group_index Rw1c "UPRGI",
        /// No more requests are sent and all are answered; meaningful while Enable is clear.
        8 stopped Ro "Stopped",
        /// Answers to requests with a process address space ID must have it, too.
        15 prg_response_pasid_required Ro "PASID",
    }
    /// How many requests the function can have under way.
    pub struct OutstandingPageRequestCapacity(u32) at 0x08, "outstanding_page_request_capacity", "Page Request Capacity", "PCIe 6.2, 10.5.2.4" {
        /// Requests for pages.
        31:0 requests Ro "Page Request Capacity",
    }
    /// How many requests the function may have under way.
    pub struct OutstandingPageRequestAllocation(u32) at 0x0c, "outstanding_page_request_allocation", "Page Request Allocation", "PCIe 6.2, 10.5.2.5" {
        /// Requests for pages.
        31:0 requests Rw "Page Request Allocation",
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 12);
    builder.add::<PageRequestControl>();
    builder.add::<PageRequestStatus>();
    builder.add::<OutstandingPageRequestCapacity>();
    builder.add::<OutstandingPageRequestAllocation>();
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;

    #[test]
    fn all_registers_are_one_read() {
        let decoded = Case::new(0x13).body(&[0x8102_0001, 0x0200, 0x20]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 12));
        for (path, value) in [
            ("control.enable", 1),
            ("control.reset", 0),
            ("status.response_failure", 0),
            ("status.unexpected_page_request_group_index", 1),
            ("status.stopped", 1),
            ("status.prg_response_pasid_required", 1),
            ("outstanding_page_request_capacity.requests", 512),
            ("outstanding_page_request_allocation.requests", 32),
        ] {
            assert_eq!(decoded.field(path), value, "{path}");
        }
        assert_eq!(decoded.paths().len(), 4);
        let short = Case::new(0x13).limit(0x108).decode();
        assert_eq!((short.raw("status"), short.raw("outstanding_page_request_capacity")), (Some(0), None));
    }
}
