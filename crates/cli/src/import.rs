//! `import`: what other programs hold, taken over.

use app::{App, Layout, LayoutNode};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Failure;
use crate::layouts;
use crate::output::Output;

/// Take over what another program holds
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Tmux(Tmux),
}

/// Open the windows of tmux as tabs; their programs stay in tmux, and are attached to
///
/// Each window of tmux becomes a tab, in the directory that it is in; what tmux splits, tmux draws. Closing
/// a tab ends nothing in tmux. The arrangement is kept as a layout, and can be opened again by its name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard import tmux                    The windows of all sessions
  switchyard import tmux shop               Those of one
  switchyard import tmux --socket /run/t    Of the server that listens there
  switchyard open --layout 'tmux shop'      The same again, later")]
struct Tmux {
    /// The session of tmux [default: all of them]
    session: Option<String>,
    /// The socket of the tmux server, as for `tmux -S`
    #[arg(long, value_name = "PATH")]
    socket: Option<String>,
}

impl Import {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let What::Tmux(Tmux { session, socket }) = self.what;
        let layout = app::layout_of_tmux(socket.as_deref(), session.as_deref()).await?;
        let count = match &layout {
            Layout {
                tree: LayoutNode::Tabs { panes, .. },
                ..
            } => panes.len(),
            Layout { .. } => 0,
        };
        let name = match session {
            Some(session) => format!("tmux {session}"),
            None => "tmux".to_owned(),
        };
        app.save_layout(&name, layout).await?;
        let windows = if count == 1 { "window" } else { "windows" };
        if out.json() {
            out.value(&json!({ "layout": name, "panes": count }))?;
        } else {
            out.line(&format!(
                "{count} {windows} of tmux, kept as the layout `{name}`"
            ))?;
        }
        layouts::open(app, name, None).await
    }
}
