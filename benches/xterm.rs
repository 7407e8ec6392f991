//! Plain xterm.js in the same web view, beside which the window is measured: bytes written as fast as its callback
//! allows, with no terminal behind them and no flood path; and its search addon over the lines of a file.
//!
//! `bench-xterm LINES`; prints rows and asserts nothing. The page is the window's own, with xterm.js' published build
//! put into it.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use anyhow::{Context, Result};
use serde_json::Value;
use support::{Home, Window};

/// Adds a style sheet to the page.
const STYLES: &str = r#"
const [text, done] = arguments;
const element = document.createElement("style");
element.textContent = text;
document.head.append(element);
done(null);
"#;

/// Writes so many megabytes of plain or coloured lines in pieces of 64 KiB, each when the one before was parsed.
const WRITE: &str = r#"
const [megabytes, coloured, done] = arguments;
const element = document.createElement("div");
element.style.cssText = "position:fixed;inset:0;z-index:999";
document.body.append(element);
const terminal = new window.Terminal({ cols: 160, rows: 48, scrollback: 5000, allowProposedApi: true });
terminal.open(element);
const words = "the yard is quiet and the rails run on past signal box number".split(" ");
let text = "";
for (let n = 0; text.length < 4_000_000; n++) {
  let line = "";
  for (let i = 0; i < 4 + (n % 11); i++) line += words[(n * 7 + i) % words.length] + " ";
  const number = String(n).padStart(8, "0");
  text += coloured ? `\x1b[${31 + (n % 7)}m${number}\x1b[0m \x1b[1m${line}\x1b[22m\r\n` : `${number} ${line}\r\n`;
}
const bytes = new TextEncoder().encode(text);
const start = performance.now();
let left = megabytes * 1_000_000, at = 0;
const next = () => {
  if (left <= 0) {
    const took = performance.now() - start;
    terminal.dispose();
    element.remove();
    done(took);
    return;
  }
  const piece = bytes.subarray(at, at + 65536);
  at = at + 65536 >= bytes.length ? 0 : at + 65536;
  left -= piece.length;
  terminal.write(piece, next);
};
next();
"#;

/// Fills a terminal with a file's lines, then looks for each pattern from the end to the first match, with all
/// matches marked as its find bars do; and returns milliseconds and how many it counted.
const SEARCH: &str = r##"
const [text, patterns, done] = arguments;
const element = document.createElement("div");
element.style.cssText = "position:fixed;inset:0;z-index:999";
document.body.append(element);
const terminal = new window.Terminal({ cols: 160, rows: 48, scrollback: 60000, allowProposedApi: true });
const addon = new window.SearchAddon.SearchAddon({ highlightLimit: 1_000_000 });
terminal.loadAddon(addon);
terminal.open(element);
const decorations = { matchOverviewRuler: "#888888", activeMatchColorOverviewRuler: "#ffffff" };
let count = -1;
addon.onDidChangeResults((results) => { count = results.resultCount; });
terminal.write(text.replaceAll("\n", "\r\n"), () => {
  const rows = patterns.map(({ pattern, regex }) => {
    const times = [];
    for (let round = 0; round < 3; round++) {
      addon.clearDecorations();
      terminal.clearSelection();
      count = -1;
      const start = performance.now();
      addon.findPrevious(pattern, { regex, caseSensitive: false, decorations });
      times.push(performance.now() - start);
    }
    return { pattern, took: times.sort((a, b) => a - b)[1], count };
  });
  terminal.dispose();
  element.remove();
  done(rows);
});
"##;

#[tokio::main]
async fn main() -> Result<()> {
    let lines = std::env::args()
        .nth(1)
        .context("bench-xterm LINES: a file of lines to search")?;
    let lines = std::fs::read_to_string(lines)?;
    let megabytes: u32 = std::env::var("MEGABYTES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let home = Home::new()?;
    let window = Window::open(&home).await?;
    window.first_pane().await?;
    for library in ["xterm/lib/xterm.js", "addon-search/lib/addon-search.js"] {
        let path = format!("ui/node_modules/@xterm/{library}");
        let source =
            std::fs::read_to_string(&path).with_context(|| format!("`{path}`: make ui"))?;
        // The build is a module for whoever has modules, and else puts its names into `this`.
        window
            .script(&format!(
                "(function (module, exports, define) {{ {source}\n }}).call(window); return null;"
            ))
            .await?;
    }
    let styles = std::fs::read_to_string("ui/node_modules/@xterm/xterm/css/xterm.css")?;
    run(&window, STYLES, vec![styles.into()]).await?;
    println!(
        "\n{:<44} {:>9} {:>9}",
        "plain xterm.js, parsed and drawn", "ms", "MB/s"
    );
    for (label, coloured) in [("plain", false), ("coloured", true)] {
        let took = run(&window, WRITE, vec![megabytes.into(), coloured.into()]).await?;
        let took = took.as_f64().context("milliseconds")?;
        let rate = f64::from(megabytes) * 1000.0 / took;
        println!(
            "{:<44} {took:>9.0} {rate:>9.1}",
            format!("{label}, {megabytes} MB")
        );
    }
    let patterns = serde_json::json!([
        { "pattern": "needle-in-hay", "regex": false },
        { "pattern": "Nowhere-to-be-found", "regex": false },
        { "pattern": "error", "regex": false },
        { "pattern": r"timeout after \d+ ms", "regex": true },
        { "pattern": r"[a-f0-9]{8}-[a-f0-9]{4}$", "regex": true },
    ]);
    let count = lines.lines().count();
    println!(
        "\n{:<44} {:>9} {:>9}",
        format!("xterm.js' search addon, {count} lines"),
        "ms",
        "matches"
    );
    let rows = run(&window, SEARCH, vec![lines.into(), patterns]).await?;
    for row in rows.as_array().context("rows")? {
        let took = row["took"].as_f64().unwrap_or(f64::NAN);
        println!(
            "{:<44} {took:>9.1} {:>9}",
            row["pattern"].as_str().unwrap_or_default(),
            row["count"]
        );
    }
    window.close().await
}

async fn run(window: &Window, script: &str, arguments: Vec<Value>) -> Result<Value> {
    Ok(window.client.execute_async(script, arguments).await?)
}
