//! What a person or a program calls a pane: its number, or the name that it was given.

use terminal::PaneId;
use terminal::ask::{Closed, List};

use crate::{App, Code, Error};

impl App {
    /// Finds the open pane that is meant by its number or its name. A number names the pane of that number, whatever
    /// others are called.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none, or several have the name; [`Code::HostDown`].
    pub async fn find_pane(&self, name: &str) -> Result<PaneId, Error> {
        let panes = self.ask(List).await?;
        let named = panes.iter().map(|pane| (pane.id, pane.name.as_deref()));
        among(name, named)?.ok_or_else(|| unknown(name))
    }

    /// Finds the pane that is meant, be it open or only in history.
    ///
    /// # Errors
    ///
    /// As [`App::find_pane`].
    pub async fn find_pane_also_closed(&self, name: &str) -> Result<PaneId, Error> {
        match self.find_pane(name).await {
            Err(error) if error == unknown(name) => {}
            found => return found,
        }
        let closed = self.ask(Closed).await?;
        let named = closed.iter().map(|pane| (pane.id, pane.name.as_deref()));
        among(name, named)?.ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Error {
    let message = format!("there is no pane `{name}`: `switchyard panes` lists them");
    Error::new(Code::BadId, message)
}

fn among<'a>(
    name: &str,
    panes: impl Iterator<Item = (PaneId, Option<&'a str>)> + Clone,
) -> Result<Option<PaneId>, Error> {
    if let Ok(number) = name.parse() {
        let id = PaneId(number);
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
            let numbers: Vec<String> = several.iter().map(PaneId::to_string).collect();
            let numbers = numbers.join(", ");
            Err(Error::new(
                Code::BadId,
                format!("several panes are called `{name}`: {numbers}; say which by its number"),
            ))
        }
    }
}
