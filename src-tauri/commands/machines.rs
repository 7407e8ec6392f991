//! Other machines: which there are, reaching one, and panes there.

use app::{App, Error, MachineAsks, MachineId, MachineView};
use tauri::State;
use terminal::{OpenPane, PaneInfo};

/// Lists the machines beside this one. See [`App::machines`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_machines(app: State<'_, App>) -> Result<Vec<MachineView>, Error> {
    Ok(app.machines())
}

/// Makes the link to a machine, if there is none. See [`App::reach_machine`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn reach_machine(app: State<'_, App>, machine: MachineId) -> Result<(), Error> {
    app.reach_machine(machine, MachineAsks::Nobody).await
}

/// Opens a pane on a machine. See [`App::open_pane_on`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_pane_on(
    app: State<'_, App>,
    machine: MachineId,
    request: OpenPane,
) -> Result<PaneInfo, Error> {
    app.open_pane_on(machine, request).await
}
