//! Panes: open, write, resize, attach, read, close.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use app::{AckHandle, App, Code, Error, WindowId};
use serde::Deserialize;
use specta::Type;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};
use terminal::ask::{
    Close, Closed, Image, Marks, Output, Read, Rename, Resize, Seen, SetCell, Write,
};
use terminal::{
    AttachOptions, CellSize, ClosedPane, Colours, CommandMark, CommandOutput, Line, LineId,
    OpenPane, PaneId, PaneInfo, PaneSize, PlacedImage, ReadLines,
};

use crate::events::PaneBytes;
use crate::windows::id_of;

/// Opens a pane. See [`App::open_pane`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn open_pane(app: State<'_, App>, request: OpenPane) -> Result<PaneInfo, Error> {
    app.open_pane(request).await
}

/// Lists the panes that are open, on all machines. See [`App::panes_everywhere`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn list_panes(app: State<'_, App>) -> Result<Vec<PaneInfo>, Error> {
    app.panes_everywhere().await
}

/// Closes a pane and ends its programs. See [`Close`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn close_pane(app: State<'_, App>, pane: PaneId) -> Result<(), Error> {
    app.ask(Close(pane)).await
}

/// Gives a pane a name, or takes it away. See [`Rename`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn rename_pane(
    app: State<'_, App>,
    pane: PaneId,
    name: Option<String>,
) -> Result<(), Error> {
    app.ask(Rename { pane, name }).await
}

/// The image of which the page has found a tile in a pane; none: it is forgotten. See [`Image`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn pane_image(
    app: State<'_, App>,
    pane: PaneId,
    image: u32,
) -> Result<Option<PlacedImage>, Error> {
    app.ask(Image { pane, image }).await
}

/// Gives a pane another size. See [`Resize`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn resize_pane(
    app: State<'_, App>,
    pane: PaneId,
    size: PaneSize,
) -> Result<(), Error> {
    app.ask(Resize { pane, size }).await
}

/// Tells a pane how large its cells are drawn. See [`SetCell`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_cell(
    app: State<'_, App>,
    pane: PaneId,
    cell: CellSize,
) -> Result<(), Error> {
    app.ask(SetCell { pane, cell }).await
}

// Not `async`, so that it is done where the page's messages arrive, one after another: keys keep their order.
/// Types into a pane, and does not wait for it: a refusal is told of as a warning. See [`Write`].
#[tauri::command]
#[specta::specta]
pub(crate) fn write_pane(app: State<'_, App>, pane: PaneId, data: String) -> Result<(), Error> {
    let bytes = data.into_bytes();
    app.tell(Write { pane, bytes })
}

/// Says that the person looks at a pane. See [`Seen`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn seen_pane(app: State<'_, App>, pane: PaneId) -> Result<(), Error> {
    app.ask(Seen(pane)).await
}

/// The views of all windows: each has a task that carries frames, and a handle for what was parsed.
#[derive(Default)]
pub(crate) struct Views {
    next: AtomicU32,
    open: Mutex<HashMap<u32, View>>,
}

struct View {
    window: WindowId,
    acks: AckHandle,
    carrier: JoinHandle<()>,
}

impl Views {
    /// Ends the views of a window that is closed.
    pub(crate) fn end(&self, window: WindowId) {
        let mut open = self.open.lock().unwrap_or_else(|lock| lock.into_inner());
        open.retain(|_, view| view.window != window);
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// How much of a pane a view wants to begin with.
#[derive(Debug, Deserialize, Type)]
pub(crate) struct ViewOptions {
    /// How many lines of scrollback the snapshot brings.
    scrollback_rows: u32,
}

/// Attaches a view to a pane: a snapshot, then what it prints, as frames of bytes through `channel`.
/// Returns the view's number for [`ack_pane`] and [`detach_pane`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn attach_pane(
    window: WebviewWindow,
    app: State<'_, App>,
    views: State<'_, Views>,
    pane: PaneId,
    options: ViewOptions,
    channel: Channel<PaneBytes>,
) -> Result<u32, Error> {
    let options = AttachOptions {
        scrollback_rows: options.scrollback_rows,
        ..AttachOptions::default()
    };
    let mut stream = app.attach_pane(pane, options).await?;
    let acks = stream.ack_handle();
    let carrier = tauri::async_runtime::spawn(async move {
        while let Some(frame) = stream.next_encoded().await {
            if channel.send(PaneBytes(frame)).is_err() {
                break;
            }
        }
    });
    let view = views.next.fetch_add(1, Ordering::Relaxed);
    let mut open = views.open.lock().unwrap_or_else(|lock| lock.into_inner());
    let window = id_of(&window);
    open.insert(
        view,
        View {
            window,
            acks,
            carrier,
        },
    );
    Ok(view)
}

/// Says how many bytes of payload a view has parsed.
#[tauri::command]
#[specta::specta]
pub(crate) async fn ack_pane(
    views: State<'_, Views>,
    attachment: u32,
    bytes: u32,
) -> Result<(), Error> {
    let open = views.open.lock().unwrap_or_else(|lock| lock.into_inner());
    // A view that was just detached may still have an answer under way.
    if let Some(view) = open.get(&attachment) {
        view.acks.ack(u64::from(bytes));
    }
    Ok(())
}

/// Ends a view; the pane goes on.
#[tauri::command]
#[specta::specta]
pub(crate) async fn detach_pane(views: State<'_, Views>, attachment: u32) -> Result<(), Error> {
    let mut open = views.open.lock().unwrap_or_else(|lock| lock.into_inner());
    open.remove(&attachment).map(drop).ok_or_else(|| {
        Error::new(
            Code::BadId,
            format!("there is no attachment `{attachment}`"),
        )
    })
}

/// Reads lines of a pane, also of a closed one. See [`Read`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn read_lines(
    app: State<'_, App>,
    pane: PaneId,
    lines: ReadLines,
) -> Result<Vec<Line>, Error> {
    app.ask(Read { pane, lines }).await
}

/// Lists the commands that the shell of a pane marked. See [`Marks`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn pane_marks(
    app: State<'_, App>,
    pane: PaneId,
) -> Result<Vec<CommandMark>, Error> {
    app.ask(Marks(pane)).await
}

/// Tells what a command printed; nothing when no command is marked there any more. See [`Output`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn command_output(
    app: State<'_, App>,
    pane: PaneId,
    prompt: LineId,
) -> Result<Option<CommandOutput>, Error> {
    app.ask(Output { pane, prompt }).await
}

/// Sets what programs are told when they ask for the colours of their terminal. See [`App::set_colours`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn set_colours(app: State<'_, App>, colours: Colours) -> Result<(), Error> {
    app.set_colours(colours).await
}

/// Lists the panes that only live in history. See [`Closed`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn closed_panes(app: State<'_, App>) -> Result<Vec<ClosedPane>, Error> {
    app.ask(Closed).await
}

/// Removes history from disk, of one pane or of all. See [`App::purge_history`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn purge_history(app: State<'_, App>, pane: Option<PaneId>) -> Result<(), Error> {
    app.purge_history(pane).await
}
