import type { ThemeColours } from "../bindings";

/** A piece of a line: its text, its colour of the sixteen, and the one behind it. */
type Piece = [text: string, colour?: number, behind?: number];

/** What programs print all day: a prompt, a listing, a change, a compiler, a test. */
const LINES: Piece[][] = [
  [["you@home", 10], [" "], ["~/work", 12], [" (main)", 5], ["$ ls"]],
  [["src", 12], ["  "], ["run.sh", 10], ["  "], ["logo.png", 13], ["  notes"]],
  [["@@ -3,2 +3,2 @@", 6]],
  [["-let port = 80;", 1]],
  [["+let port = 8080;", 2]],
  [["error", 9], [": "], ["not found", 15], [" --> src/a.rs:3"]],
  [["warning", 11], [": unused "], ["`x`", 14]],
  [[" PASS ", 0, 2], [" 12 "], [" FAIL ", 0, 1], [" 1 ", 3], ["# 3s", 8]],
];

/** How a terminal looks in a theme. */
export function TerminalSample({ theme }: { theme: ThemeColours }) {
  const { foreground, background, ansi, cursor } = theme;
  return (
    <pre
      className="sample"
      aria-hidden="true"
      style={{ color: foreground, background }}
    >
      {LINES.map((pieces, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are always the same
        <span key={line} className="sample-line">
          {pieces.map(([text, colour, behind], at) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: so are their pieces
              key={at}
              style={{
                color: colour === undefined ? foreground : ansi[colour],
                ...(behind !== undefined && {
                  color: background,
                  background: ansi[behind],
                }),
              }}
            >
              {text}
            </span>
          ))}
          {line === LINES.length - 1 && (
            <span style={{ background: cursor ?? foreground }}> </span>
          )}
        </span>
      ))}
    </pre>
  );
}
