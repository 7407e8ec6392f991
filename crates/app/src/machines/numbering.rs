//! One numbering for the panes of all machines: the number of a pane of another machine says which machine.
//!
//! Each host counts its panes for itself. Here, and in the window, a machine's panes are moved up by so much that no two are
//! alike; what is asked of a machine, and what it answers and tells, is moved on the way (decision 0073).

use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::{NamesPanes, PaneId};

use crate::{Code, Error};

/// So many panes a machine may ever have: a host counts in 32 bits.
pub const PANES_PER_MACHINE: u64 = 1 << 32;
/// Numbers of machines stay below this, so that the number of any pane is exact in a window.
const MACHINES: u32 = 1 << 20;

/// Names one machine, by a number that follows from its name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
pub struct MachineId(pub u32);

impl MachineId {
    /// That of a name: the same at every start and in every process, with nothing to be kept (FNV-1a, cut to 20 bits).
    pub(crate) fn of(name: &str) -> Self {
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        // Folded; nought is this machine.
        Self(((hash >> 20) ^ hash) % (MACHINES - 1) + 1)
    }

    /// The machine of a pane; none: it is one of this machine.
    pub fn of_pane(pane: PaneId) -> Option<Self> {
        match u32::try_from(pane.0 / PANES_PER_MACHINE) {
            Ok(0) => None,
            Ok(number) => Some(Self(number)),
            Err(_) => Some(Self(u32::MAX)),
        }
    }

    /// The number here of what is `pane` there.
    pub fn here(self, pane: PaneId) -> PaneId {
        PaneId(u64::from(self.0) * PANES_PER_MACHINE + pane.0 % PANES_PER_MACHINE)
    }
}

/// The number that a pane has on its own machine.
pub fn number_there(pane: PaneId) -> PaneId {
    PaneId(pane.0 % PANES_PER_MACHINE)
}

/// Gives all panes the numbers that they have on their machine, and says which that is; none: this one.
///
/// # Errors
///
/// [`Code::BadParams`] when it names panes of two.
pub(crate) fn there(said: &mut impl NamesPanes) -> Result<Option<MachineId>, Error> {
    let mut machines = Vec::new();
    said.panes(&mut |pane| {
        machines.push(MachineId::of_pane(*pane));
        *pane = number_there(*pane);
    });
    match machines.as_slice() {
        [] => Ok(None),
        [first, others @ ..] if others.iter().all(|other| other == first) => Ok(*first),
        _ => Err(Error::new(
            Code::BadParams,
            "the panes are on different machines: name those of one",
        )),
    }
}

/// Gives all panes of a machine the numbers that they have here.
pub(crate) fn here(machine: MachineId, said: &mut impl NamesPanes) {
    said.panes(&mut |pane| *pane = machine.here(*pane));
}

#[cfg(test)]
mod tests {
    use terminal::ask::Close;

    use super::*;

    #[test]
    fn a_pane_of_a_machine_is_found_again_by_its_number_and_one_of_ours_keeps_its_own() {
        let build = MachineId::of("build");
        let mut close = Close(build.here(PaneId(7)));
        assert_ne!(close.0, PaneId(7));
        assert_eq!(there(&mut close), Ok(Some(build)));
        assert_eq!(close.0, PaneId(7));
        assert_eq!(there(&mut close), Ok(None));
        assert!(build.here(PaneId(u64::from(u32::MAX))).0 < 1 << 53);
    }

    #[test]
    fn machines_have_numbers_of_their_own() {
        let names: Vec<String> = (0..200).map(|at| format!("machine-{at}")).collect();
        let numbers: std::collections::BTreeSet<_> =
            names.iter().map(|name| MachineId::of(name)).collect();
        assert_eq!(numbers.len(), names.len());
        assert!(
            numbers
                .iter()
                .all(|number| (1..MACHINES).contains(&number.0))
        );
    }
}
