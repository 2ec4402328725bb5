//! Trouble above the bus: the device answers, and somebody cannot use it.

use super::effect::{self, gpu_name};
use super::{Call, choice, faults, number};
use crate::simulate::document::Mistake;
use crate::simulate::kernel::Kernel;
use crate::simulate::state::Machine;

faults! {
    /// The bus is healthy and the driver is not: link, configuration space, BARs and interrupts are as they should be, yet
    /// user space finds no GPU. NVIDIA's driver logs Xid 119 (GSP firmware does not answer) and refuses to start the
    /// GPU again. Nothing in the hardware is to be changed; a reboot helps.
    ///
    /// Field experience; lines as NVIDIA's open modules print them.
    "driver-wedged" => driver_wedged on Function needs [] verdict "driver-wedged" or by_driver takes [];

    /// The GPU reports errors of its memory and the bus is healthy: Xid 48 (double bit error), then 63 or 64 (row remapping),
    /// 94 or 95 (contained or not).
    ///
    /// NVIDIA's Xid catalogue.
    "gpu-memory-error" => memory_error on Function needs [] verdict "memory-fault" takes [
        choice("kind", &["uncontained", "contained"], "Whether the error stayed within one application."),
    ];

    /// The device reads or writes memory that the IOMMU does not let it: `DMAR: [DMA Read NO_PASID] Request device` on Intel,
    /// `AMD-Vi: Event logged [IO_PAGE_FAULT` on AMD. A driver or firmware defect, seldom the device.
    ///
    /// Wording of drivers/iommu by version.
    "iommu-fault" => iommu_fault on Function needs [] verdict "dma-fault" takes [
        choice("vendor", &["amd", "intel"], "Whose IOMMU complains."),
        number("address", 0xffff_e000, "The address that was refused."),
    ];
}

/// What an NVMe drive or a network adapter says comes from its own firmware; other drivers say nothing.
fn by_driver(machine: &Machine, call: &Call) -> Option<&'static str> {
    match machine.driver(call.function?).as_deref() {
        Some("nvidia") => None,
        Some("nvme" | "mlx5_core") => Some("device-firmware"),
        _ => Some("healthy"),
    }
}

fn driver_wedged(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    match machine.driver(address).as_deref() {
        Some("nvidia") => {
            let bus = gpu_name(address);
            machine.say(format!(
                "NVRM: Xid (PCI:{bus}): 119, pid=2212, name=python3, Timeout after 6s of waiting for RPC response \
                 from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL) (0x20800a4c 0x4)."
            ));
            machine.wait(6_000_000);
            machine.say(format!("NVRM: GPU {address}: RmInitAdapter failed! (0x62:0x65:2007)"));
            machine.say(format!("NVRM: GPU {address}: rm_init_adapter failed, device minor number 0"));
        }
        Some("nvme") => {
            let name = effect::nvme_name(machine, address);
            machine.say(format!("nvme {name}: Device not ready; aborting reset, CSTS=0x1"));
        }
        Some("mlx5_core") => {
            machine
                .say_of(address, "poll_health:818:(pid 0): device's health compromised - reached miss count");
        }
        _ => {}
    }
    Ok(())
}

fn memory_error(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let bus = gpu_name(call.address()?);
    let contained = call.word("kind") == "contained";
    let (xid, text) = match contained {
        true => (94, "Contained: CE User Channel (0x9). RST: No, D-RST: No"),
        false => (95, "Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No"),
    };
    machine.say(format!(
        "NVRM: Xid (PCI:{bus}): 48, pid=7194, name=python3, DBE (double bit error) ECC Error @ 0x3b8 FBHUB"
    ));
    machine.say(format!(
        "NVRM: Xid (PCI:{bus}): 63, Row Remapper: New row (0x0000000012345678) marked for remapping"
    ));
    machine.say(format!("NVRM: Xid (PCI:{bus}): {xid}, pid=7194, name=python3, {text}"));
    if !contained {
        machine.say(format!(
            "NVRM: Xid (PCI:{bus}): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)"
        ));
    }
    Ok(())
}

fn iommu_fault(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let at = call.number("address");
    let kernel = machine.kernel;
    let short = format!("{:02x}:{:02x}.{:x}", address.bus, address.device, address.function);
    if call.word("vendor") == "intel" {
        machine.say("DMAR: DRHD: handling fault status reg 2");
        let reason = "PTE Read access is not set";
        machine.say(match kernel {
            Kernel::V4_19 | Kernel::V5_4 | Kernel::V5_15 => {
                format!("DMAR: [DMA Read] Request device [{short}] PASID ffffffff fault addr {at:x} [fault reason 06] {reason}")
            }
            Kernel::V6_8 | Kernel::V6_12 => {
                format!("DMAR: [DMA Read NO_PASID] Request device [{short}] fault addr {at:#x} [fault reason 0x06] {reason}")
            }
            Kernel::V7_2 => format!(
                "DMAR: [DMA Read NO_PASID] Request device [{address}] fault addr {at:#x} [fault reason 0x06] {reason}"
            ),
        });
        return Ok(());
    }
    match machine.driver(address).is_some() && kernel >= Kernel::V5_4 {
        true => machine.say_of(
            address,
            format!("AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x001f address={at:#x} flags=0x0020]"),
        ),
        false => machine.say(format!(
            "AMD-Vi: Event logged [IO_PAGE_FAULT device={short} domain=0x001f address={at:#x} flags=0x0020]"
        )),
    }
    Ok(())
}
