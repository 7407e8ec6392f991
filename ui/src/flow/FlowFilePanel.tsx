import { lazy, Suspense, useCallback } from "react";
import type { FlowCheck } from "../bindings";
import { Button } from "../shared/Button";
import { FlowCanvas } from "./FlowCanvas";
import { useCheck, useFlowFile } from "./flow-file";
import { pick, planKey, useFlows } from "./flow-store";
import { usePlan } from "./plan";
import { askToStart } from "./StartDialog";
import { WhatIf } from "./WhatIf";
import "./file.css";
import { Sentence } from "../shared/Sentence";

// The editor is large, and most who start a flow never write one.
const FlowEditor = lazy(async () => ({
  default: (await import("./editor/FlowEditor")).FlowEditor,
}));

/** A flow's file: its text with what is wrong in it, and the way that a run would take. */
export function FlowFilePanel({ path }: { path: string }) {
  const { opened, problem, edit, save, takeTheirs, keepMine } =
    useFlowFile(path);
  const text = opened?.text ?? null;
  const check = useCheck(text);
  if (!opened)
    return (
      <div className="run-empty">
        <Sentence text={problem ?? "Reading the flow's file…"} />
      </div>
    );
  return (
    <section
      className="flow-file"
      aria-label={`Flow ${path}`}
      data-testid="flow-file"
    >
      <FileHead
        path={path}
        dirty={opened.text !== opened.disk}
        check={check}
        onSave={() => void save()}
        onRevert={takeTheirs}
      />
      {opened.theirs && (
        <p className="flow-notice" role="alert">
          The file was changed by another program.
          <Button onClick={takeTheirs}>Take its text</Button>
          <Button onClick={keepMine}>Keep mine</Button>
        </p>
      )}
      {problem !== null && (
        <p className="form-problem flow-notice" role="alert">
          <Sentence text={problem} />
        </p>
      )}
      <div className="flow-split">
        <Suspense fallback={<div className="editor" aria-busy="true" />}>
          <FlowEditor
            path={path}
            given={opened.given}
            findings={check?.findings ?? NONE}
            onText={edit}
            onSave={() => void save()}
          />
        </Suspense>
        <PlanSide path={path} text={text} check={check} />
      </div>
    </section>
  );
}

const NONE: FlowCheck["findings"] = [];

function FileHead({
  path,
  dirty,
  check,
  onSave,
  onRevert,
}: {
  path: string;
  dirty: boolean;
  check: FlowCheck | null;
  onSave: () => void;
  onRevert: () => void;
}) {
  return (
    <header className="run-head">
      <span className="flow-path" title={path}>
        {path}
      </span>
      {dirty && (
        <>
          <span className="flow-dirty">not saved</span>
          <button
            type="button"
            className="link-button"
            title="The text on disk again; Ctrl+Z brings yours back"
            data-testid="revert-flow"
            onClick={onRevert}
          >
            Revert
          </button>
        </>
      )}
      <span className="spacer" />
      <span
        className="flow-verdict"
        data-good={check?.good}
        data-testid="flow-verdict"
      >
        {check ? verdictOf(check) : "…"}
      </span>
      <Button disabled={!dirty} data-testid="save-flow" onClick={onSave}>
        Save
      </Button>
      <Button
        look="primary"
        disabled={!check?.good || dirty}
        title={dirty ? "Save it first: a run reads the file" : undefined}
        data-testid="start-flow"
        onClick={() => askToStart(path)}
      >
        Start a run…
      </Button>
    </header>
  );
}

/** What is wrong, in numbers: of errors when there are any. */
function verdictOf({ findings }: FlowCheck): string {
  const counted = (count: number, what: string) =>
    `${count} ${what}${count === 1 ? "" : "s"}`;
  const errors = findings.filter((one) => one.severity === "error").length;
  if (errors > 0) return counted(errors, "error");
  return findings.length > 0
    ? counted(findings.length, "warning")
    : "no mistakes";
}

/** The picture of the flow, and the way that a run would take through it. */
function PlanSide({
  path,
  text,
  check,
}: {
  path: string;
  text: string | null;
  check: FlowCheck | null;
}) {
  const plan = usePlan(path, text, check);
  const known = useFlows((state) => state.models[planKey(path)] !== undefined);
  const onStep = useCallback(
    (step: string) => pick({ run: planKey(path), step }),
    [path],
  );
  if (!check?.flow && !known)
    return (
      <div className="flow-plan">
        <div className="run-empty">
          {check === null
            ? "Reading the flow…"
            : "The picture comes when the mistakes are gone."}
        </div>
      </div>
    );
  return (
    <div className="flow-plan">
      {check?.flow ? (
        <WhatIf path={path} check={check} plan={plan} />
      ) : (
        <p className="what-if faint">The flow as it was before the mistakes.</p>
      )}
      <FlowCanvas model={planKey(path)} onStep={onStep} />
    </div>
  );
}
