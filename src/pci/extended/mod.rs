//! Capabilities on the extended list, one file each. Those that are only named are in [`super::catalogue`].

pub mod acs;
pub mod aer;
pub mod aer_errors;
pub mod ari;
pub mod dpc;
pub mod dvsec;
pub mod l1ss;
pub mod ltr;
pub mod physical_16gt;
pub mod physical_32gt;
pub mod rebar;
pub mod secondary;
pub mod serial_number;
pub mod sriov;
#[cfg(test)]
mod testing;
pub mod vsec;
