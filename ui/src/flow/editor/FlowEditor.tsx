import { useEffect, useRef } from "react";
import type { Finding } from "../../bindings";
import { type FlowEditorHost, openEditor } from "./editor-host";
import "./editor.css";
import { Sentence } from "../../shared/Sentence";

export interface FlowEditorProps {
  path: string;
  /** The text as it is to be shown, until a person writes. Another object is another text. */
  given: { text: string };
  findings: Finding[];
  onText: (text: string) => void;
  onSave: () => void;
}

/** The text of a flow with what is wrong in it, there and in a list. */
export function FlowEditor(props: FlowEditorProps) {
  const { path, given, findings } = props;
  const holder = useRef<HTMLDivElement>(null);
  const host = useRef<FlowEditorHost | null>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    if (!holder.current) return;
    const opened = openEditor(holder.current, {
      path,
      text: latest.current.given.text,
      onText: (text) => latest.current.onText(text),
      onSave: () => latest.current.onSave(),
    });
    host.current = opened;
    return () => opened.close();
  }, [path]);
  useEffect(() => host.current?.show(given.text), [given]);
  useEffect(() => host.current?.mark(findings), [findings]);
  return (
    <div className="editor">
      <div className="editor-body" ref={holder} />
      {findings.length > 0 && (
        <ul className="editor-findings" aria-label="What is wrong">
          {findings.map((finding) => (
            <li
              key={`${finding.at.line}:${finding.at.column}${finding.message}`}
            >
              <FindingRow
                finding={finding}
                onPick={() => host.current?.goTo(finding)}
              />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function FindingRow({
  finding: { severity, at, message, hint },
  onPick,
}: {
  finding: Finding;
  onPick: () => void;
}) {
  return (
    <button
      type="button"
      className="editor-finding"
      data-severity={severity}
      onClick={onPick}
    >
      <span className="finding-at">
        {severity === "error" ? "✗" : "!"} {at.line}:{at.column}
      </span>
      <span>
        <span className="finding-severity">{severity}: </span>
        <Sentence text={message} />
        {hint && (
          <span className="faint">
            {" "}
            (<Sentence text={hint} />)
          </span>
        )}
      </span>
    </button>
  );
}
