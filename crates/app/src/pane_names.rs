//! What a person or a program calls a pane: its number, or the name that it was given.

use terminal::PaneId;
use terminal::ask::{Closed, List};

use crate::{App, Code, Error, MachineId, number_there};

impl App {
    /// Finds the open pane that is meant by its number or its name. A number names the pane of that number, whatever
    /// others are called.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none, or several have the name; [`Code::HostDown`].
    pub async fn find_pane(&self, name: &str) -> Result<PaneId, Error> {
        if let Some((machine, name)) = self.on_a_machine(name) {
            let panes = self.ask_on(machine, List).await?;
            let named = panes.iter().map(|pane| (pane.id, pane.name.as_deref()));
            return among(name, Some(machine), named)?.ok_or_else(|| unknown(name));
        }
        let panes = self.ask(List).await?;
        let named = panes.iter().map(|pane| (pane.id, pane.name.as_deref()));
        among(name, None, named)?.ok_or_else(|| unknown(name))
    }

    /// Finds the pane that is meant, be it open or only in history.
    ///
    /// # Errors
    ///
    /// As [`App::find_pane`].
    pub async fn find_pane_also_closed(&self, name: &str) -> Result<PaneId, Error> {
        match self.find_pane(name).await {
            Err(error) if error.code == Code::BadId && error.message.starts_with(NONE) => {}
            found => return found,
        }
        let (machine, its) = match self.on_a_machine(name) {
            Some((machine, its)) => (Some(machine), its),
            None => (None, name),
        };
        let closed = match machine {
            Some(machine) => self.ask_on(machine, Closed).await?,
            None => self.ask(Closed).await?,
        };
        let named = closed.iter().map(|pane| (pane.id, pane.name.as_deref()));
        among(its, machine, named)?.ok_or_else(|| unknown(name))
    }

    /// The machine that stands before a pane's number or name, `build:3`, if there is one of that name; and the rest.
    pub fn on_a_machine<'a>(&self, name: &'a str) -> Option<(MachineId, &'a str)> {
        let (machine, pane) = name.split_once(':')?;
        Some((self.machine_named(machine).ok()?, pane))
    }

    /// What a person types for a pane: its number, on another machine behind that one's name.
    pub fn number_to_type(&self, pane: PaneId) -> String {
        let machine = MachineId::of_pane(pane).and_then(|machine| self.machine_name(machine));
        match machine {
            Some(machine) => format!("{machine}:{}", number_there(pane)),
            None => pane.to_string(),
        }
    }
}

const NONE: &str = "there is no pane `";

fn unknown(name: &str) -> Error {
    let message = format!("{NONE}{name}`: `switchyard panes` lists them");
    Error::new(Code::BadId, message)
}

fn among<'a>(
    name: &str,
    machine: Option<MachineId>,
    panes: impl Iterator<Item = (PaneId, Option<&'a str>)> + Clone,
) -> Result<Option<PaneId>, Error> {
    if let Ok(number) = name.parse() {
        let id = machine.map_or(PaneId(number), |machine| machine.here(PaneId(number)));
        if panes.clone().any(|(pane, _)| pane == id) {
            return Ok(Some(id));
        }
    }
    let named = panes.filter(|(_, its)| *its == Some(name));
    let named: Vec<PaneId> = named.map(|(pane, _)| pane).collect();
    match named.as_slice() {
        [] => Ok(None),
        [pane] => Ok(Some(*pane)),
        several => {
            let numbers: Vec<String> = several
                .iter()
                .map(|pane| number_there(*pane).to_string())
                .collect();
            let numbers = numbers.join(", ");
            Err(Error::new(
                Code::BadId,
                format!("several panes are called `{name}`: {numbers}; say which by its number"),
            ))
        }
    }
}
