//! Search over everything that panes printed, wherever they live.

use terminal::{SearchAnswer, SearchProgress, SearchRequest};

use crate::{App, Error};

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
        Ok(self.0.panes.search(request, found).await?)
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
