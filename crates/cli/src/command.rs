//! The subcommands, and what they have in common.

use std::ffi::OsString;
use std::io;

use app::{App, AppConfig, HostMode, Paths};
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::{
    agents, changes, completions, conflicts, flow, history, host, import, layouts, machines, man,
    mcp, panes, search, window, worktrees,
};

/// A workspace for shells and coding agents whose programs outlive their window.
#[derive(Debug, Parser)]
#[command(
    name = "switchyard",
    version,
    about,
    disable_help_subcommand = true,
    after_help = "\
Without a command, the window opens.

Examples:
  switchyard open --name build -- cargo watch   Start a program in a pane of its own
  switchyard panes                              See what runs, and who needs you
  switchyard read build --lines 20              Read what it printed last
  switchyard search 'error\\[E'                  Find what any of them printed
  switchyard send build 'q' --enter             Type into it
  switchyard kill build                         End it

Panes live in a background process, the pane host: they go on when this command ends and when
the window is closed. Exit status: 0 done, 1 could not be done, 2 the command line is wrong."
)]
struct Arguments {
    /// Print for programs: JSON on standard output
    #[arg(long, global = true)]
    json: bool,

    /// Open the window with the panes in its own process: they end with it
    #[arg(long)]
    in_process: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Panes(panes::List),
    Open(panes::Open),
    Send(panes::Send),
    Read(panes::Read),
    Kill(panes::Kill),
    Search(search::Search),
    History(history::History),
    Layouts(layouts::Layouts),
    Machines(machines::Machines),
    Window(window::Window),
    Import(import::Import),
    Agents(agents::Agents),
    Conflicts(conflicts::Conflicts),
    Changes(changes::Changes),
    Worktrees(worktrees::Worktrees),
    Host(host::Host),
    Flow(flow::Flow),
    Mcp(mcp::Mcp),
    Completions(completions::Completions),
    Man(man::Man),
}

/// See [`crate::run`]; `paths` says where things are kept.
pub(crate) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    paths: impl FnOnce() -> io::Result<Paths>,
    out: &mut Output<'_>,
) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Also for what can't be understood otherwise; behind `--` it is another program's.
    let mut own = arguments.iter().take_while(|argument| *argument != "--");
    out.set_json(own.any(|argument| argument == "--json"));
    let arguments = match parse(arguments, out) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    out.set_json(arguments.json);
    let done = match arguments.command {
        Some(_) if arguments.in_process => Err(Failure::usage(
            "`--in-process` is said of the window: no command goes with it",
        )),
        Some(Command::Completions(completions)) => completions.run(Arguments::command(), out),
        Some(Command::Man(man)) => man.run(Arguments::command(), out),
        Some(command) => execute(command, paths, out),
        None if arguments.json => Err(Failure::usage(
            "`--json` is said of a command: without one, the window opens",
        )),
        None => window::become_it(arguments.in_process).map(|never| match never {}),
    };
    match done {
        Ok(()) => 0,
        Err(failure) => failure.tell(out),
    }
}

fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut Output<'_>,
) -> Result<Arguments, u8> {
    let colour = if out.colour() {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    let parsed = Arguments::command()
        .color(colour)
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let rendered = if out.colour() {
            error.render().ansi().to_string()
        } else {
            error.render().to_string()
        };
        if error.use_stderr() {
            // Every line that says what went wrong begins with the same word.
            let words = error.render().to_string();
            Failure::usage(words.trim_start_matches("error: ").trim_end()).tell(out)
        } else {
            // Nobody left to read the help is no failure.
            let _ = out.text(&rendered);
            0
        }
    })
}

fn execute(
    command: Command,
    paths: impl FnOnce() -> io::Result<Paths>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("switchyard")
        .build()?;
    let done = runtime.block_on(async {
        if let Command::Conflicts(conflicts) = command {
            // Reads git's files only: it starts no host, leaves nothing behind, and needs no home.
            return conflicts.run(paths().ok().as_ref(), out).await;
        }
        if let Command::Changes(pure) = &command
            && pure.is_pure()
        {
            let Command::Changes(changes) = command else {
                return Ok(());
            };
            // The same: git is asked, and nothing else.
            return changes.run(paths, out);
        }
        if let Command::Worktrees(pure) = &command
            && pure.is_pure()
        {
            let Command::Worktrees(worktrees) = command else {
                return Ok(());
            };
            return worktrees.run_pure(out);
        }
        if let Command::Mcp(pure) = &command
            && pure.is_pure()
        {
            let Command::Mcp(mcp) = command else {
                return Ok(());
            };
            return mcp.run_pure(paths().ok().as_ref(), out);
        }
        let paths = paths()?;
        if let Command::Host(host) = command {
            return host.run(&paths, out).await;
        }
        if let Command::Flow(pure) = &command
            && pure.is_pure()
        {
            let Command::Flow(flow) = command else {
                return Ok(());
            };
            return flow.run_pure(&paths, out).await;
        }
        let app = start(paths).await?;
        let done = match command {
            Command::Panes(list) => list.run(&app, out).await,
            Command::Open(open) => open.run(&app, out).await,
            Command::Send(send) => send.run(&app, out).await,
            Command::Read(read) => read.run(&app, out).await,
            Command::Kill(kill) => kill.run(&app, out).await,
            Command::Search(search) => search.run(&app, out).await,
            Command::Flow(flow) => flow.run(&app, out).await,
            Command::History(history) => history.run(&app, out).await,
            Command::Layouts(layouts) => layouts.run(&app, out).await,
            Command::Machines(machines) => machines.run(&app, out).await,
            Command::Window(window) => window.run(&app).await,
            Command::Import(import) => import.run(&app, out).await,
            Command::Agents(agents) => agents.run(&app, out).await,
            Command::Mcp(mcp) => mcp.run(&app).await,
            Command::Worktrees(worktrees) => worktrees.run(&app, out).await,
            Command::Changes(changes) => changes.run_in(&app, out).await,
            // Served above, without an `App`.
            Command::Host(_)
            | Command::Conflicts(_)
            | Command::Completions(_)
            | Command::Man(_) => Ok(()),
        };
        app.shutdown().await;
        done
    });
    // Whatever still blocks a thread (a read of standard input, say) must not keep us.
    runtime.shutdown_background();
    done
}

async fn start(paths: Paths) -> Result<App, Failure> {
    let program = std::env::current_exe()?;
    let config = AppConfig {
        paths,
        host: HostMode::Detached { program },
    };
    Ok(App::start(config).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    /// The widest that help is shown, see [`clap::Command::max_term_width`] as clap has it by itself.
    const WIDTH: usize = 100;

    /// The lines that would be broken anew, of a command and of those below it.
    fn broken(command: &clap::Command) -> Vec<String> {
        let told = [command.get_after_help(), command.get_after_long_help()];
        let texts = told.into_iter().flatten().map(ToString::to_string);
        let mut broken: Vec<String> = texts
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter(|line| line.chars().count() > WIDTH)
            .map(|line| format!("{}: {line}", command.get_name()))
            .collect();
        broken.extend(command.get_subcommands().flat_map(self::broken));
        broken
    }

    #[test]
    fn lines_of_the_help_that_end_where_they_were_written_are_short_enough_to() {
        assert_eq!(broken(&Arguments::command()), Vec::<String>::new());
    }

    /// The words of a command line as a shell has them: quotes hold words together.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                None if c == ' ' => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn what_the_skill_and_the_guide_tell_to_type_is_understood() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let guide = std::fs::read_dir(docs.join("guide")).unwrap();
        let mut pages: Vec<_> = guide.map(|page| page.unwrap().path()).collect();
        pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
        pages.push(docs.join("skill/SKILL.md"));
        let mut typed = 0;
        for page in pages {
            let text = std::fs::read_to_string(&page).unwrap();
            for line in text.lines() {
                let Some(line) = line.strip_prefix("$ switchyard ") else {
                    continue;
                };
                // What goes on in another program, or is about the line itself.
                let line = line.split(" | ").next().unwrap();
                let line = line.split(" #").next().unwrap();
                let all = std::iter::once("switchyard".to_owned()).chain(words(line));
                if let Err(error) = Arguments::command().try_get_matches_from(all) {
                    panic!("{}: switchyard {line}\n{error}", page.display());
                }
                typed += 1;
            }
        }
        assert!(typed > 30, "{typed}");
    }
}
