//! Other machines: which there are, the link to each, and their panes beside ours.
//!
//! Each machine has a task of its own that hears what happens there and keeps the link; what is asked of it fails at once while
//! the link is lost, so that nobody waits for a machine that hangs.

mod dialler;
mod everywhere;
mod far;
mod file;
mod numbering;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::machines::{Asks, Programs, Stage, Way};
use clock::Clock;
use host::{HostAttachment, HostClient, HostError, HostEvent};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::ask::{Ask, List, Open, SetColours};
use terminal::{
    AttachOptions, Colours, NamesPanes, OpenPane, PaneEvent, PaneId, PaneInfo, SearchAnswer,
    SearchProgress, SearchRequest,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use self::dialler::Dialler;
pub use self::far::serve_pipe;
pub use self::file::MachineWay;
pub use self::numbering::{MachineId, PANES_PER_MACHINE, number_there};
use crate::{App, Code, Error, News, Subject, profiles};
pub use ::machines::Asks as MachineAsks;

/// How soon a link that was lost is tried again, and how long it takes at most from one try to the next.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// One machine, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MachineView {
    /// Which.
    pub id: MachineId,
    /// What it is called.
    pub name: String,
    /// How it is reached, as it would be typed.
    pub way: String,
    /// How the link to it is.
    pub link: MachineLink,
}

/// How the link to a machine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MachineLink {
    /// It was not needed so far.
    Unused,
    /// It is being made for the first time.
    Reaching {
        /// What is being done.
        at: String,
    },
    /// It is there.
    Up,
    /// It was there, and is lost: the programs there go on.
    Lost {
        /// Since when, in milliseconds since 1970.
        #[specta(type = u32)]
        since: u64,
        /// How it was lost, or why it did not come back.
        message: String,
        /// Nothing is tried any more before a person asks for it: somebody has to answer something.
        asks_person: bool,
    },
    /// It did not come about.
    Failed {
        /// Why.
        message: String,
    },
}

/// The machines that are known.
pub(crate) struct Machines {
    programs: Programs,
    known: Mutex<BTreeMap<MachineId, Arc<Machine>>>,
    /// The colours that programs are told.
    colours: Mutex<Option<Colours>>,
    /// What is wrong in their file.
    wrong: Mutex<Vec<String>>,
}

/// One machine.
struct Machine {
    id: MachineId,
    name: String,
    way: Way,
    dialler: Arc<Dialler>,
    client: Mutex<Option<HostClient>>,
    /// Its panes as they were told of last, by the numbers that they have here: while the link is lost, they are still there.
    panes: Mutex<BTreeMap<PaneId, PaneInfo>>,
    link: Arc<watch::Sender<MachineLink>>,
    /// Held while somebody reaches it.
    reaching: tokio::sync::Mutex<()>,
}

impl Machine {
    fn new(name: &str, way: Way, programs: &Programs) -> Arc<Self> {
        let link = Arc::new(watch::Sender::new(MachineLink::Unused));
        let told = Arc::clone(&link);
        let stage = move |at: Stage| {
            told.send_if_modified(|link| match link {
                MachineLink::Reaching { at: before } => {
                    let at = words(at);
                    let other = *before != at;
                    *before = at;
                    other
                }
                _ => false,
            });
        };
        Arc::new(Self {
            id: MachineId::of(name),
            name: name.to_owned(),
            dialler: Arc::new(Dialler::new(name, way.clone(), programs.clone(), stage)),
            way,
            client: Mutex::default(),
            panes: Mutex::default(),
            link,
            reaching: tokio::sync::Mutex::default(),
        })
    }

    fn view(&self) -> MachineView {
        MachineView {
            id: self.id,
            name: self.name.clone(),
            way: self.way.to_string(),
            link: self.link.borrow().clone(),
        }
    }

    /// The connection that there is; an error says why there is none.
    fn client(&self) -> Result<HostClient, Error> {
        let client = self.client.lock().clone();
        if let Some(client) = client.filter(|client| !client.is_down()) {
            return Ok(client);
        }
        let name = &self.name;
        let why = match &*self.link.borrow() {
            MachineLink::Unused => format!("`{name}` was not reached yet"),
            MachineLink::Reaching { at } => format!("`{name}` is being reached: {at}"),
            MachineLink::Up => format!("the link to `{name}` is lost"),
            MachineLink::Lost { message, .. } => {
                format!("the link to `{name}` is lost ({message}); what runs there goes on")
            }
            MachineLink::Failed { message } => format!("`{name}` can't be reached: {message}"),
        };
        Err(Error::new(Code::MachineDown, why))
    }

    /// Notes which panes it has.
    async fn list_panes(&self, client: &HostClient) {
        // It is gone again: then what was known holds.
        let Ok(mut panes) = client.ask(List).await else {
            return;
        };
        numbering::here(self.id, &mut panes);
        *self.panes.lock() = panes.into_iter().map(|pane| (pane.id, pane)).collect();
    }

    /// Notes what happened to its panes.
    fn heard(&self, event: &PaneEvent) {
        let mut panes = self.panes.lock();
        match event {
            PaneEvent::Opened { pane } | PaneEvent::Changed { pane } => {
                panes.insert(pane.id, pane.clone());
            }
            PaneEvent::Closed { id } => drop(panes.remove(id)),
            PaneEvent::Notified { .. }
            | PaneEvent::ClipboardWrite { .. }
            | PaneEvent::Warned { .. }
            | PaneEvent::Lagged => {}
        }
    }

    /// Says what went wrong on this machine, its panes by the numbers that they have there.
    fn failed(&self, error: HostError) -> Error {
        match error {
            HostError::Refused(refusal) => {
                let error = Error::from(refusal);
                Error {
                    message: format!("on `{}`: {}", self.name, error.message),
                    ..error
                }
            }
            HostError::Down { .. } => self
                .client()
                .err()
                .unwrap_or_else(|| Error::new(Code::MachineDown, error.to_string())),
            other => {
                let error = Error::from_chain(Code::MachineDown, &other);
                Error::new(error.code, format!("on `{}`: {}", self.name, error.message))
            }
        }
    }
}

/// The machine of the first pane that is named in what is asked; none: this one is asked.
pub(crate) fn machine_of(said: &mut impl NamesPanes) -> Option<MachineId> {
    let mut machine = None;
    said.panes(&mut |pane| machine = machine.or_else(|| MachineId::of_pane(*pane)));
    machine
}

fn words(stage: Stage) -> String {
    match stage {
        Stage::Reaching => "it is being reached".to_owned(),
        Stage::There => "a shell is there".to_owned(),
        Stage::Sending { sent, size } => {
            format!("our program is being sent, {} %", sent * 100 / size.max(1))
        }
        Stage::Starting => "our program starts".to_owned(),
    }
}

impl Machines {
    pub(crate) fn new(programs: Programs) -> Self {
        Self {
            programs,
            known: Mutex::default(),
            colours: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// Their file can't be used.
    pub(crate) fn is_wrong(&self, message: String) {
        *self.wrong.lock() = vec![message];
    }

    fn find(&self, id: MachineId) -> Option<Arc<Machine>> {
        self.known.lock().get(&id).cloned()
    }

    fn all(&self) -> Vec<Arc<Machine>> {
        let mut all: Vec<_> = self.known.lock().values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

impl App {
    /// Reads `machines.json`: machines that are new in it are known from now on, those that are gone are let go of.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it can't be read; what was known stays.
    pub(crate) fn load_machines(&self) -> Result<(), Error> {
        let (ways, wrong) = file::load(&self.0.paths)?;
        *self.0.machines.wrong.lock() = wrong;
        let mut known = self.0.machines.known.lock();
        known.retain(|_, machine| ways.get(&machine.name) == Some(&machine.way));
        for (name, way) in ways {
            known
                .entry(MachineId::of(&name))
                .or_insert_with(|| Machine::new(&name, way, &self.0.machines.programs));
        }
        drop(known);
        self.emit(News::Machines(self.machines()));
        Ok(())
    }

    /// Applies what a person saved in `machines.json`, and says what is wrong in it.
    pub(crate) fn reload_machines(&self) {
        if let Err(error) = self.load_machines() {
            self.0.machines.is_wrong(error.message);
        }
        let wrong = self.wrong_machines();
        if !wrong.is_empty() {
            let error = Error::new(Code::BadFile, wrong.join("\n"));
            self.emit(News::SettingsRefused(error));
        }
    }

    /// The machines beside this one, by their names.
    pub fn machines(&self) -> Vec<MachineView> {
        self.0.machines.all().iter().map(|it| it.view()).collect()
    }

    /// What is wrong in the file of the machines.
    pub fn wrong_machines(&self) -> Vec<String> {
        self.0.machines.wrong.lock().clone()
    }

    /// The machine of that name.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none; the message names those that there are.
    pub fn machine_named(&self, name: &str) -> Result<MachineId, Error> {
        let all = self.0.machines.all();
        if let Some(machine) = all.iter().find(|machine| machine.name == name) {
            return Ok(machine.id);
        }
        let names: Vec<String> = all.iter().map(|it| format!("`{}`", it.name)).collect();
        let known = if names.is_empty() {
            "`switchyard machines add` adds one".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Err(Error::new(
            Code::BadId,
            format!("there is no machine `{name}`; {known}"),
        ))
    }

    /// What a machine is called.
    pub fn machine_name(&self, machine: MachineId) -> Option<String> {
        self.0.machines.find(machine).map(|it| it.name.clone())
    }

    /// Adds a machine to `machines.json`, or says anew how it is reached. It is not tried.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when the name or the way can't be one, [`Code::BadFile`].
    pub fn add_machine(&self, name: &str, way: &MachineWay) -> Result<MachineView, Error> {
        way.checked(name)
            .map_err(|message| Error::new(Code::BadParams, message))?;
        let id = MachineId::of(name);
        if let Some(other) = self.0.machines.find(id).filter(|it| it.name != name) {
            let message = format!(
                "`{name}` and `{}` can't be told apart by their numbers: choose another name",
                other.name
            );
            return Err(Error::new(Code::BadParams, message));
        }
        file::put(&self.0.paths, name, Some(way))?;
        self.load_machines()?;
        match self.0.machines.find(id) {
            Some(machine) => Ok(machine.view()),
            None => Err(Error::new(Code::BadFile, self.wrong_machines().join("; "))),
        }
    }

    /// Takes a machine out of `machines.json` and lets go of the link. What runs there goes on.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::BadFile`].
    pub fn forget_machine(&self, name: &str) -> Result<(), Error> {
        self.machine_named(name)?;
        file::put(&self.0.paths, name, None)?;
        self.load_machines()
    }

    fn machine(&self, id: MachineId) -> Result<Arc<Machine>, Error> {
        self.0.machines.find(id).ok_or_else(|| {
            Error::new(
                Code::BadId,
                "the machine of this pane is not known any more: it was taken out of `machines.json`",
            )
        })
    }

    /// Makes the link to a machine, if there is none; `asks` says who is asked for passwords and the like.
    ///
    /// # Errors
    ///
    /// [`Code::MachineDown`] when it may come about later, [`Code::MachineRefused`] when a person has to do something before,
    /// [`Code::HostVersion`].
    pub async fn reach_machine(&self, id: MachineId, asks: Asks) -> Result<(), Error> {
        let machine = self.machine(id)?;
        let _one_at_a_time = machine.reaching.lock().await;
        if machine.client().is_ok() {
            return Ok(());
        }
        machine.dialler.ask(asks);
        let former = machine.client.lock().clone();
        let made = match &former {
            // Its task hears that it is there again.
            Some(client) => client.reconnect().await,
            None => {
                let at = words(Stage::Reaching);
                self.link_is(&machine, MachineLink::Reaching { at });
                let dialler = Arc::clone(&machine.dialler);
                match HostClient::connect_through(dialler).await {
                    Ok(client) => {
                        *machine.client.lock() = Some(client.clone());
                        self.follow_machine(&machine, &client);
                        self.arrived(&machine, &client).await;
                        self.link_is(&machine, MachineLink::Up);
                        self.emit(News::Missed(Subject::Panes));
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        };
        machine.dialler.ask(Asks::Nobody);
        made.map_err(|error| {
            let error = machine
                .dialler
                .failed()
                .unwrap_or_else(|| Error::from(error));
            if former.is_none() {
                let message = error.message.clone();
                self.link_is(&machine, MachineLink::Failed { message });
            }
            error
        })
    }

    /// A host is there, or there again: it may be another one than before.
    async fn arrived(&self, machine: &Machine, client: &HostClient) {
        let colours = *self.0.machines.colours.lock();
        if let Some(colours) = colours {
            let _ = client.tell(SetColours(colours));
        }
        machine.list_panes(client).await;
    }

    fn link_is(&self, machine: &Machine, link: MachineLink) {
        machine.link.send_replace(link);
        self.emit(News::Machines(self.machines()));
    }

    /// Carries what happens on a machine to the readers of [`App::news`], and keeps the link.
    fn follow_machine(&self, machine: &Arc<Machine>, client: &HostClient) {
        let (app, weak) = (Arc::downgrade(&self.0), Arc::downgrade(machine));
        let mut events = client.events();
        let (id, client) = (machine.id, client.clone());
        self.spawn(async move {
            loop {
                let event = match events.recv().await {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_)) => HostEvent::Pane(PaneEvent::Lagged),
                    Err(RecvError::Closed) => break,
                };
                // Forgotten: nobody is to hear of it.
                let (Some(inner), Some(machine)) = (app.upgrade(), weak.upgrade()) else {
                    break;
                };
                let app = App(inner);
                match event {
                    HostEvent::Pane(PaneEvent::Lagged) => {
                        machine.list_panes(&client).await;
                        app.emit(News::Missed(Subject::Panes));
                    }
                    HostEvent::Pane(mut event) => {
                        numbering::here(id, &mut event);
                        machine.heard(&event);
                        app.emit(News::Pane(event));
                    }
                    HostEvent::Up { .. } => {
                        app.arrived(&machine, &client).await;
                        app.link_is(&machine, MachineLink::Up);
                        app.emit(News::Missed(Subject::Panes));
                    }
                    HostEvent::Down { message } => {
                        app.lost(&machine, message);
                        app.spawn_reach_again(&machine);
                    }
                }
            }
        });
    }

    fn lost(&self, machine: &Machine, message: String) {
        let since = Clock::system().now_ms();
        let asks_person = false;
        self.link_is(
            machine,
            MachineLink::Lost {
                since,
                message,
                asks_person,
            },
        );
    }

    /// Tries to reach a machine again, less and less often, until it answers, is forgotten, or a person is needed. Nobody is
    /// asked anything.
    fn spawn_reach_again(&self, machine: &Arc<Machine>) {
        let (app, weak) = (Arc::downgrade(&self.0), Arc::downgrade(machine));
        self.spawn(async move {
            let mut pause = TRY_AGAIN.0;
            loop {
                {
                    let (Some(inner), Some(machine)) = (app.upgrade(), weak.upgrade()) else {
                        return;
                    };
                    let app = App(inner);
                    match app.reach_machine(machine.id, Asks::Nobody).await {
                        Ok(()) => return,
                        Err(error) => {
                            let asks = error.code == Code::MachineRefused;
                            app.still_lost(&machine, error.message, asks);
                            if asks {
                                return;
                            }
                        }
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(TRY_AGAIN.1);
            }
        });
    }

    fn still_lost(&self, machine: &Machine, why: String, asks: bool) {
        let link = match &*machine.link.borrow() {
            MachineLink::Lost { since, .. } => MachineLink::Lost {
                since: *since,
                message: why,
                asks_person: asks,
            },
            _ => return,
        };
        self.link_is(machine, link);
    }

    /// Asks a machine about its panes, which have the numbers here that [`MachineId::here`] gives them.
    ///
    /// # Errors
    ///
    /// As [`App::ask`]; [`Code::MachineDown`] at once while there is no link.
    pub async fn ask_on<A: Ask>(
        &self,
        machine: MachineId,
        mut question: A,
    ) -> Result<A::Answer, Error> {
        let machine = self.machine(machine)?;
        numbering::there(&mut question)?;
        let answer = machine.client()?.ask(question).await;
        let mut answer = answer.map_err(|error| machine.failed(error))?;
        numbering::here(machine.id, &mut answer);
        Ok(answer)
    }

    /// Tells a machine something of which nothing comes back.
    pub(crate) fn tell_on(
        &self,
        machine: MachineId,
        mut question: impl Ask<Answer = ()>,
    ) -> Result<(), Error> {
        let machine = self.machine(machine)?;
        numbering::there(&mut question)?;
        let told = machine.client()?.tell(question);
        told.map_err(|error| machine.failed(error))
    }

    /// Opens a pane on a machine, in the environment that comes with ssh there; what is not said comes from its profile.
    ///
    /// # Errors
    ///
    /// As [`App::open_pane`]; [`Code::MachineDown`].
    pub async fn open_pane_on(
        &self,
        machine: MachineId,
        mut request: OpenPane,
    ) -> Result<PaneInfo, Error> {
        let about = self.machine(machine)?.dialler.about();
        let settings = self.settings();
        let home = about.home.clone().unwrap_or_default();
        profiles::complete(&mut request, &settings, home.as_ref())?;
        request.scrollback_lines = request.scrollback_lines.or(Some(settings.scrollback_lines));
        request.no_shell_integration |= !settings.shell_integration;
        request.private |= settings.history.keep_days == 0;
        request.cwd = request.cwd.or_else(|| about.home.clone());
        request.environment = about.environment.clone();
        self.ask_on(machine, Open(request)).await
    }

    /// Shows a pane of a machine.
    pub(crate) async fn attach_pane_on(
        &self,
        machine: MachineId,
        pane: PaneId,
        options: AttachOptions,
    ) -> Result<HostAttachment, Error> {
        let machine = self.machine(machine)?;
        let attached = machine.client()?.attach(number_there(pane), options).await;
        attached.map_err(|error| machine.failed(error))
    }

    /// Searches the panes of a machine, there; only what is found travels.
    ///
    /// # Errors
    ///
    /// As [`App::search`]; [`Code::MachineDown`].
    pub async fn search_on(
        &self,
        machine: MachineId,
        mut request: SearchRequest,
        mut found: impl FnMut(SearchProgress) + Send,
    ) -> Result<SearchAnswer, Error> {
        let machine = self.machine(machine)?;
        numbering::there(&mut request)?;
        let told = |mut progress: SearchProgress| {
            numbering::here(machine.id, &mut progress);
            found(progress);
        };
        let answer = machine.client()?.search(request, told).await;
        let mut answer = answer.map_err(|error| machine.failed(error))?;
        numbering::here(machine.id, &mut answer);
        Ok(answer)
    }
}
