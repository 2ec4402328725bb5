//! Who speaks in the kernel log, a file each: the kinds of events and all their wordings, from kernel 4.4 to 7.2.
//!
//! Stable kernels carry changes back, so every wording is accepted whatever version the kernel says it is.

pub mod acpi;
pub mod aer;
pub mod aer_firmware;
pub mod ahci;
pub mod amdgpu;
pub mod aspm;
pub mod audio;
pub mod cxl;
pub mod dpc;
pub mod ethernet;
pub mod idxd;
pub mod interrupts;
pub mod iommu;
pub mod kernel;
pub mod link;
pub mod mlx5;
pub mod nvidia;
pub mod nvidia_start;
pub mod nvme;
pub mod pci_core;
pub mod pciehp;
pub mod power;
pub mod resources;
pub mod sleep;
pub mod storage;
pub mod thunderbolt;
pub mod wireless;
pub mod xe;
pub mod xhci;

use super::event::Kind;

/// Every kind, in the order in which wordings are tried.
pub const ALL: &[&[Kind]] = &[
    aer::KINDS,
    aer_firmware::KINDS,
    dpc::KINDS,
    pciehp::KINDS,
    power::KINDS,
    sleep::KINDS,
    link::KINDS,
    resources::KINDS,
    acpi::KINDS,
    aspm::KINDS,
    pci_core::KINDS,
    iommu::KINDS,
    interrupts::KINDS,
    nvidia::KINDS,
    nvidia_start::KINDS,
    nvme::KINDS,
    mlx5::KINDS,
    ethernet::KINDS,
    wireless::KINDS,
    amdgpu::KINDS,
    xe::KINDS,
    xhci::KINDS,
    ahci::KINDS,
    storage::KINDS,
    cxl::KINDS,
    idxd::KINDS,
    audio::KINDS,
    thunderbolt::KINDS,
    kernel::KINDS,
];
