//! Search: streamed as found, cancelled by the next one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use app::{App, Code, Error};
use tauri::State;
use tauri::ipc::Channel;
use terminal::{SearchAnswer, SearchProgress, SearchRequest};
use tokio::sync::oneshot;

/// The searches under way in this window; dropping a sender cancels its search.
#[derive(Default)]
pub(crate) struct Searches(Mutex<HashMap<u32, oneshot::Sender<()>>>);

/// Searches; what is found comes through `channel`, and the whole answer at the end. See [`App::search`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn search(
    app: State<'_, App>,
    searches: State<'_, Searches>,
    id: u32,
    request: SearchRequest,
    channel: Channel<SearchProgress>,
) -> Result<SearchAnswer, Error> {
    let (cancel, cancelled) = oneshot::channel();
    searches.lock().insert(id, cancel);
    let searching = app.search(request, move |progress| {
        // A page that went away wants nothing more; the search is cancelled with its window.
        let _ = channel.send(progress);
    });
    let answer = tokio::select! {
        answer = searching => answer,
        _ = cancelled => Err(Error::new(Code::Refused, "the search was cancelled")),
    };
    searches.lock().remove(&id);
    answer
}

/// Ends a search early; what it found so far has been told.
#[tauri::command]
#[specta::specta]
pub(crate) async fn cancel_search(searches: State<'_, Searches>, id: u32) -> Result<(), Error> {
    searches.lock().remove(&id);
    Ok(())
}

impl Searches {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}
