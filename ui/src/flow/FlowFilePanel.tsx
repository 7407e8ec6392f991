import {
  type ChangeEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type {
  Finding,
  FlowCheck,
  GraphNode,
  Simulation,
  StubState,
  Stubs,
  Value,
} from "../bindings";
import { Button } from "../shared/Button";
import { Fields, type Typed, typedFrom, valuesOf } from "./Fields";
import { FlowCanvas } from "./FlowCanvas";
import { keepPlan, pick, planKey, useFlows } from "./flow-store";
import { askToStart } from "./StartDialog";
import "./file.css";
import { STATE_WORDS } from "./words";

/** How long typing must rest before the text is looked at. */
const LOOK_AFTER_MS = 150;

interface Opened {
  /** The text as it is on disk. */
  disk: string;
  text: string;
  /** It was changed on disk while there are changes here. */
  theirs: boolean;
}

/** A flow's file: its text with what is wrong in it, and the way that a run would take. */
export function FlowFilePanel({ path }: { path: string }) {
  const { opened, problem, edit, save, takeTheirs, keepMine } =
    useFlowFile(path);
  const text = opened?.text ?? null;
  const check = useCheck(text);
  const plan = usePlan(path, text, check);
  const known = useFlows((state) => state.models[planKey(path)] !== undefined);
  const onStep = useCallback(
    (step: string) => pick({ run: planKey(path), step }),
    [path],
  );
  if (!opened)
    return (
      <div className="run-empty">{problem ?? "Reading the flow's file…"}</div>
    );
  const drawn = check?.flow != null || known;
  const dirty = opened.text !== opened.disk;
  const errors = check?.findings.filter((one) => one.severity === "error");
  return (
    <section
      className="flow-file"
      aria-label={`Flow ${path}`}
      data-testid="flow-file"
    >
      <header className="run-head">
        <span className="flow-path" title={path}>
          {path}
        </span>
        {dirty && <span className="flow-dirty">not saved</span>}
        <span className="spacer" />
        <span
          className="flow-verdict"
          data-good={check?.good}
          data-testid="flow-verdict"
        >
          {check === null
            ? "…"
            : errors && errors.length > 0
              ? `${errors.length} ${errors.length === 1 ? "error" : "errors"}`
              : check.findings.length > 0
                ? `${check.findings.length} ${check.findings.length === 1 ? "warning" : "warnings"}`
                : "no mistakes"}
        </span>
        <Button
          disabled={!dirty}
          data-testid="save-flow"
          onClick={() => void save()}
        >
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
      {opened.theirs && (
        <p className="flow-notice" role="alert">
          The file was changed by another program.
          <Button onClick={takeTheirs}>Take its text</Button>
          <Button onClick={keepMine}>Keep mine</Button>
        </p>
      )}
      {problem !== null && (
        <p className="form-problem flow-notice" role="alert">
          {problem}
        </p>
      )}
      <div className="flow-split">
        <Editor
          text={opened.text}
          findings={check?.findings ?? []}
          onText={edit}
          onSave={() => void save()}
        />
        <div className="flow-plan">
          {drawn ? (
            <>
              {check?.flow ? (
                <WhatIf path={path} check={check} plan={plan} />
              ) : (
                <p className="what-if faint">
                  The flow as it was before the mistakes.
                </p>
              )}
              <FlowCanvas model={planKey(path)} onStep={onStep} />
            </>
          ) : (
            <div className="run-empty">
              {check === null
                ? "Reading the flow…"
                : "The picture comes when the mistakes are gone."}
            </div>
          )}
        </div>
      </div>
    </section>
  );
}

function useFlowFile(path: string) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    setOpened(null);
    setProblem(null);
    const told = (disk: string) => {
      if (!wanted) return;
      setOpened((before) => {
        if (!before || before.text === before.disk || before.text === disk)
          return { disk, text: disk, theirs: false };
        return { ...before, theirs: disk !== before.disk };
      });
    };
    const stop = backend.followFlow(path, told);
    void backend.readFlow(path).then((read) => {
      if (!wanted) return;
      if (read.status === "ok") told(read.data);
      else setProblem(read.error.message);
    });
    return () => {
      wanted = false;
      stop();
    };
  }, [path]);
  const current = useRef(opened);
  current.current = opened;
  const edit = useCallback((text: string) => {
    setOpened((before) => before && { ...before, text });
  }, []);
  const save = useCallback(async () => {
    const now = current.current;
    if (!now || now.text === now.disk) return;
    const saved = await backend.writeFlow(path, now.text, now.disk);
    if (saved.status === "error") {
      setProblem(saved.error.message);
      return;
    }
    setProblem(null);
    setOpened(
      (before) => before && { ...before, disk: now.text, theirs: false },
    );
  }, [path]);
  const read = useCallback(
    async (then: (disk: string, mine: string) => Opened) => {
      const disk = await backend.readFlow(path);
      if (disk.status === "error") setProblem(disk.error.message);
      else setOpened((before) => before && then(disk.data, before.text));
    },
    [path],
  );
  return {
    opened,
    problem,
    edit,
    save,
    takeTheirs: () =>
      void read((disk) => ({ disk, text: disk, theirs: false })),
    keepMine: () => void read((disk, text) => ({ disk, text, theirs: false })),
  };
}

function useCheck(text: string | null): FlowCheck | null {
  const [check, setCheck] = useState<FlowCheck | null>(null);
  useEffect(() => {
    if (text === null) return;
    let wanted = true;
    const timer = setTimeout(async () => {
      const answer = await backend.checkFlow(text);
      if (wanted && answer.status === "ok") setCheck(answer.data);
    }, LOOK_AFTER_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text]);
  return check;
}

interface Plan {
  typed: Typed;
  setTyped: (typed: Typed) => void;
  steps: Record<string, StubState>;
  setStep: (step: string, state: StubState | null) => void;
  switches: Record<string, Value>;
  setSwitch: (step: string, branch: Value | undefined) => void;
  outputs: Record<string, string>;
  setOutput: (step: string, output: string) => void;
  simulation: Simulation | null;
  problem: string | null;
}

/** The way that a run would take with these inputs, if steps came to what the person says. */
function usePlan(
  path: string,
  text: string | null,
  check: FlowCheck | null,
): Plan {
  const [typed, setTyped] = useState<Typed>({});
  const [steps, setSteps] = useState<Record<string, StubState>>({});
  const [switches, setSwitches] = useState<Record<string, Value>>({});
  const [outputs, setOutputs] = useState<Record<string, string>>({});
  const [simulation, setSimulation] = useState<Simulation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const flow = check?.flow ?? null;
  useEffect(() => {
    if (flow) setTyped((before) => ({ ...typedFrom(flow.inputs), ...before }));
  }, [flow]);
  const stubs = useMemo<Stubs>(() => {
    const known = new Set(flow?.graph.nodes.map((node) => node.id));
    const of: Stubs["steps"] = {};
    for (const id of new Set([...Object.keys(steps), ...Object.keys(outputs)]))
      if (known.has(id))
        of[id] = {
          state: steps[id] ?? null,
          output: outputs[id] ?? null,
          data: asData(outputs[id]),
        };
    return {
      inputs: flow ? valuesOf(flow.inputs, typed) : {},
      steps: of,
      switches: Object.fromEntries(
        Object.entries(switches).filter(([id]) => known.has(id)),
      ),
      guards: {},
    };
  }, [flow, typed, steps, switches, outputs]);
  useEffect(() => {
    if (!flow || text === null) return;
    let wanted = true;
    void backend.simulateFlow(text, stubs).then((answer) => {
      if (!wanted) return;
      const result = answer.status === "ok" ? answer.data : null;
      setSimulation(result);
      setProblem(answer.status === "error" ? answer.error.message : null);
      keepPlan(path, flow.graph, result);
    });
    return () => {
      wanted = false;
    };
  }, [path, flow, text, stubs]);
  return {
    typed,
    setTyped,
    steps,
    setStep: (step, state) =>
      setSteps(({ [step]: _before, ...rest }) =>
        state === null ? rest : { ...rest, [step]: state },
      ),
    switches,
    setSwitch: (step, branch) =>
      setSwitches(({ [step]: _before, ...rest }) =>
        branch === undefined ? rest : { ...rest, [step]: branch },
      ),
    outputs,
    setOutput: (step, output) =>
      setOutputs(({ [step]: _before, ...rest }) =>
        output === "" ? rest : { ...rest, [step]: output },
      ),
    simulation,
    problem,
  };
}

/** An output that is JSON is data as well. */
function asData(output: string | undefined): Value | null {
  if (output === undefined) return null;
  try {
    return JSON.parse(output) as Value;
  } catch {
    return null;
  }
}

const OUTCOMES: StubState[] = [
  "succeeded",
  "failed",
  "timed_out",
  "rejected",
  "cancelled",
];

/** What the plan supposes: inputs, and what the picked step comes to. */
function WhatIf({
  path,
  check,
  plan,
}: {
  path: string;
  check: FlowCheck;
  plan: Plan;
}) {
  const picked = useFlows((state) =>
    state.picked?.run === planKey(path) ? state.picked.step : null,
  );
  const flow = check.flow;
  if (!flow) return null;
  const node = flow.graph.nodes.find((one) => one.id === picked);
  const { simulation } = plan;
  const simulated = node ? simulation?.steps[node.id] : undefined;
  return (
    <div className="what-if" data-testid="what-if">
      <div className="what-if-row">
        <strong>Plan</strong>
        {plan.problem !== null ? (
          <span className="form-problem">{plan.problem}</span>
        ) : (
          simulation && (
            <span className="faint" data-testid="plan-outcome">
              {simulation.nothing_ran
                ? "nothing would run"
                : `it would have ${STATE_WORDS[simulation.state]}, with ${simulation.order.length} of ${flow.graph.nodes.length} steps run`}
            </span>
          )
        )}
        <span className="spacer" />
        {flow.inputs.length > 0 && (
          <details className="what-if-inputs">
            <summary>Inputs</summary>
            <div className="fields">
              <Fields
                fields={flow.inputs}
                typed={plan.typed}
                onTyped={plan.setTyped}
              />
            </div>
          </details>
        )}
      </div>
      {node ? (
        <StepStub key={node.id} node={node} plan={plan} />
      ) : (
        <p className="faint">
          Pick a step to say what it comes to; the way is drawn anew.
        </p>
      )}
      {simulated?.error && <p className="form-problem">{simulated.error}</p>}
    </div>
  );
}

function StepStub({ node, plan }: { node: GraphNode; plan: Plan }) {
  const id = `stub-${node.id}`;
  if (node.kind === "switch") {
    const chosen = plan.switches[node.id];
    return (
      <div className="what-if-row">
        <label htmlFor={id}>{node.id} takes</label>
        <select
          id={id}
          className="text-input"
          value={chosen === undefined ? "?" : JSON.stringify(chosen)}
          data-testid="stub-switch"
          onChange={(event) =>
            plan.setSwitch(
              node.id,
              event.target.value === "?"
                ? undefined
                : (JSON.parse(event.target.value) as Value),
            )
          }
        >
          <option value="?">what its conditions say</option>
          {node.cases.map((one, index) =>
            one.when === null ? (
              <option key={one.label} value='"default"'>
                default
              </option>
            ) : (
              <option key={one.label} value={String(index)}>
                {one.label}
              </option>
            ),
          )}
          <option value="null">no case</option>
        </select>
      </div>
    );
  }
  return (
    <div className="what-if-row">
      <label htmlFor={id}>{node.id}</label>
      <select
        id={id}
        className="text-input"
        value={plan.steps[node.id] ?? "succeeded"}
        data-testid="stub-state"
        onChange={(event) =>
          plan.setStep(
            node.id,
            event.target.value === "succeeded"
              ? null
              : (event.target.value as StubState),
          )
        }
      >
        {OUTCOMES.map((state) => (
          <option key={state} value={state}>
            {STATE_WORDS[state]}
          </option>
        ))}
      </select>
      <input
        className="text-input"
        aria-label={`Output of ${node.id}`}
        placeholder="with this output"
        value={plan.outputs[node.id] ?? ""}
        onChange={(event) => plan.setOutput(node.id, event.target.value)}
      />
    </div>
  );
}

/** A plain editor with line numbers, and each finding at its line. */
function Editor({
  text,
  findings,
  onText,
  onSave,
}: {
  text: string;
  findings: Finding[];
  onText: (text: string) => void;
  onSave: () => void;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => text.split("\n").length, [text]);
  const byLine = useMemo(() => {
    const of = new Map<number, Finding[]>();
    for (const finding of findings)
      of.set(finding.at.line, [...(of.get(finding.at.line) ?? []), finding]);
    return of;
  }, [findings]);
  function goTo(finding: Finding) {
    const element = area.current;
    if (!element) return;
    const before = text.split("\n").slice(0, finding.at.line - 1);
    const at =
      before.reduce((sum, line) => sum + line.length + 1, 0) +
      finding.at.column -
      1;
    element.focus();
    element.setSelectionRange(at, at);
    element.scrollTop = Math.max((finding.at.line - 6) * 18, 0);
  }
  return (
    <div className="editor">
      <div className="editor-body">
        <div className="editor-gutter" ref={gutter} aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => {
            const own = byLine.get(index + 1);
            const worst = own?.some((one) => one.severity === "error")
              ? "error"
              : own && "warning";
            return (
              <div
                // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other name
                key={index}
                className="editor-line"
                data-finding={worst}
                title={own?.map((one) => one.message).join("\n")}
              >
                {worst ? (worst === "error" ? "✗" : "!") : ""} {index + 1}
              </div>
            );
          })}
        </div>
        <textarea
          ref={area}
          className="editor-text"
          aria-label="Text of the flow"
          data-testid="flow-text"
          spellCheck={false}
          wrap="off"
          value={text}
          onChange={(event: ChangeEvent<HTMLTextAreaElement>) =>
            onText(event.target.value)
          }
          onScroll={(event) => {
            if (gutter.current)
              gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
          onKeyDown={(event) => {
            if (event.ctrlKey && event.key === "s") {
              event.preventDefault();
              onSave();
            }
          }}
        />
      </div>
      {findings.length > 0 && (
        <ul className="editor-findings" aria-label="What is wrong">
          {findings.map((finding) => (
            <li
              key={`${finding.at.line}:${finding.at.column}${finding.message}`}
            >
              <button
                type="button"
                className="editor-finding"
                data-severity={finding.severity}
                onClick={() => goTo(finding)}
              >
                <span className="finding-at">
                  {finding.severity === "error" ? "✗" : "!"} {finding.at.line}:
                  {finding.at.column}
                </span>
                <span>
                  <span className="finding-severity">{finding.severity}: </span>
                  {finding.message}
                  {finding.hint && (
                    <span className="faint"> ({finding.hint})</span>
                  )}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
