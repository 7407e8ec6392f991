//! Where a command prints, and how: text for people, JSON for programs, errors apart.

use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::table::Table;

/// Standard output and standard error of one command.
pub struct Output<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    colour: bool,
    json: bool,
    /// Whether a person at a terminal can be asked.
    person: bool,
}

impl<'a> Output<'a> {
    /// The process's own, with colours if a person reads them.
    pub fn of_process() -> Self {
        let colour = io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            colour,
            json: false,
            person: io::stdout().is_terminal() && io::stdin().is_terminal(),
        }
    }

    /// Any two writers; no colours.
    pub fn to(out: impl Write + 'a, err: impl Write + 'a) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            colour: false,
            json: false,
            person: false,
        }
    }

    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// From now on nobody reads.
    pub(crate) fn nowhere(&mut self) {
        self.out = Box::new(io::sink());
        self.err = Box::new(io::sink());
        self.colour = false;
        self.person = false;
    }

    pub(crate) fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Whether a person at a terminal can be asked.
    pub(crate) fn has_person(&self) -> bool {
        self.person && !self.json
    }

    /// How many letters fit beside each other; none: it is no terminal.
    pub(crate) fn columns(&self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }

    /// Whether the reader is a program.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Prints one value for a program, on lines of its own.
    pub(crate) fn value(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    /// Prints one value for a program, on one line: one of many.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Prints text as it is.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Prints a table, aligned.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        let text = table.render(self.colour);
        self.text(&text)
    }

    /// Says what went wrong. There is nothing to do if even that fails.
    pub(crate) fn error(&mut self, message: &str) {
        let _ = writeln!(self.err, "switchyard: {message}");
    }
}

/// A directory as people write it.
pub(crate) fn short(directory: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    match directory.strip_prefix(&home) {
        Some(rest) if !home.is_empty() && (rest.is_empty() || rest.starts_with('/')) => {
            format!("~{rest}")
        }
        _ => directory.to_owned(),
    }
}
