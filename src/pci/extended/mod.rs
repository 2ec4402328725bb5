//! Capabilities on the extended list, one file each. Those that are only named are in [`super::catalogue`].

pub mod acs;
pub mod aer;
pub mod aer_errors;
pub mod alternate_protocol;
pub mod ari;
pub mod device3;
pub mod doe;
pub mod dpc;
pub mod dvsec;
pub mod flit_error_injection;
pub mod flit_logging;
pub mod flit_performance;
pub mod ide;
pub mod ide_stream;
pub mod l1ss;
pub mod ltr;
pub mod mmio_locator;
pub mod nop_flit;
pub mod physical_16gt;
pub mod physical_32gt;
pub mod physical_64gt;
pub mod rebar;
pub mod secondary;
pub mod serial_number;
pub mod sfi;
pub mod shadow_functions;
pub mod siov;
pub mod sriov;
pub mod streamlined_vc;
#[cfg(test)]
mod testing;
pub mod vsec;
