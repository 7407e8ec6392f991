//! What is asked of all machines at once: each is asked there, at the same time, and one that does not answer is named.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use terminal::ask::{List, SetColours};
use terminal::{
    Colours, PaneInfo, Scope, SearchAnswer, SearchCursor, SearchProgress, SearchRequest,
};
use tokio::time::timeout;

use super::{Machine, MachineId};
use crate::{App, Code, Error};

/// How long a machine may search before it is named as one that has not answered.
const PATIENCE: Duration = Duration::from_secs(15);

impl App {
    /// Every open pane, of this machine and of the others; of one whose link is lost, those that are known of.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`] when the pane host of this machine can't be reached.
    pub async fn panes_everywhere(&self) -> Result<Vec<PaneInfo>, Error> {
        let mut panes = self.ask(List).await?;
        for machine in self.0.machines.all() {
            panes.extend(machine.panes.lock().values().cloned());
        }
        Ok(panes)
    }

    /// Sets the colours that programs are told when they ask, on all machines; on those that are reached later, too.
    ///
    /// # Errors
    ///
    /// When this machine's pane host can't be told.
    pub async fn set_colours(&self, colours: Colours) -> Result<(), Error> {
        *self.0.machines.colours.lock() = Some(colours);
        for machine in self.0.machines.all() {
            // Lost: it is told when it is there again.
            let _ = self.tell_on(machine.id, SetColours(colours));
        }
        self.ask(SetColours(colours)).await
    }

    /// Searches here and on every machine that was reached, at once; what the nearest finds is told first. A machine that does
    /// not answer is named in the answer's reason.
    ///
    /// Dropping the future ends the search everywhere.
    ///
    /// # Errors
    ///
    /// As [`App::search`], for what is wrong with the request and for this machine.
    pub async fn search_everywhere(
        &self,
        request: SearchRequest,
        found: impl FnMut(SearchProgress) + Send,
    ) -> Result<SearchAnswer, Error> {
        let machines: Vec<_> = self.0.machines.all();
        let machines: Vec<_> = machines.into_iter().filter(|it| it.was_reached()).collect();
        if matches!(request.scope, Scope::Pane { .. }) {
            return self.search(request, found).await;
        }
        let cursors = Cursors::of(&request)?;
        let found = Arc::new(Mutex::new((found, Counts::default())));
        let told = |at: Option<MachineId>| {
            let found = Arc::clone(&found);
            move |progress| {
                let (found, counts) = &mut *found.lock();
                found(counts.summed(at, progress));
            }
        };
        let ours = async {
            match cursors.here(&request, None) {
                Some(request) => self.search(request, told(None)).await.map(Some),
                None => Ok(None),
            }
        };
        let theirs = machines.iter().map(|machine| {
            let request = cursors.here(&request, Some(machine.id));
            let told = told(Some(machine.id));
            async move {
                let request = request?;
                let searching = self.search_on(machine.id, request, told);
                Some(match timeout(PATIENCE, searching).await {
                    Ok(answer) => answer,
                    Err(_) => Err(Error::new(
                        Code::MachineDown,
                        format!("`{}` has not answered", machine.name),
                    )),
                })
            }
        });
        let (ours, theirs) = tokio::join!(ours, join_all(theirs));
        let mut all = Answers::default();
        if let Some(ours) = ours? {
            all.add(None, ours);
        }
        for (machine, answer) in machines.iter().zip(theirs) {
            match answer {
                None => {}
                Some(Ok(answer)) => all.add(Some(machine.id), answer),
                Some(Err(error)) => all.left_out(error.message),
            }
        }
        Ok(all.whole())
    }
}

impl Machine {
    /// Whether there was a link, be it lost by now.
    fn was_reached(&self) -> bool {
        self.client.lock().is_some()
    }
}

/// Where the search goes on, on each machine that has more; by their numbers, nought for this one.
struct Cursors(Option<BTreeMap<u32, SearchCursor>>);

impl Cursors {
    fn of(request: &SearchRequest) -> Result<Self, Error> {
        let Some(cursor) = &request.cursor else {
            return Ok(Self(None));
        };
        let cursors = serde_json::from_str(&cursor.0).map_err(|_| {
            Error::new(
                Code::BadParams,
                "bad `cursor`: it must come from the answer to the same search",
            )
        })?;
        Ok(Self(Some(cursors)))
    }

    /// What is asked there; none: nothing more.
    fn here(&self, request: &SearchRequest, machine: Option<MachineId>) -> Option<SearchRequest> {
        let cursor = match &self.0 {
            None => None,
            Some(cursors) => Some(cursors.get(&machine.map_or(0, |it| it.0))?.clone()),
        };
        Some(SearchRequest {
            cursor,
            ..request.clone()
        })
    }
}

/// How much was found so far, everywhere.
#[derive(Default)]
struct Counts(BTreeMap<Option<MachineId>, (u64, u32)>);

impl Counts {
    fn summed(&mut self, at: Option<MachineId>, progress: SearchProgress) -> SearchProgress {
        match progress {
            SearchProgress::Count { total, panes } => {
                self.0.insert(at, (total, panes));
                let sum = |a: (u64, u32), b: &(u64, u32)| (a.0 + b.0, a.1 + b.1);
                let (total, panes) = self.0.values().fold((0, 0), sum);
                SearchProgress::Count { total, panes }
            }
            found => found,
        }
    }
}

/// The answers of all machines as one.
#[derive(Default)]
struct Answers {
    sum: SearchAnswer,
    reasons: Vec<String>,
    cursors: BTreeMap<u32, SearchCursor>,
}

impl Answers {
    fn add(&mut self, machine: Option<MachineId>, answer: SearchAnswer) {
        self.sum.matches.extend(answer.matches);
        self.sum.total += answer.total;
        self.sum.panes += answer.panes;
        self.sum.truncated |= answer.truncated;
        self.reasons.extend(answer.reason);
        if let Some(cursor) = answer.cursor {
            let number = machine.map_or(0, |machine| machine.0);
            self.cursors.insert(number, cursor);
        }
    }

    fn left_out(&mut self, why: String) {
        self.sum.truncated = true;
        self.reasons.push(why);
    }

    fn whole(mut self) -> SearchAnswer {
        self.reasons.dedup();
        self.sum.reason = (!self.reasons.is_empty()).then(|| self.reasons.join("; "));
        self.sum.cursor = (!self.cursors.is_empty())
            .then(|| serde_json::to_string(&self.cursors).ok())
            .flatten()
            .map(SearchCursor);
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terminal::Order;

    #[test]
    fn a_search_goes_on_where_there_is_more_and_nowhere_else() {
        let build = MachineId::of("build");
        let mut answers = Answers::default();
        answers.add(None, SearchAnswer::default());
        answers.add(
            Some(build),
            SearchAnswer {
                total: 3,
                cursor: Some(SearchCursor("there".to_owned())),
                ..SearchAnswer::default()
            },
        );
        answers.left_out("`gpu` has not answered".to_owned());
        let whole = answers.whole();
        assert_eq!(whole.reason.as_deref(), Some("`gpu` has not answered"));
        let mut request = SearchRequest::new("x", Scope::All);
        request.order = Order::OldestFirst;
        request.cursor = whole.cursor;
        let cursors = Cursors::of(&request).expect("it is ours");
        assert_eq!(cursors.here(&request, None), None);
        let there = cursors.here(&request, Some(build)).expect("it has more");
        assert_eq!(there.cursor, Some(SearchCursor("there".to_owned())));
    }

    #[test]
    fn what_is_found_on_several_machines_is_counted_together() {
        let mut counts = Counts::default();
        let count = |total, panes| SearchProgress::Count { total, panes };
        let build = Some(MachineId::of("build"));
        assert_eq!(counts.summed(None, count(1, 1)), count(1, 1));
        assert_eq!(counts.summed(build, count(5, 2)), count(6, 3));
        assert_eq!(counts.summed(None, count(2, 1)), count(7, 3));
    }
}
