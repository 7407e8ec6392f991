//! A host that serves in this process, and raw connections to it.

use std::path::Path;
use std::time::Duration;

use host::{Host, HostClient, HostEvent, HostOptions, HostPaths, PANES, ServeError};
use serde_json::{Value, json};
use terminal::{Frame, OpenPane, PaneEvent, PaneId, PaneInfo, PaneState, Panes, PanesConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

/// Far more than anything here takes; reached only when something never happens.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for `future`, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("never happened: {what}"),
    }
}

pub(crate) fn paths(home: &Path) -> HostPaths {
    HostPaths::new(home.join("run"), home)
}

pub(crate) fn panes(home: &Path) -> Panes {
    Panes::new(PanesConfig {
        history_dir: Some(home.join("history")),
        grace: Duration::from_millis(500),
        ..PanesConfig::default()
    })
    .unwrap()
}

/// A host that serves in this process.
pub(crate) struct Serving {
    pub(crate) paths: HostPaths,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
    _home: tempfile::TempDir,
}

impl Serving {
    pub(crate) async fn start() -> Self {
        Self::start_with(Duration::from_secs(3600)).await
    }

    pub(crate) async fn start_with(idle_after: Duration) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), idle_after).await
    }

    pub(crate) async fn start_in(home: tempfile::TempDir, idle_after: Duration) -> Self {
        let panes = panes(home.path());
        Self::start_serving(home, panes, idle_after).await
    }

    pub(crate) async fn start_serving(
        home: tempfile::TempDir,
        panes: Panes,
        idle_after: Duration,
    ) -> Self {
        let paths = paths(home.path());
        let host = Host::claim(&PANES, &paths).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let options = HostOptions {
            idle_after,
            started_at: 1,
        };
        let task = tokio::spawn(host.serve(panes, options, async move {
            let _ = stopped.await;
        }));
        let serving = Self {
            paths,
            stop: Some(stop),
            task,
            _home: home,
        };
        soon("the host listens", async {
            while UnixStream::connect(serving.paths.socket()).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        serving
    }

    pub(crate) async fn client(&self) -> HostClient {
        HostClient::connect(&self.paths).await.unwrap()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(self) {
        soon("the host ends", self.task).await.unwrap().unwrap();
    }

    /// Tells it to end, as a signal would, and waits.
    pub(crate) async fn stop(mut self) {
        self.stop.take();
        self.ended().await;
    }

    /// A connection that has said hello for `purpose` and read the welcome.
    pub(crate) async fn raw(&self, purpose: Value) -> (UnixStream, Value) {
        let mut stream = UnixStream::connect(self.paths.socket()).await.unwrap();
        let hello = json!({"protocol": host::PROTOCOL, "version": "0.0.0", "purpose": purpose});
        send(&mut stream, &hello).await;
        let welcome = receive(&mut stream).await.unwrap();
        (stream, welcome)
    }
}

pub(crate) async fn send(stream: &mut UnixStream, message: &Value) {
    let text = message.to_string();
    let length = u32::try_from(text.len()).unwrap();
    stream.write_all(&length.to_le_bytes()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// One JSON message; none when the other side hung up.
pub(crate) async fn receive(stream: &mut UnixStream) -> Option<Value> {
    let mut length = [0; 4];
    soon("a message", stream.read_exact(&mut length))
        .await
        .ok()?;
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    soon("the rest of a message", stream.read_exact(&mut text))
        .await
        .ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// `sh -c SCRIPT`.
pub(crate) fn script(script: &str) -> OpenPane {
    OpenPane {
        program: Some("/bin/sh".into()),
        args: vec!["-c".into(), script.into()],
        ..OpenPane::default()
    }
}

/// Reads a pane's stream, acknowledging it, until what has been seen holds `text`.
pub(crate) async fn seen(client: &HostClient, pane: PaneId, text: &str) -> String {
    let mut attachment = client.attach(pane, options()).await.unwrap();
    soon(&format!("`{text}` in pane {pane}"), async {
        let mut all = String::new();
        while !all.contains(text) {
            let bytes = match attachment.next().await.expect("the stream goes on") {
                Frame::Snapshot(snapshot) => {
                    all.clear();
                    snapshot.bytes
                }
                Frame::Changes(changes) => changes.bytes,
                Frame::Ended => Vec::new(),
            };
            attachment.ack(bytes.len() as u64);
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
        all
    })
    .await
}

pub(crate) fn options() -> terminal::AttachOptions {
    terminal::AttachOptions {
        scrollback_rows: 1000,
        high_water: 1024 * 1024,
    }
}

/// The first event about a pane that `pick` likes.
pub(crate) async fn event<T>(
    events: &mut broadcast::Receiver<HostEvent>,
    what: &str,
    mut pick: impl FnMut(PaneEvent) -> Option<T>,
) -> T {
    soon(what, async {
        loop {
            if let Ok(HostEvent::Pane(event)) = events.recv().await
                && let Some(found) = pick(event)
            {
                return found;
            }
        }
    })
    .await
}

/// Whether an event says that `pane`'s program ended.
pub(crate) fn exited(event: &PaneEvent, pane: &PaneInfo) -> bool {
    matches!(event, PaneEvent::Changed { pane: now }
        if now.id == pane.id && matches!(now.state, PaneState::Exited { .. }))
}

/// A search for `pattern` in everything that is and was open.
pub(crate) fn find(pattern: &str) -> terminal::SearchRequest {
    serde_json::from_value(json!({"pattern": pattern, "scope": {"panes": "all"}})).unwrap()
}

/// Waits until a process has ended; one that nobody has collected yet counts as ended.
pub(crate) async fn gone(pid: u32) {
    soon("the program is gone", async {
        while std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The process in a pane.
pub(crate) fn pid(pane: &PaneInfo) -> u32 {
    match pane.state {
        PaneState::Running { pid } => pid,
        PaneState::Exited { .. } => panic!("it runs"),
    }
}
