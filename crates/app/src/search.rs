//! Search over everything that panes printed, wherever they live.

use host::Refusal;
use terminal::{Cancel, SearchAnswer, SearchProgress, SearchRequest};

use crate::panes::PaneHost;
use crate::{App, Code, Error};

impl App {
    /// Searches; `found` is told what is found as it is found, and the answer has it all again.
    ///
    /// Dropping the future cancels the search.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`], [`Code::BadId`], [`Code::BadQuery`] with the position of the mistake,
    /// [`Code::HostDown`].
    pub async fn search(
        &self,
        request: SearchRequest,
        mut found: impl FnMut(SearchProgress) + Send + 'static,
    ) -> Result<SearchAnswer, Error> {
        let panes = match &self.0.panes {
            PaneHost::Detached(client) => return Ok(client.search(request, found).await?),
            PaneHost::InProcess(panes) => panes.clone(),
        };
        let cancel = CancelOnDrop(Cancel::default());
        let cancelled = cancel.0.clone();
        let search = move || panes.search(&request, &cancelled, &mut found);
        match tokio::task::spawn_blocking(search).await {
            Ok(answer) => Ok(answer.map_err(Refusal::from)?),
            Err(error) => Err(Error::new(Code::Failed, error.to_string())),
        }
    }
}

/// Stops a search that nobody waits for any more; one that is over does not mind.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use terminal::{Case, OpenPane, Order, Scope};

    use super::*;
    use crate::{AppConfig, HostMode, Paths};

    fn request(pattern: &str, regex: bool) -> SearchRequest {
        SearchRequest {
            pattern: pattern.to_owned(),
            limit: 50,
            context: 0,
            regex,
            case: Case::default(),
            whole_word: false,
            scope: Scope::Live,
            order: Order::default(),
            cursor: None,
            ring_only: false,
            lines: None,
        }
    }

    #[tokio::test]
    async fn what_panes_in_this_process_printed_is_found_and_a_mistake_is_pointed_at() {
        let home = tempfile::tempdir().unwrap();
        let config = AppConfig {
            paths: Paths::below(home.path()),
            host: HostMode::InProcess,
        };
        let app = App::start(config).await.unwrap();
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
        app.close_pane(pane.id).await.unwrap();
        app.shutdown().await;
    }
}
