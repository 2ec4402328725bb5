//! What the functions of a machine say of its NUMA nodes.

use crate::machine::Machine;

/// What all functions together say, gathered once: a machine has thousands of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nodes<'a> {
    /// A function names a node at all.
    pub any_named: bool,
    /// A function names a node other than 0.
    several: bool,
    /// Processors near to a function of node 0 (`local_cpulist`).
    near_zero: Option<&'a str>,
    /// Two functions of node 0 are near to different processors.
    near_zero_differs: bool,
}

impl<'a> Nodes<'a> {
    /// Gathers it.
    pub fn of(machine: &'a Machine) -> Nodes<'a> {
        let mut nodes = Nodes::default();
        for function in &machine.functions {
            let node = function.reading.text("numa_node").and_then(|text| text.parse::<i64>().ok());
            let Some(node) = node.filter(|node| *node >= 0) else { continue };
            nodes.any_named = true;
            nodes.several |= node > 0;
            let Some(near) = function.reading.text("local_cpulist").filter(|_| node == 0) else { continue };
            nodes.near_zero_differs |= nodes.near_zero.is_some_and(|other| other != near);
            nodes.near_zero = Some(near);
        }
        nodes
    }

    /// Whether the functions show that there are several nodes: by their numbers, or because those of node 0 are near to
    /// other processors than a function of no node, which is near to all of them (`processors`, its `local_cpulist`).
    pub fn are_several(self, processors: Option<&str>) -> bool {
        let others = self.near_zero.zip(processors).is_some_and(|(near, all)| near != all);
        self.several || others || self.near_zero_differs && processors.is_some()
    }
}
