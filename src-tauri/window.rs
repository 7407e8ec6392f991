//! Opens the windows that were open and keeps them: start, notifications, the orderly end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use app::{App, AppConfig, Code, Errand, Error, HostMode, Paths, WindowsClaim};
use tauri::{AppHandle, Manager, RunEvent};

use crate::commands::{agents::Followed, flow::FollowedFiles, search::Searches, terminal::Views};
use crate::windows::{self, Windows};
use crate::{bindings, clipboard, events, renderer};

/// How long the process that has the windows may take to open another one.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// When the program started; the start ends when a prompt is on screen.
struct Started(Instant);

/// How the window is opened; `switchyard` alone says so to this program.
#[derive(Debug, clap::Parser)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct WindowOptions {
    /// Keep the panes in the window's own process: they end with it.
    #[arg(long)]
    in_process: bool,
    /// The program that is started as pane host; this one, which can be it as well, when none is named.
    #[arg(long, value_name = "PROGRAM")]
    host: Option<PathBuf>,
}

/// Opens the window and returns when it was closed.
pub fn run(options: WindowOptions) -> ExitCode {
    let started = Instant::now();
    log_to_stderr();
    renderer::prepare();
    match open(options, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tracing::error!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn open(options: WindowOptions, started: Instant) -> Result<(), String> {
    if std::env::var_os("DISPLAY").is_none() && std::env::var_os("WAYLAND_DISPLAY").is_none() {
        return Err(
            "there is no display for the window; `switchyard --help` shows what works without one"
                .to_owned(),
        );
    }
    let paths = Paths::of_user().map_err(|error| error.to_string())?;
    let claim = if options.in_process {
        None
    } else {
        match claim_windows(&paths)? {
            Some(claim) => Some(claim),
            // The process that has the windows has opened one more.
            None => return Ok(()),
        }
    };
    let host = if options.in_process {
        HostMode::InProcess
    } else {
        let program = match options.host {
            Some(program) => program,
            None => std::env::current_exe().map_err(|error| error.to_string())?,
        };
        HostMode::Detached { program }
    };
    let app = tauri::async_runtime::block_on(async {
        let app = App::start(AppConfig { paths, host }).await?;
        // A window whose database another version has written could keep nothing.
        app.notices().await?;
        app.watch_workspace();
        app.answer_checks();
        Ok::<_, Error>(app)
    })
    .map_err(|error| error.message)?;
    let windows = tauri::async_runtime::block_on(app.windows_to_open());
    let resuming = app.clone();
    tauri::async_runtime::spawn(async move {
        match resuming.resume_flows().await {
            Ok(runs) if runs.is_empty() => {}
            Ok(runs) => tracing::info!("went on with cut-off runs: {}", runs.join(", ")),
            Err(error) => tracing::warn!("cut-off runs wait for `switchyard flow resume`: {error}"),
        }
    });

    let builder = bindings::builder();
    let shell = tauri::Builder::default()
        .manage(app.clone())
        .manage(Started(started))
        .manage(Views::default())
        .manage(Searches::default())
        .manage(Followed::default())
        .manage(FollowedFiles::default())
        .manage(clipboard::Clipboard::default())
        .manage(Windows::default())
        .invoke_handler(builder.invoke_handler())
        .setup(move |shell| {
            builder.mount_events(shell);
            events::forward(shell.state::<App>().inner().clone(), shell.handle().clone());
            for id in windows {
                windows::open(shell.handle(), id, None)?;
            }
            events::open_wanted(shell.handle());
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| format!("the window could not be opened: {error}"))?;

    let mut claim = claim;
    shell.run(move |_, event| {
        if let RunEvent::Exit = event {
            // Who starts now opens windows of its own.
            claim.take();
            tauri::async_runtime::block_on(app.shutdown());
        }
    });
    Ok(())
}

/// The right to open windows; none when the process that has it has opened one more for us.
fn claim_windows(paths: &Paths) -> Result<Option<WindowsClaim>, String> {
    paths.create().map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("the windows can't be claimed: {error}");
    if let Some(claim) = WindowsClaim::take(paths).map_err(failed)? {
        return Ok(Some(claim));
    }
    let errand = Errand::Terminal { cwd: None };
    WindowsClaim::hand_over(paths, &errand).map_err(|error| error.message)?;
    let deadline = Instant::now() + HEARD_WITHIN;
    while WindowsClaim::is_waiting(paths) {
        // It may be about to end, and then it hears nothing any more.
        if let Some(claim) = WindowsClaim::take(paths).map_err(failed)? {
            WindowsClaim::take_back(paths);
            return Ok(Some(claim));
        }
        if Instant::now() > deadline {
            WindowsClaim::take_back(paths);
            return Err(
                "another process has the windows, and does not answer; end it, or wait until it has ended"
                    .to_owned(),
            );
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(None)
}

/// Tells on standard error what `SWITCHYARD_LOG` asks for (`info`, `app=debug`); warnings otherwise.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SWITCHYARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Notes how long the start took, once.
pub(crate) fn prompt_on_screen(handle: &AppHandle) {
    if let Some(started) = handle.try_state::<Started>() {
        tracing::info!(
            "prompt on screen after {} ms",
            started.0.elapsed().as_millis()
        );
    }
}

/// Shows a desktop notification.
pub(crate) async fn notify(title: &str, body: &str) -> Result<(), Error> {
    let mut notification = notify_rust::Notification::new();
    notification.appname("Switchyard").summary(title).body(body);
    // The call waits for the notification service, which may be slow or absent.
    let shown = tauri::async_runtime::spawn_blocking(move || notification.show().map(drop))
        .await
        .map_err(|error| error.to_string())
        .and_then(|shown| shown.map_err(|error| error.to_string()));
    shown.map_err(|error| Error::new(Code::Failed, format!("no notification was shown: {error}")))
}
