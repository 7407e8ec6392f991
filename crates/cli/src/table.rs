//! Tables for people: columns as wide as what is in them, colours only where they are seen.

use unicode_width::UnicodeWidthStr as _;

/// What a cell means, for those who see colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// Of little interest.
    Faint,
    Good,
    Bad,
    /// Something is wanted of the person.
    Urgent,
    /// Something is under way.
    Active,
}

/// One cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    right: bool,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: clean(text.into()),
            ..Self::default()
        }
    }

    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Aligned to the right, as numbers are.
    pub(crate) fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// Rows under a heading.
#[derive(Debug)]
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(heading: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            heading: heading.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn render(&self, colour: bool) -> String {
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.text.width()).max().unwrap_or(0);
                widest.max(self.heading[column].width())
            })
            .collect();
        let right = |column: usize| {
            let first = self.rows.first().and_then(|row| row.get(column));
            first.is_some_and(|cell| cell.right)
        };
        let heading = self.heading.iter().enumerate().map(|(column, text)| {
            let cell = Cell::new(*text).tone(Tone::Faint);
            if right(column) { cell.right() } else { cell }
        });
        let mut text = render_row(&heading.collect::<Vec<_>>(), &widths, colour);
        for row in &self.rows {
            text.push_str(&render_row(row, &widths, colour));
        }
        text
    }
}

fn render_row(cells: &[Cell], widths: &[usize], colour: bool) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if column > 0 {
            line.push_str("  ");
        }
        let space = " ".repeat(width.saturating_sub(cell.text.width()));
        let text = if colour {
            paint(&cell.text, cell.tone)
        } else {
            cell.text.clone()
        };
        if cell.right {
            line.push_str(&space);
            line.push_str(&text);
        } else {
            line.push_str(&text);
            line.push_str(&space);
        }
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

pub(crate) fn paint(text: &str, tone: Tone) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Faint => "2",
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Urgent => "1;33",
        Tone::Active => "36",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// What programs named themselves must not move the cursor of the person who lists them.
fn clean(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .collect()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(["ID", "NAME", "STATE"]);
        table.row([
            Cell::new("1").right(),
            Cell::new("日本"),
            Cell::new("done").tone(Tone::Good),
        ]);
        table.row([
            Cell::new("12").right(),
            Cell::new("a\u{1b}[2Jb"),
            Cell::new(""),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen_and_control_characters_are_not_printed() {
        insta::assert_snapshot!(sample().render(false), @r"
        ID  NAME    STATE
         1  日本    done
        12  a [2Jb
        ");
    }

    #[test]
    fn colours_take_no_room() {
        let line = sample().render(true).lines().nth(1).map(str::to_owned);
        assert_eq!(line.as_deref(), Some(" 1  日本    \u{1b}[32mdone\u{1b}[0m"));
    }
}
