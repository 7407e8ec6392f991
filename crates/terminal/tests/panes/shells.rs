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
        self.open_with(shell, &[])
    }

    fn open_with(&self, shell: &str, args: &[&str]) -> PaneId {
        let home = self.home.path().to_str().unwrap().to_owned();
        let env = BTreeMap::from([
            ("HOME".to_owned(), home.clone()),
            ("XDG_CONFIG_HOME".to_owned(), format!("{home}/.config")),
            ("XDG_DATA_HOME".to_owned(), format!("{home}/.local")),
            ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
        ]);
        let request = OpenPane {
            program: Some(shell.into()),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
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
fn a_command_is_told_with_what_it_printed() {
    let taught = Taught::new();
    let pane = taught.open("bash");
    let told = |mark: &terminal::CommandMark| {
        let output = taught
            .bench
            .panes
            .output(pane, mark.prompt)
            .unwrap()
            .unwrap();
        assert_eq!((&output.mark, output.cut), (mark, false));
        output.text
    };
    let mark = taught.command(pane, r"printf '\e[31mred\e[0m\n\nno end of 漢字'");
    assert_eq!(told(&mark), "red\n\nno end of 漢字");
    assert_eq!(mark.cwd.as_deref(), taught.home.path().to_str());
    let mark = taught.command(pane, "seq 1 3000; printf %0500d 7");
    let numbers: String = (1..=3_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(told(&mark), format!("{numbers}{:0500}", 7));
    // What a full-screen program showed is not what it printed.
    let mark = taught.command(
        pane,
        r"echo before; printf '\e[?1049hfull\e[?1049l'; echo after",
    );
    assert_eq!(told(&mark), "before\nafter\n");
    let mark = taught.command(pane, "mkdir here; cd here");
    assert_eq!(told(&mark), "");
    // Of one that runs, what there is so far.
    let write = |keys: &[u8]| taught.bench.panes.write(pane, keys.to_vec()).unwrap();
    write(b"echo begun; read x\r");
    let runs = wait_for("a command that runs", || {
        let last = taught.bench.panes.marks(pane).unwrap().pop()?;
        (last.output_from.is_some() && told(&last) == "begun\n").then_some(last)
    });
    let within = taught.home.path().join("here");
    assert_eq!(runs.cwd.as_deref(), within.to_str());
    let marked = taught.bench.panes.info(pane).unwrap().marked;
    write(b"\r");
    wait_for("the end of the command", || {
        (taught.bench.panes.info(pane).unwrap().marked == marked + 1).then_some(())
    });
    let nowhere = terminal::LineId(runs.prompt.0 + 1_000);
    assert_eq!(taught.bench.panes.output(pane, nowhere).unwrap(), None);
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

#[test]
fn a_command_that_bash_s_history_has_already_is_named_and_one_that_it_must_not_have_is_not() {
    let taught = Taught::new();
    std::fs::write(
        taught.home.path().join(".bashrc"),
        "PS1='\\w $ '\nHISTCONTROL=ignoreboth\n",
    )
    .unwrap();
    let pane = taught.open("/bin/bash");
    for (typed, name) in [
        ("echo hello", Some("echo hello")),
        ("echo hello", Some("echo hello")),
        (" echo hello", None),
        (" echo secret", None),
        ("echo hello", Some("echo hello")),
        ("echo 'a; b'", Some("echo 'a; b'")),
        ("echo 'a; b'", Some("echo 'a; b'")),
    ] {
        let mark = taught.command(pane, typed);
        assert_eq!(mark.command.as_deref(), name, "{typed}");
    }
}

#[test]
fn a_shell_that_waits_for_its_own_jobs_works_and_one_that_waits_for_a_line_does_not() {
    let taught = Taught::new();
    std::fs::write(taught.home.path().join(".bashrc"), "PS1='$ '\n").unwrap();
    let pane = taught.open("/bin/bash");
    let attention = || taught.bench.panes.info(pane).unwrap().attention;
    let go = taught.home.path().join("go");
    taught.command(pane, "mkfifo go");
    let typed = "cat go & echo on; wait; read line; echo \"got $line\"\r";
    taught
        .bench
        .panes
        .write(pane, typed.as_bytes().to_vec())
        .unwrap();
    taught.bench.wait_line(pane, "on");
    assert_eq!(attention(), Attention::Working);
    std::fs::write(go, "").unwrap();
    wait_for("it to wait for a line", || {
        (attention() == Attention::Idle).then_some(())
    });
    taught
        .bench
        .panes
        .write(pane, b"a line\r".to_vec())
        .unwrap();
    taught.bench.wait_line(pane, "got a line");
    let mark = taught.command(pane, "true");
    assert_eq!(mark.exit, Some(0));
}

/// What a shell still marks after what its user's files, and the user, did.
#[derive(Clone, Copy, PartialEq)]
enum Marks {
    /// All that it is taught.
    All,
    /// That a command has ended, but not how.
    Ends,
    /// Nothing that could be relied on: the system says what is known.
    None,
}

/// A shell, the user's file for it, what the user types at first, and what is marked from then on.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    Marks,
);

/// What every shell is seen to do, whatever became of its marks: it works or it waits, and it is somewhere.
fn is_followed(file: &str, (name, args, content, typed, marks): Case) {
    let taught = Taught::new();
    let home = taught.home.path();
    let file = home.join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
    let panes = &taught.bench.panes;
    let pane = taught.open_with(args[0], &args[1..]);
    let info = || panes.info(pane).unwrap();
    let write = |text: &str| panes.write(pane, text.as_bytes().to_vec()).unwrap();
    let idle = |what: &str| {
        wait_for(&format!("{name}: {what}"), || {
            let info = info();
            (!info.busy && info.attention == Attention::Idle).then_some(())
        });
    };
    for (at, typed) in typed.iter().enumerate() {
        // Said first: what is typed before a shell has left its line editor is not read as a line by the next one.
        write(&format!("echo '' ready {at}; {typed}\r"));
        taught.bench.wait_line(pane, &format!(" ready {at}"));
    }
    idle("to be at its prompt");

    std::fs::create_dir(home.join("a place")).unwrap();
    if marks == Marks::None {
        write("cd 'a place'\r");
    } else {
        let mark = taught.command(pane, "cd 'a place'");
        assert_eq!(mark.command.as_deref(), Some("cd 'a place'"), "{name}");
    }
    let place = home.join("a place").display().to_string();
    wait_for(&format!("{name}: the new directory"), || {
        (info().cwd == place).then_some(())
    });
    idle("to be at its prompt again");
    if marks == Marks::All {
        let mark = taught.command(pane, "sh -c 'exit 7'");
        assert_eq!(mark.exit, Some(7), "{name}");
        assert_eq!(mark.command.as_deref(), Some("sh -c 'exit 7'"), "{name}");
        let mark = taught.command(pane, "echo one; echo two");
        assert_eq!(taught.output(pane, &mark), ["one", "two"], "{name}");
    }
    write("sh -c 'echo on; read line'\r");
    taught.bench.wait_line(pane, "on");
    wait_for(&format!("{name}: work"), || {
        let info = info();
        let works = marks == Marks::None || info.attention == Attention::Working;
        (info.busy && works).then_some(())
    });
    write("\r");
    idle("to be at its prompt in the end");

    let shown = taught.bench.lines(pane);
    let complaints = [
        "read-only",
        "readonly",
        "switchyard",
        "not found",
        "133;",
        "%{",
        "WARNING",
    ];
    for line in &shown {
        let complains = complaints.iter().any(|word| line.contains(word));
        // What was typed may say so.
        let typed = typed.iter().any(|typed| line.ends_with(typed));
        assert!(typed || !complains, "{name}: {shown:#?}");
    }
    // A trap of the user's hears of the command that failed, and of nothing else.
    let trapped = shown.iter().filter(|line| *line == "TRAPPED").count();
    let failed = usize::from(content.contains("TRAPPED"));
    assert_eq!(trapped, failed, "{name}: {shown:#?}");
}

/// All cases at a time: each is a shell that mostly waits.
fn are_followed(file: &'static str, cases: &[Case]) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| is_followed(file, *case));
        }
    });
}

#[test]
fn bash_is_followed_whatever_prompt_it_has() {
    use Marks::{All, Ends, None};
    const BASH: &[&str] = &["bash"];
    are_followed(
        ".bashrc",
        &[
            ("plain", BASH, "PS1='$ '", &[], All),
            (
                "like starship",
                BASH,
                "make() { local s=$?; PS1=\"[$s] $(true)\\$ \"; }\nPROMPT_COMMAND=make",
                &[],
                All,
            ),
            (
                "like direnv",
                BASH,
                "PS1='$ '\nhook() { local s=$?; trap -- '' SIGINT; eval \"$(true)\"; trap - SIGINT; return $s; }\n\
                 PROMPT_COMMAND=\"hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}\"",
                &[],
                All,
            ),
            (
                "an array",
                BASH,
                "PS1='$ '\nPROMPT_COMMAND=('a=$?' 'b=$?')",
                &["source ~/.bashrc"],
                All,
            ),
            (
                "read again",
                BASH,
                "PS1='$ '\nPROMPT_COMMAND='a=$?'",
                &["source ~/.bashrc", ". .bashrc"],
                All,
            ),
            (
                "read again within a function",
                BASH,
                "PS1='$ '\nPROMPT_COMMAND='a=$?'\nagain() { source ~/.bashrc; }",
                &["again"],
                None,
            ),
            ("unset", BASH, "PS1='$ '", &["unset PROMPT_COMMAND"], Ends),
            ("exec bash", BASH, "PS1='$ '", &["exec bash"], None),
            ("exec zsh", BASH, "PS1='$ '", &["exec zsh -f"], None),
            ("exec dash", BASH, "PS1='$ '", &["exec dash"], None),
            (
                "a read-only PROMPT_COMMAND",
                BASH,
                "PS1='$ '\nreadonly PROMPT_COMMAND=:",
                &[],
                All,
            ),
            (
                "a read-only array",
                BASH,
                "PS1='$ '\nreadonly PROMPT_COMMAND=(: :)",
                &[],
                All,
            ),
            (
                "a read-only PS1",
                BASH,
                "readonly PS1='$ '",
                &["source /dev/null"],
                All,
            ),
            (
                "both read-only",
                BASH,
                "readonly PS1='$ ' PROMPT_COMMAND",
                &["source /dev/null"],
                None,
            ),
            (
                "no promptvars",
                BASH,
                "PS1='$ '\nshopt -u promptvars",
                &[],
                All,
            ),
            (
                "no promptvars any more",
                BASH,
                "PS1='$ '",
                &["shopt -u promptvars"],
                All,
            ),
            (
                "an ERR trap",
                BASH,
                "PS1='$ '\nset -E\ntrap 'echo TRAPPED' ERR",
                &[],
                All,
            ),
            ("no unset variables", BASH, "PS1='$ '\nset -u", &[], All),
            ("no files", &["bash", "--norc"], "", &[], None),
        ],
    );
    are_followed(
        ".bash_profile",
        &[("login", &["bash", "-l"], "PS1='$ '", &[], All)],
    );
}

#[test]
fn zsh_is_followed_whatever_prompt_it_has() {
    use Marks::{All, None};
    const ZSH: &[&str] = &["zsh"];
    /// What was printed before the first prompt is kept, to be warned of; a prompt is shown before it is the shell's.
    const INSTANT: &str = "\
        exec {kept}>&1 >$HOME/early\nprint -n 'instant> ' >$TTY\n\
        first() { if [[ -n $kept ]]; then exec >&$kept {kept}>&-; unset kept; print -n '\\r\\e[K'; \
            [[ -s $HOME/early ]] && print WARNING $(<$HOME/early); fi }\n\
        prompt() { PROMPT=\"%(?.ok.bad) %1~ > \"; }\n\
        precmd_functions=(first $precmd_functions prompt)\n\
        zle-line-finish() { PROMPT='> '; zle reset-prompt; }\nzle -N zle-line-finish\n";
    are_followed(
        ".zshrc",
        &[
            ("plain", ZSH, "PS1='%# '", &[], All),
            (
                "like starship",
                ZSH,
                "setopt promptsubst\nmake() { STATUS=$?; }\nprecmd_functions+=(make)\nPROMPT='[$STATUS] $(true)> '",
                &[],
                All,
            ),
            ("like powerlevel10k", ZSH, INSTANT, &[], All),
            (
                "like direnv",
                ZSH,
                "PS1='> '\nhook() { trap -- '' SIGINT; eval \"$(true)\"; trap - SIGINT; }\n\
                 precmd_functions=(hook ${precmd_functions[@]})\nchpwd_functions=(hook)",
                &[],
                All,
            ),
            (
                "read again",
                ZSH,
                "PS1='> '\nmine() { :; }\nprecmd_functions+=(mine)",
                &["source ~/.zshrc"],
                All,
            ),
            (
                "hooks set anew",
                ZSH,
                "PS1='> '\nmine() { :; }\nprecmd_functions=(mine)",
                &["true"],
                All,
            ),
            (
                "no prompt escapes",
                ZSH,
                "PS1='> '\nsetopt nopromptpercent",
                &[],
                All,
            ),
            ("a read-only PS1", ZSH, "readonly PS1='> '", &[], All),
            (
                "a trap of errors",
                ZSH,
                "PS1='> '\ntrap 'echo TRAPPED' ZERR",
                &[],
                All,
            ),
            ("exec zsh", ZSH, "PS1='> '", &["exec zsh"], None),
            ("exec bash", ZSH, "PS1='> '", &["exec bash --norc"], None),
            ("login", &["zsh", "-l"], "PS1='> '", &[], All),
            ("no files", &["zsh", "-f"], "", &[], None),
        ],
    );
}

#[test]
fn fish_is_followed_whatever_prompt_it_has() {
    use Marks::{All, None};
    const FISH: &[&str] = &["fish"];
    are_followed(
        ".config/fish/config.fish",
        &[
            (
                "plain",
                FISH,
                "function fish_prompt; echo '> '; end",
                &[],
                All,
            ),
            (
                "like starship",
                FISH,
                "function fish_prompt; set -l s $status; echo \"[$s] \"(true)'> '; end",
                &[],
                All,
            ),
            (
                "like direnv",
                FISH,
                "function hook --on-event fish_prompt; true | source; end",
                &[],
                All,
            ),
            (
                "read again",
                FISH,
                "function fish_prompt; echo '> '; end",
                &["source ~/.config/fish/config.fish"],
                All,
            ),
            ("exec fish", FISH, "", &["exec fish"], None),
            ("exec bash", FISH, "", &["exec bash --norc"], None),
        ],
    );
}
