//! Opens the window and keeps it: start, focus, notifications, the orderly end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use app::{App, AppConfig, Code, Error, HostMode, Paths};
use tauri::{AppHandle, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder, Wry};

use crate::commands::{agents::Followed, flow::FollowedFiles, search::Searches, terminal::Views};
use crate::{bindings, clipboard, events, renderer};

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
    let webview = [paths.webview(), paths.runtime().join("webview")];
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
        .invoke_handler(builder.invoke_handler())
        .setup(move |shell| {
            builder.mount_events(shell);
            events::forward(shell.state::<App>().inner().clone(), shell.handle().clone());
            let window =
                WebviewWindowBuilder::new(shell, "main", WebviewUrl::App("index.html".into()));
            keeping(window, webview)
                .title("Switchyard")
                .inner_size(1280.0, 800.0)
                .min_inner_size(480.0, 320.0)
                .on_navigation(|url| {
                    // Only bundled files, and Vite's while developing.
                    url.scheme() == "tauri"
                        || (cfg!(dev) && url.host_str() == Some("localhost"))
                        || url.as_str() == "about:blank"
                })
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| format!("the window could not be opened: {error}"))?;

    shell.run(move |_, event| {
        if let RunEvent::Exit = event {
            tauri::async_runtime::block_on(app.shutdown());
        }
    });
    Ok(())
}

/// Has the web view keep what is its own in the first of these directories that can be made: on a full disk that may be
/// another than the first. Where none can, it keeps nothing.
fn keeping<'a, M: Manager<Wry>>(
    window: WebviewWindowBuilder<'a, Wry, M>,
    directories: [PathBuf; 2],
) -> WebviewWindowBuilder<'a, Wry, M> {
    for directory in directories {
        match std::fs::create_dir_all(&directory) {
            // Else it lies in a place of the user's, which windows of different homes would share.
            Ok(()) => return window.data_directory(directory),
            Err(error) => {
                let directory = directory.display();
                tracing::warn!("the web view can't keep anything in `{directory}`: {error}");
            }
        }
    }
    window.incognito(true)
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
