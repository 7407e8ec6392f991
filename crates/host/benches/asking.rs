//! What it costs to ask a pane host, to type into one of its panes, and to watch what the pane prints.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use host::{Host, HostAttachment, HostClient, HostOptions, HostPaths, PANES};
use terminal::ask::{Info, Open, Write};
use terminal::{AttachOptions, Frame, OpenPane, PaneId, Panes, PanesConfig};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

fn main() {
    divan::main();
}

/// A host in this process, and a client of it.
struct Hosting {
    runtime: Runtime,
    client: HostClient,
    _stop: oneshot::Sender<()>,
    _home: tempfile::TempDir,
}

impl Hosting {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let home = tempfile::tempdir().expect("a directory");
        let paths = HostPaths::new(home.path().join("run"), home.path());
        let panes = Panes::new(PanesConfig::default()).expect("no history to open");
        let host = Host::claim(&PANES, &paths).expect("nobody else serves it");
        let options = HostOptions {
            idle_after: std::time::Duration::from_secs(3600),
            started_at: 1,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(host.serve(panes, options, async move {
            let _ = stopped.await;
        }));
        let client = runtime.block_on(async {
            loop {
                match HostClient::connect(&paths).await {
                    Ok(client) => break client,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Self {
            runtime,
            client,
            _stop: stop,
            _home: home,
        }
    }

    /// A pane in which `script` runs, and the stream of it, read up to the word `ready`.
    fn pane(&self, script: &str) -> (PaneId, HostAttachment) {
        self.runtime.block_on(async {
            let pane = open(&self.client, script).await;
            let mut stream = self
                .client
                .attach(pane, AttachOptions::default())
                .await
                .expect("it was opened");
            read_to(&mut stream, b"ready").await;
            (pane, stream)
        })
    }
}

async fn open(client: &HostClient, script: &str) -> PaneId {
    let request = OpenPane {
        program: Some("/bin/sh".into()),
        args: vec!["-c".into(), script.into()],
        ..OpenPane::default()
    };
    client.ask(Open(request)).await.expect("it opens").id
}

async fn info(client: &HostClient, pane: PaneId) {
    client.ask(Info(pane)).await.expect("it is open");
}

fn write(client: &HostClient, pane: PaneId, bytes: &[u8]) {
    let bytes = bytes.to_vec();
    client.tell(Write { pane, bytes }).expect("it is open");
}

/// Reads until `text` has come; says how many bytes that took.
async fn read_to(stream: &mut HostAttachment, text: &[u8]) -> usize {
    let mut all = Vec::new();
    let mut count = 0;
    loop {
        let bytes = match stream.next().await.expect("the pane is open") {
            Frame::Changes(changes) => changes.bytes,
            Frame::Snapshot(snapshot) => snapshot.bytes,
            Frame::Ended => Vec::new(),
        };
        stream.ack(bytes.len() as u64);
        count += bytes.len();
        all.extend_from_slice(&bytes);
        if all.windows(text.len()).any(|window| window == text) {
            return count;
        }
        let beginning = all.len().saturating_sub(text.len());
        all.drain(..beginning);
    }
}

const RAW: &str = "stty raw -echo; echo ready; exec cat";

/// One question and its answer.
#[divan::bench(sample_count = 200, sample_size = 50)]
fn a_request(bencher: Bencher<'_, '_>) {
    let hosting = Hosting::start();
    let (pane, _stream) = hosting.pane(RAW);
    bencher.bench_local(|| hosting.runtime.block_on(info(&hosting.client, pane)));
}

/// From a key to what the program wrote about it, in the stream to a window. Frames are paced, 4 ms apart.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn a_key_and_its_echo(bencher: Bencher<'_, '_>) {
    let hosting = Hosting::start();
    let (pane, mut stream) = hosting.pane(RAW);
    bencher.bench_local(|| {
        hosting.runtime.block_on(async {
            write(&hosting.client, pane, b"k");
            read_to(&mut stream, b"k").await
        })
    });
}

/// A thousand keys, each handed over as soon as the one before was taken, until the last is echoed.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn a_thousand_keys(bencher: Bencher<'_, '_>) {
    let hosting = Hosting::start();
    let (pane, mut stream) = hosting.pane(RAW);
    bencher
        .counter(ItemsCount::new(1000_usize))
        .bench_local(|| {
            hosting.runtime.block_on(async {
                for _ in 0..999 {
                    write(&hosting.client, pane, b"k");
                }
                write(&hosting.client, pane, b".");
                read_to(&mut stream, b".").await
            })
        });
}

/// Twenty megabytes through a pane to a window that reads as fast as it can.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn twenty_megabytes(bencher: Bencher<'_, '_>) {
    let hosting = Hosting::start();
    let (pane, mut stream) = hosting.pane(
        "stty raw -echo; echo ready; while read x; do yes 'words that fill a line of text' | head -c 20000000; echo .; done",
    );
    bencher
        .counter(BytesCount::new(20_000_000_usize))
        .bench_local(|| {
            hosting.runtime.block_on(async {
                write(&hosting.client, pane, b"\n");
                read_to(&mut stream, b".").await
            })
        });
}
