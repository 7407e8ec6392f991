//! Search: streamed as found, cancelled by the next one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use app::{App, Code, Error, WindowId};
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};
use terminal::{SearchAnswer, SearchProgress, SearchRequest};
use tokio::sync::oneshot;
use transcripts::{TranscriptAnswer, TranscriptPage, TranscriptPlace, TranscriptProgress};

use crate::windows::id_of;

/// The searches under way, by the numbers that each window gave its own; dropping a sender cancels its search.
#[derive(Default)]
pub(crate) struct Searches(Mutex<UnderWay>);

type UnderWay = HashMap<(WindowId, u32), oneshot::Sender<()>>;

/// Searches; what is found comes through `channel`, and the whole answer at the end. See [`App::search_everywhere`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn search(
    window: WebviewWindow,
    app: State<'_, App>,
    searches: State<'_, Searches>,
    id: u32,
    request: SearchRequest,
    channel: Channel<SearchProgress>,
) -> Result<SearchAnswer, Error> {
    let searching = app.search_everywhere(request, move |progress| {
        // A page that went away wants nothing more; the search is cancelled with its window.
        let _ = channel.send(progress);
    });
    searches.run((id_of(&window), id), searching).await
}

/// Searches what agents wrote down, as [`search`] does what panes printed. See [`App::search_transcripts`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn search_transcripts(
    window: WebviewWindow,
    app: State<'_, App>,
    searches: State<'_, Searches>,
    id: u32,
    request: SearchRequest,
    channel: Channel<TranscriptProgress>,
) -> Result<TranscriptAnswer, Error> {
    let searching = app.search_transcripts(request, move |progress| {
        // As above.
        let _ = channel.send(progress);
    });
    searches.run((id_of(&window), id), searching).await
}

/// Reads the messages around a place of a conversation. See [`App::read_transcript`].
#[tauri::command]
#[specta::specta]
pub(crate) async fn read_transcript(
    app: State<'_, App>,
    place: TranscriptPlace,
) -> Result<TranscriptPage, Error> {
    app.read_transcript(place).await
}

/// Ends a search early; what it found so far has been told.
#[tauri::command]
#[specta::specta]
pub(crate) async fn cancel_search(
    window: WebviewWindow,
    searches: State<'_, Searches>,
    id: u32,
) -> Result<(), Error> {
    searches.lock().remove(&(id_of(&window), id));
    Ok(())
}

impl Searches {
    /// Cancels what a window searched for that is closed.
    pub(crate) fn end(&self, window: WindowId) {
        self.lock().retain(|(asked_in, _), _| *asked_in != window);
    }

    /// Searches until there is an answer or the search is cancelled.
    async fn run<Answer>(
        &self,
        id: (WindowId, u32),
        searching: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let (cancel, cancelled) = oneshot::channel();
        self.lock().insert(id, cancel);
        let answer = tokio::select! {
            answer = searching => answer,
            _ = cancelled => Err(Error::new(Code::Refused, "the search was cancelled")),
        };
        self.lock().remove(&id);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}
