import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import {
  defaultKeymap,
  history,
  historyField,
  historyKeymap,
  indentWithTab,
  isolateHistory,
} from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import {
  type Diagnostic,
  lintGutter,
  nextDiagnostic,
  setDiagnostics,
} from "@codemirror/lint";
import {
  highlightSelectionMatches,
  search,
  searchKeymap,
} from "@codemirror/search";
import {
  EditorState,
  type Extension,
  Prec,
  Transaction,
} from "@codemirror/state";
import {
  Decoration,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import type { Finding } from "../../bindings";
import { saidParts } from "../../shared/said-parts";
import { flowCompletion } from "./completion";

/** A sentence of the backend, as `Said` draws it. */
function drawn(sentence: string): HTMLElement {
  const whole = document.createElement("span");
  for (const { text, code } of saidParts(sentence)) {
    const part = document.createElement(code ? "code" : "span");
    part.textContent = text;
    whole.append(part);
  }
  return whole;
}

/** One editor on screen. */
export interface FlowEditorHost {
  /** Shows a text that was not written here; what was undone by it can be had back. */
  show(text: string): void;
  /** Marks what is wrong at its place. */
  mark(findings: Finding[]): void;
  /** Puts the cursor where something is wrong. */
  goTo(finding: Finding): void;
  close(): void;
}

export interface FlowEditorOptions {
  /** The file: under its name the way back is kept when the editor closes. */
  path: string;
  text: string;
  onText: (text: string) => void;
  onSave: () => void;
}

/** How the last editor of a file was left. */
interface Left {
  /** What was written, and can be undone. */
  state: unknown;
  /** The place that was read; none: the beginning. */
  place: ReturnType<EditorView["scrollSnapshot"]> | undefined;
}

/** How editors were left, by the file, while they are not on screen. */
const kept = new Map<string, Left>();
const KEPT = { history: historyField };

const templates = new MatchDecorator({
  regexp: /\{\{.*?\}\}/g,
  decoration: Decoration.mark({ class: "tok-template" }),
});

/** Templates stand out, whatever kind of text they are in. */
const templateMarks = Prec.highest(
  ViewPlugin.define(
    (view) => ({
      marks: templates.createDeco(view),
      update(update) {
        this.marks = templates.updateDeco(update, this.marks);
      },
    }),
    { decorations: (plugin) => plugin.marks },
  ),
);

const look: Extension = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  yaml(),
  syntaxHighlighting(classHighlighter),
  templateMarks,
  bracketMatching(),
  highlightSelectionMatches(),
  lintGutter(),
];

function extensions({ onText, onSave }: FlowEditorOptions): Extension {
  const save = () => {
    onSave();
    return true;
  };
  return [
    look,
    history(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    indentOnInput(),
    closeBrackets(),
    search({ top: true }),
    autocompletion({ override: [flowCompletion], icons: false }),
    keymap.of([
      { key: "Ctrl-s", run: save },
      { key: "F8", run: nextDiagnostic },
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    EditorView.contentAttributes.of({
      "aria-label": "Text of the flow",
      "aria-description": "Tab indents; Escape, then Tab, leaves the text.",
      "data-testid": "flow-text",
    }),
    EditorView.updateListener.of(({ docChanged, state, transactions }) => {
      const given = transactions.some((one) =>
        one.annotation(Transaction.remote),
      );
      if (docChanged && !given) onText(state.doc.toString());
    }),
  ];
}

/** The way back and the place that the file's last editor had, if that editor left with the same text. */
function beginning(options: FlowEditorOptions): {
  state: EditorState;
  scrollTo?: NonNullable<Left["place"]>;
} {
  const config = { extensions: extensions(options) };
  const before = kept.get(options.path);
  if (before !== undefined) {
    const state = EditorState.fromJSON(before.state, config, KEPT);
    const { place } = before;
    if (state.doc.toString() === options.text)
      return { state, ...(place && { scrollTo: place }) };
  }
  return { state: EditorState.create({ ...config, doc: options.text }) };
}

/** Where a finding is, as far as the text still has that place: the word there, or the place alone. */
function rangeOf(
  { doc }: EditorState,
  { at }: Finding,
): { from: number; to: number } {
  const line = doc.line(Math.min(Math.max(at.line, 1), doc.lines));
  const before = [...line.text].slice(0, at.column - 1).join("").length;
  const from = line.from + Math.min(before, line.length);
  const word = /^[\w-]+/.exec(line.text.slice(from - line.from))?.[0] ?? "";
  return { from, to: from + word.length };
}

/** Opens an editor in `parent`. */
export function openEditor(
  parent: HTMLElement,
  options: FlowEditorOptions,
): FlowEditorHost {
  const view = new EditorView({ parent, ...beginning(options) });
  let place = kept.get(options.path)?.place;
  // What is taken out of the page has no place any more.
  view.scrollDOM.addEventListener("scroll", () => {
    if (view.scrollDOM.clientHeight > 0) place = view.scrollSnapshot();
  });
  return {
    show(text) {
      const now = view.state.doc.toString();
      if (now === text) return;
      let from = 0;
      while (from < text.length && text[from] === now[from]) from++;
      let same = 0;
      const most = Math.min(text.length, now.length) - from;
      while (same < most && text.at(-1 - same) === now.at(-1 - same)) same++;
      const insert = text.slice(from, text.length - same);
      view.dispatch({
        changes: { from, to: now.length - same, insert },
        // Undone by itself, however soon it came after what was written.
        annotations: [Transaction.remote.of(true), isolateHistory.of("full")],
      });
    },
    mark(findings) {
      const marks = findings.map((finding): Diagnostic => {
        const { severity, message: what, hint } = finding;
        const message = hint === null ? what : `${what} (${hint})`;
        return {
          ...rangeOf(view.state, finding),
          severity,
          message,
          renderMessage: () => drawn(message),
        };
      });
      view.dispatch(setDiagnostics(view.state, marks));
    },
    goTo(finding) {
      const { from } = rangeOf(view.state, finding);
      const effects = EditorView.scrollIntoView(from, { y: "center" });
      view.dispatch({ selection: { anchor: from }, effects });
      view.focus();
    },
    close() {
      kept.set(options.path, { state: view.state.toJSON(KEPT), place });
      view.destroy();
    },
  };
}
