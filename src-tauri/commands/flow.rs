//! Flows: runs and their graphs, one step in full, what a person may do with a run, the files of flows.

use std::collections::HashMap;
use std::sync::Mutex;

use app::{
    App, CancelWhat, Error, ExportTo, FlowCheck, FlowFile, Mark, OutputLines, OutputPlace,
    StepDetail, WindowId,
};
use flow::{FlowGraph, Given, RunInfo, RunView, Simulation, Stubs};
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::windows::id_of;

type Inputs = serde_json::Map<String, serde_json::Value>;

/// The files that windows follow, by the numbers that each window gave its own.
#[derive(Default)]
pub(crate) struct FollowedFiles(Mutex<HashMap<(WindowId, u32), JoinHandle<()>>>);

/// Lists runs, newest first. See [`App::list_runs`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_runs(app: State<'_, App>) -> Result<Vec<RunInfo>, Error> {
    app.list_runs().await
}

/// The picture of a run's flow. See [`App::run_graph`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn run_graph(app: State<'_, App>, run: String) -> Result<FlowGraph, Error> {
    app.run_graph(&run).await
}

/// A run without what may be long. See [`App::run_outline`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn run_outline(app: State<'_, App>, run: String) -> Result<RunView, Error> {
    app.run_outline(&run).await
}

/// The text of a run's flow. See [`App::run_text`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn run_text(app: State<'_, App>, run: String) -> Result<String, Error> {
    app.run_text(&run).await
}

/// One step in full. See [`App::run_step`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn run_step(
    app: State<'_, App>,
    run: String,
    step: String,
) -> Result<StepDetail, Error> {
    app.run_step(&run, &step).await
}

/// Lines that an attempt printed. See [`App::step_lines`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn step_lines(
    app: State<'_, App>,
    run: String,
    step: String,
    attempt: u32,
    from: OutputPlace,
) -> Result<OutputLines, Error> {
    app.step_lines(&run, &step, attempt, from).await
}

/// Starts a run of a flow's file, in the directory of the file unless told otherwise. See [`App::start_flow`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn start_flow(
    app: State<'_, App>,
    path: String,
    inputs: Inputs,
    cwd: Option<String>,
) -> Result<String, Error> {
    let cwd = cwd.unwrap_or_else(|| {
        std::path::Path::new(&path)
            .parent()
            .map(|directory| directory.display().to_string())
            .unwrap_or_default()
    });
    app.start_flow(&path, inputs, cwd).await
}

/// Ends a run or a part of it. See [`App::cancel_run`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn cancel_run(
    app: State<'_, App>,
    run: String,
    what: CancelWhat,
) -> Result<(), Error> {
    app.cancel_run(&run, what).await
}

/// Goes on with a run. See [`App::resume_run`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn resume_run(app: State<'_, App>, run: String) -> Result<(), Error> {
    app.resume_run(&run).await
}

/// Begins what failed anew. See [`App::retry_failed`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn retry_failed(app: State<'_, App>, run: String) -> Result<(), Error> {
    app.retry_failed(&run).await
}

/// Begins a step anew. See [`App::rerun_from`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn rerun_from(
    app: State<'_, App>,
    run: String,
    step: String,
) -> Result<(), Error> {
    app.rerun_from(&run, &step).await
}

/// Says what a step is. See [`App::mark_step`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn mark_step(
    app: State<'_, App>,
    run: String,
    step: String,
    mark: Mark,
) -> Result<(), Error> {
    app.mark_step(&run, &step, mark).await
}

/// Answers a step that asks. See [`App::answer_approval`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn answer_approval(
    app: State<'_, App>,
    run: String,
    step: String,
    given: Given,
) -> Result<(), Error> {
    app.answer_approval(&run, &step, given).await
}

/// The picture of a run's flow as text. See [`App::export_run`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn export_run(
    app: State<'_, App>,
    run: String,
    to: ExportTo,
) -> Result<String, Error> {
    app.export_run(&run, to).await
}

/// Looks for flows' files. See [`App::flow_files`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn flow_files(
    app: State<'_, App>,
    directories: Vec<String>,
) -> Result<Vec<FlowFile>, Error> {
    Ok(app.flow_files(directories).await)
}

/// Writes the sample flows. See [`App::write_samples`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn write_samples(app: State<'_, App>) -> Result<String, Error> {
    app.write_samples().await
}

/// The text of a flow's file. See [`App::read_flow`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn read_flow(app: State<'_, App>, path: String) -> Result<String, Error> {
    app.read_flow(&path).await
}

/// Writes the text of a flow's file. See [`App::write_flow`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn write_flow(
    app: State<'_, App>,
    path: String,
    text: String,
    expected: String,
) -> Result<(), Error> {
    app.write_flow(&path, &text, &expected).await
}

/// Tells the text of a flow's file through `channel` whenever it changes, until [`unfollow_flow`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn follow_flow(
    window: WebviewWindow,
    app: State<'_, App>,
    followed: State<'_, FollowedFiles>,
    id: u32,
    path: String,
    channel: Channel<String>,
) -> Result<(), Error> {
    let mut file = app.follow_flow_file(&path).await?;
    let task = tauri::async_runtime::spawn(async move {
        while let Some(text) = file.changed().await {
            if channel.send(text).is_err() {
                break;
            }
        }
    });
    followed.keep((id_of(&window), id), Some(task));
    Ok(())
}

/// Ends what [`follow_flow`] began.
#[tauri::command]
#[specta::specta]
pub(crate) async fn unfollow_flow(
    window: WebviewWindow,
    followed: State<'_, FollowedFiles>,
    id: u32,
) -> Result<(), Error> {
    followed.keep((id_of(&window), id), None);
    Ok(())
}

/// Looks at the text of a flow. See [`app::check_flow_text`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn check_flow(text: String) -> Result<FlowCheck, Error> {
    Ok(app::check_flow_text(&text))
}

/// Runs the text of a flow with nothing of the outside world. See [`app::simulate_flow_text`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn simulate_flow(text: String, stubs: Stubs) -> Result<Simulation, Error> {
    app::simulate_flow_text(&text, &stubs)
}

/// Saves a picture that the person asked to save; returns where. See [`App::save_file`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn save_picture(
    app: State<'_, App>,
    name: String,
    bytes: Vec<u8>,
) -> Result<String, Error> {
    app.save_file(&name, bytes).await
}

impl FollowedFiles {
    /// Ends what a window follows that is closed.
    pub(crate) fn end(&self, window: WindowId) {
        let mut files = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        files.retain(|(followed_in, _), task| {
            let goes_on = *followed_in != window;
            if !goes_on {
                task.abort();
            }
            goes_on
        });
    }

    fn keep(&self, id: (WindowId, u32), task: Option<JoinHandle<()>>) {
        let mut files = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        let before = match task {
            Some(task) => files.insert(id, task),
            None => files.remove(&id),
        };
        if let Some(task) = before {
            task.abort();
        }
    }
}
