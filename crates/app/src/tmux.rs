//! The only file that starts the program `tmux`: what its sessions have, as a layout that attaches to it.
//!
//! A pane of the layout is a window of tmux. Its programs stay where they are, and so does how tmux splits it: each pane
//! is a client with a session of its own beside the one that is shown, so that each shows another window of it, and
//! tmux forgets that session when the pane is closed.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::{Code, Error, Layout, LayoutNode, LayoutPane};

/// A server that takes longer is stuck.
const DEADLINE: Duration = Duration::from_secs(10);

/// What tmux is asked of each of its panes. No name of a session has a colon; the name of a window may have anything,
/// so its length comes before it.
const FORMAT: &str = "#{session_name}:#{session_group}:#{window_id}:#{window_active}:#{pane_active}:\
                      #{n:window_name}:#{window_name}:#{pane_current_path}";

/// A pane of tmux, as [`FORMAT`] tells of it.
#[derive(Debug, PartialEq, Eq)]
struct Told<'a> {
    session: &'a str,
    /// The first session of those that have the same windows; empty: there are no others.
    group: &'a str,
    window: &'a str,
    /// Whether its window is the one that its session shows.
    window_is_front: bool,
    /// Whether it is the one of its window that has the keys.
    has_keys: bool,
    name: &'a str,
    cwd: &'a str,
}

impl Told<'_> {
    /// Whether its session shows what another one has: a client of ours does.
    fn is_of_a_copy(&self) -> bool {
        !self.group.is_empty() && self.session != self.group
    }
}

/// The windows of the tmux server that listens on `socket`, else of the one that `tmux` itself would ask, as a layout:
/// those of one `session`, or of all.
///
/// # Errors
///
/// [`Code::BadId`] when there is no such session, [`Code::Failed`] when tmux is not there, has no server or does not
/// answer in ten seconds.
pub async fn layout_of_tmux(socket: Option<&str>, session: Option<&str>) -> Result<Layout, Error> {
    let socket = match socket {
        Some(socket) => socket.to_owned(),
        // What is opened later may be told another one by its environment.
        None => ask(None, &["display-message", "-p", "#{socket_path}"]).await?,
    };
    let socket = socket.trim_end();
    let said = ask(Some(socket), &["list-panes", "-a", "-F", FORMAT]).await?;
    layout_from(&said, socket, session)
}

async fn ask(socket: Option<&str>, arguments: &[&str]) -> Result<String, Error> {
    let failed = |message: String| Error::new(Code::Failed, message);
    let mut command = Command::new("tmux");
    // Names and paths as they are, whatever the locale.
    command.arg("-u").current_dir("/");
    if let Some(socket) = socket {
        command.args(["-S", socket]);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let answer = tokio::time::timeout(DEADLINE, command.output()).await;
    let answer = answer
        .map_err(|_| failed(format!("tmux did not answer in {} s", DEADLINE.as_secs())))?
        .map_err(|error| failed(format!("could not start `tmux`: {error}")))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(failed(format!("tmux says: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

fn layout_from(said: &str, socket: &str, session: Option<&str>) -> Result<Layout, Error> {
    let mut told: Vec<Told> = said.lines().filter_map(pane_told).collect();
    // A window is in every session of its group: the one that has the name of the group comes first.
    told.sort_by_key(Told::is_of_a_copy);
    let mut sessions: Vec<&str> = Vec::new();
    let mut windows: Vec<Told> = Vec::new();
    for pane in told {
        if !pane.is_of_a_copy() && !sessions.contains(&pane.session) {
            sessions.push(pane.session);
        }
        let is_wanted = session.is_none_or(|wanted| wanted == pane.session);
        let known = windows.iter().any(|known| known.window == pane.window);
        if pane.has_keys && is_wanted && !known {
            windows.push(pane);
        }
    }
    if let Some(session) = session.filter(|_| windows.is_empty()) {
        let there: Vec<String> = sessions.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "tmux has no session `{session}`; there are {}",
            there.join(", ")
        );
        return Err(Error::new(Code::BadId, message));
    }
    let front = windows.iter().position(|pane| pane.window_is_front);
    let of_several = session.is_none() && sessions.len() > 1;
    let panes = windows
        .iter()
        .map(|pane| attached(pane, socket, of_several));
    Ok(Layout {
        root: "/".to_owned(),
        tree: LayoutNode::Tabs {
            panes: panes.collect(),
            front: u32::try_from(front.unwrap_or(0)).unwrap_or(0),
        },
    })
}

/// A pane that shows a window of tmux, and no other client with it.
fn attached(pane: &Told, socket: &str, of_several: bool) -> LayoutPane {
    let session = format!("={}", pane.session);
    let window = format!(":{}", pane.window);
    // Who opens it may be inside of tmux, where it would refuse to nest.
    let program = [
        &["env", "-u", "TMUX", "tmux", "-S", socket] as &[&str],
        &["new-session", "-t", &session, ";"],
        &["set-option", "destroy-unattached", "on", ";"],
        &["select-window", "-t", &window],
    ];
    LayoutPane {
        cwd: pane.cwd.to_owned(),
        name: Some(if of_several {
            format!("{}: {}", pane.session, pane.name)
        } else {
            pane.name.to_owned()
        }),
        program: program.concat().into_iter().map(str::to_owned).collect(),
    }
}

/// Reads a line of [`FORMAT`]; none when it is not one.
fn pane_told(line: &str) -> Option<Told<'_>> {
    let mut fields = line.splitn(7, ':');
    let mut next = || fields.next();
    let (session, group, window) = (next()?, next()?, next()?);
    let (window_is_front, has_keys) = (next()? == "1", next()? == "1");
    let length: usize = next()?.parse().ok()?;
    let rest = next()?;
    let (name, cwd) = rest.split_at_checked(length)?;
    Some(Told {
        session,
        group,
        window,
        window_is_front,
        has_keys,
        name,
        cwd: cwd.strip_prefix(':')?,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Two sessions; one of them is shown by a client of ours, too.
    const SAID: &str = "\
notes::@5:1:1:4:bash:/srv/notes
shop:shop:@0:0:1:10:api: a:b c:/srv/a:b
shop:shop:@1:1:0:3:two:/usr
shop:shop:@1:1:1:3:two:/etc
shop-1:shop:@0:1:1:10:api: a:b c:/srv/a:b
shop-1:shop:@1:0:1:3:two:/etc
no line of ours
";

    /// The tabs that come of what tmux said.
    fn tabs(session: Option<&str>) -> String {
        let layout = layout_from(SAID, "/run/t", session);
        let Layout { tree, .. } = match layout {
            Ok(layout) => layout,
            Err(error) => return format!("{:?}: {}", error.code, error.message),
        };
        let LayoutNode::Tabs { panes, front } = tree else {
            return "not tabs".to_owned();
        };
        let mut told = format!("in front: {front}\n");
        for pane in panes {
            let name = pane.name.unwrap_or_default();
            writeln!(told, "{name} in {}: {}", pane.cwd, pane.program.join(" "))
                .expect("a string takes all");
        }
        told
    }

    #[test]
    fn each_window_is_a_tab_that_attaches_to_it_where_its_pane_with_the_keys_is() {
        insta::assert_snapshot!(tabs(Some("shop")), @r"
        in front: 1
        api: a:b c in /srv/a:b: env -u TMUX tmux -S /run/t new-session -t =shop ; set-option destroy-unattached on ; select-window -t :@0
        two in /etc: env -u TMUX tmux -S /run/t new-session -t =shop ; set-option destroy-unattached on ; select-window -t :@1
        ");
    }

    #[test]
    fn windows_of_several_sessions_say_whose_they_are() {
        insta::assert_snapshot!(tabs(None), @r"
        in front: 0
        notes: bash in /srv/notes: env -u TMUX tmux -S /run/t new-session -t =notes ; set-option destroy-unattached on ; select-window -t :@5
        shop: api: a:b c in /srv/a:b: env -u TMUX tmux -S /run/t new-session -t =shop ; set-option destroy-unattached on ; select-window -t :@0
        shop: two in /etc: env -u TMUX tmux -S /run/t new-session -t =shop ; set-option destroy-unattached on ; select-window -t :@1
        ");
    }

    #[test]
    fn a_session_that_there_is_not_is_told_with_those_that_there_are() {
        insta::assert_snapshot!(tabs(Some("shpo")), @"BadId: tmux has no session `shpo`; there are `notes`, `shop`");
    }
}
