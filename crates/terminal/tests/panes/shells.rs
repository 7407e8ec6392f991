//! Shells that are taught to mark their prompts and commands.

use std::collections::BTreeMap;
use std::time::Duration;

use terminal::{Attention, Environment, OpenPane, PaneEvent, PaneId, PanesConfig, ReadLines};

use crate::bench::{Bench, wait_for};

/// A home directory with the user's own files, and panes whose shells are taught.
struct Taught {
    bench: Bench,
    home: tempfile::TempDir,
}

impl Taught {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::with(PanesConfig {
            history_dir: Some(home.path().join("history")),
            grace: Duration::from_millis(500),
            ..PanesConfig::default()
        });
        Self { bench, home }
    }

    fn open(&self, shell: &str) -> PaneId {
        let home = self.home.path().to_str().unwrap().to_owned();
        let env = BTreeMap::from([
            ("HOME".to_owned(), home.clone()),
            ("XDG_CONFIG_HOME".to_owned(), format!("{home}/.config")),
            ("XDG_DATA_HOME".to_owned(), format!("{home}/.local")),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
        ]);
        let request = OpenPane {
            program: Some(shell.into()),
            cwd: Some(home),
            environment: Environment::here(),
            env,
            ..OpenPane::default()
        };
        self.bench.panes.open(request).unwrap().id
    }

    /// Types a command at a prompt, and waits until it has ended; gives its mark.
    fn command(&self, pane: PaneId, command: &str) -> terminal::CommandMark {
        let ended = || {
            let marks = self.bench.panes.marks(pane).unwrap();
            marks.iter().filter(|mark| mark.ended_at.is_some()).count()
        };
        wait_for("a prompt", || {
            let marks = self.bench.panes.marks(pane).unwrap();
            marks
                .last()
                .is_some_and(|mark| mark.started_at.is_none())
                .then_some(())
        });
        let before = ended();
        self.bench
            .panes
            .write(pane, format!("{command}\r").into_bytes())
            .unwrap();
        wait_for(&format!("the end of {command}"), || {
            (ended() > before).then_some(())
        });
        let marks = self.bench.panes.marks(pane).unwrap();
        marks
            .into_iter()
            .rfind(|mark| mark.ended_at.is_some())
            .unwrap()
    }

    /// The output of a command, as its mark says where it is.
    fn output(&self, pane: PaneId, mark: &terminal::CommandMark) -> Vec<String> {
        let (from, to) = (mark.output_from.unwrap(), mark.output_to.unwrap());
        self.bench
            .read(
                pane,
                ReadLines::After {
                    line: from,
                    count: (to.0 - from.0) as u32,
                },
            )
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    /// What every shell that is taught does.
    fn marks_its_commands(&self, pane: PaneId) {
        let mark = self.command(pane, "echo one; echo two");
        assert_eq!(mark.command.as_deref(), Some("echo one; echo two"));
        assert_eq!(mark.exit, Some(0));
        assert_eq!(self.output(pane, &mark), ["one", "two"]);
        let mark = self.command(pane, "sh -c 'exit 7'");
        assert_eq!(mark.exit, Some(7));
        assert_eq!(self.bench.panes.info(pane).unwrap().last_exit, Some(7));
        let odd = self.home.path().join("an odd; name é");
        std::fs::create_dir_all(&odd).unwrap();
        self.command(pane, "cd 'an odd; name é'");
        wait_for("the new directory", || {
            let info = self.bench.panes.info(pane).unwrap();
            (info.cwd == odd.to_str().unwrap()).then_some(())
        });
        assert!(!self.bench.panes.info(pane).unwrap().busy);
        // A program is where it is, whatever the shell said last: `cd` and the program came as one command.
        let within = odd.join("within");
        std::fs::create_dir_all(&within).unwrap();
        let mut events = self.bench.panes.events();
        self.bench
            .panes
            .write(
                pane,
                b"cd within && sh -c 'echo off; exec sleep 1000'\r".to_vec(),
            )
            .unwrap();
        wait_for("the program's directory to be told", || {
            let Ok(PaneEvent::Changed { pane: told }) = events.try_recv() else {
                return None;
            };
            (told.busy && told.cwd == within.to_str().unwrap()).then_some(())
        });
        // Not before the program is there to hear it: a shell that is about to start one does not.
        self.bench.wait_line(pane, "off");
        self.bench.panes.write(pane, b"\x03".to_vec()).unwrap();
        self.command(pane, "cd ..");
        // A shell within the shell is an ordinary one, and the outer one goes on marking.
        let mark = self.command(pane, "sh -c 'echo inner'");
        assert_eq!(self.output(pane, &mark), ["inner"]);
        self.bench
            .panes
            .write(pane, b"sh -c 'echo on; exec sleep 1000'\r".to_vec())
            .unwrap();
        self.bench.wait_line(pane, "on");
        wait_for("work", || {
            let info = self.bench.panes.info(pane).unwrap();
            (info.busy && info.attention == Attention::Working).then_some(())
        });
        self.bench.panes.write(pane, b"\x03".to_vec()).unwrap();
        wait_for("idleness", || {
            let info = self.bench.panes.info(pane).unwrap();
            (!info.busy && info.attention == Attention::Idle).then_some(())
        });
    }
}

#[test]
fn bash_marks_its_commands_and_still_reads_the_users_file() {
    let taught = Taught::new();
    std::fs::write(
        taught.home.path().join(".bashrc"),
        "mine() { echo from my file; }\nPROMPT_COMMAND='last=$?'\nPS1='$ '\nHISTCONTROL=ignoreboth\n",
    )
    .unwrap();
    let pane = taught.open("/bin/bash");
    let mark = taught.command(pane, "mine");
    assert_eq!(taught.output(pane, &mark), ["from my file"]);
    taught.marks_its_commands(pane);
    let mark = taught.command(pane, "(exit 3)");
    assert_eq!(mark.exit, Some(3));
    let mark = taught.command(pane, "echo $last");
    assert_eq!(
        taught.output(pane, &mark),
        ["3"],
        "the user's own prompt command sees the status"
    );
    let mark = taught.command(pane, " echo secret");
    assert_eq!(mark.command, None, "what history does not take is not told");
}

#[test]
fn zsh_marks_its_commands_and_still_reads_the_users_files() {
    let taught = Taught::new();
    let home = taught.home.path();
    std::fs::write(home.join(".zshenv"), "export FROM_ENV=env\n").unwrap();
    std::fs::write(
        home.join(".zshrc"),
        "mine() { echo $FROM_ENV ${ZDOTDIR-none} }\nPS1='%% '\nunsetopt zle\n",
    )
    .unwrap();
    let pane = taught.open("/usr/bin/zsh");
    let mark = taught.command(pane, "mine");
    assert_eq!(taught.output(pane, &mark), ["env none"]);
    taught.marks_its_commands(pane);
}

#[test]
fn fish_marks_its_commands_and_still_reads_the_users_file() {
    let taught = Taught::new();
    let config = taught.home.path().join(".config/fish");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(
        config.join("config.fish"),
        "function mine; echo from my file; end\nset -g fish_greeting\nfunction fish_prompt; echo '> '; end\n",
    )
    .unwrap();
    let pane = taught.open("/usr/bin/fish");
    let mark = taught.command(pane, "mine");
    assert_eq!(taught.output(pane, &mark), ["from my file"]);
    taught.marks_its_commands(pane);
}
