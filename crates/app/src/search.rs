//! Search over everything that panes printed, wherever they live, and over what agents wrote down.

use secrets::Secrets;
use terminal::{Order, Scope, SearchAnswer, SearchProgress, SearchRequest};
use transcripts::{
    ReadError, SearchError, Stop, TranscriptAnswer, TranscriptPage, TranscriptPlace,
    TranscriptProgress, TranscriptRequest,
};

use crate::blocking::blocking;
use crate::{App, Code, Error};

/// How the names of variables end whose values nobody shows.
const SECRET: [&str; 4] = ["KEY", "TOKEN", "SECRET", "PASSWORD"];

impl App {
    /// Searches; `found` is told what is found as it is found, and the answer has it all again.
    ///
    /// Dropping the future cancels the search.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`](crate::Code::BadParams), [`Code::BadId`](crate::Code::BadId), [`Code::BadQuery`](crate::Code::BadQuery) with the position of the mistake,
    /// [`Code::HostDown`](crate::Code::HostDown).
    pub async fn search(
        &self,
        request: SearchRequest,
        found: impl FnMut(SearchProgress) + Send,
    ) -> Result<SearchAnswer, Error> {
        if let Scope::Pane { id } = request.scope
            && let Some(machine) = crate::MachineId::of_pane(id)
        {
            return self.search_on(machine, request, found).await;
        }
        Ok(self.0.panes.search(request, found).await?)
    }

    /// Searches what agents wrote down of their conversations, for what a search over panes is asked; nothing is found when the
    /// settings say so. `found` is told what is found as it is found, and the answer has it all again.
    ///
    /// Dropping the future ends the search.
    ///
    /// # Errors
    ///
    /// As [`App::search`]; [`Code::BadParams`] when the request chooses panes by more than time and directory.
    pub async fn search_transcripts(
        &self,
        request: SearchRequest,
        mut found: impl FnMut(TranscriptProgress) + Send + 'static,
    ) -> Result<TranscriptAnswer, Error> {
        let SearchRequest {
            pattern,
            limit,
            regex,
            case,
            whole_word,
            order,
            since,
            before,
            directory,
            scope,
            ..
        } = request;
        if matches!(scope, Scope::Pane { .. }) {
            let message = "bad `scope`: transcripts are of no pane; it must be all of them";
            return Err(Error::new(Code::BadParams, message));
        }
        let places = self.0.paths.transcripts();
        let (true, Some(places)) = (self.settings().search.transcripts, places) else {
            return Ok(TranscriptAnswer::default());
        };
        let request = TranscriptRequest {
            pattern,
            regex,
            case,
            whole_word,
            limit,
            oldest_first: order == Order::OldestFirst,
            since,
            before,
            directory,
        };
        let stop = Stop::default();
        let _ended = Ended(stop.clone());
        blocking(move || {
            let secrets = secrets_of_environment();
            Ok(transcripts::search(
                &places, &request, &secrets, &stop, &mut found,
            )?)
        })
        .await
    }

    /// Reads the messages around a place of a conversation that an agent wrote down, where a search led to or the page before.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such message, file or transcript any more, [`Code::Refused`] when the settings leave transcripts
    /// alone, [`Code::Failed`] when it can't be read.
    pub async fn read_transcript(&self, place: TranscriptPlace) -> Result<TranscriptPage, Error> {
        let (true, Some(places)) = (
            self.settings().search.transcripts,
            self.0.paths.transcripts(),
        ) else {
            let message =
                "what agents wrote down is not read: the setting `search.transcripts` is off";
            return Err(Error::new(Code::Refused, message));
        };
        blocking(move || {
            Ok(transcripts::read(
                &places,
                &place,
                &secrets_of_environment(),
            )?)
        })
        .await
    }
}

/// Stops a search that nobody waits for any more.
struct Ended(Stop);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The values of this process's environment that are no one's to see: agents print them, and write down what they print.
fn secrets_of_environment() -> Secrets {
    let secret = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.to_string_lossy().to_uppercase();
        let secret = SECRET.iter().any(|end| name.ends_with(end));
        secret.then(|| value.into_string().ok())?
    });
    Secrets::new(secret)
}

impl From<SearchError> for Error {
    fn from(error: SearchError) -> Self {
        let (code, position) = match &error {
            SearchError::BadParams { .. } => (Code::BadParams, None),
            SearchError::BadQuery { position, .. } => (Code::BadQuery, Some(*position)),
        };
        Self {
            position,
            ..Self::from_chain(code, &error)
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::NoTranscript(_) | ReadError::NoMessage { .. } => Code::BadId,
            ReadError::Unknown(_) | ReadError::Io { .. } | ReadError::Database { .. } => {
                Code::Failed
            }
        };
        Self::from_chain(code, &error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use terminal::ask::Close;
    use terminal::{OpenPane, Scope};

    use super::*;
    use crate::Code;
    use crate::testing::opened;

    fn request(pattern: &str, regex: bool) -> SearchRequest {
        SearchRequest {
            regex,
            ..SearchRequest::new(pattern, Scope::Live)
        }
    }

    #[tokio::test]
    async fn what_panes_in_this_process_printed_is_found_and_a_mistake_is_pointed_at() {
        let home = tempfile::tempdir().unwrap();
        let app = opened(home.path()).await;
        let print = OpenPane {
            program: Some("/bin/sh".to_owned()),
            args: vec!["-c".to_owned(), "echo a needle; exec cat".to_owned()],
            ..OpenPane::default()
        };
        let pane = app.open_pane(print).await.unwrap();
        let told = Arc::new(Mutex::new(0));
        let answer = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let telling = Arc::clone(&told);
                let found = move |progress| {
                    if let SearchProgress::Found { matches } = progress {
                        *telling.lock().unwrap() += matches.len();
                    }
                };
                let answer = app.search(request("needle", false), found).await.unwrap();
                if answer.total > 0 {
                    break answer;
                }
            }
        });
        let answer = answer.await.unwrap();
        assert_eq!(answer.matches[0].content, "a needle");
        assert_eq!(*told.lock().unwrap(), 1);

        let error = app.search(request("a(b", true), |_| ()).await.unwrap_err();
        assert_eq!((error.code, error.position), (Code::BadQuery, Some(1)));
        app.ask(Close(pane.id)).await.unwrap();
        app.shutdown().await;
    }
}
