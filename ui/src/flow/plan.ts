import { useEffect, useMemo, useState } from "react";
import { backend } from "../backend/backend";
import type {
  FlowCheck,
  FlowSummary,
  Simulation,
  StubState,
  Stubs,
  Value,
} from "../bindings";
import { type Typed, typedFrom, valuesOf } from "./Fields";
import { keepPlan } from "./flow-store";

/** What a person supposes: what steps come to, which cases switches take. What is not said goes well, and gives what nobody knows. */
interface Supposed {
  steps: Record<string, StubState>;
  switches: Record<string, Value>;
  outputs: Record<string, string>;
  /** Whether the conditions of steps hold. */
  guards: Record<string, boolean>;
}

/** What a person supposes of a run, and the way that it would take. */
export interface Plan extends Supposed {
  typed: Typed;
  setTyped: (typed: Typed) => void;
  setStep: (step: string, state: StubState | undefined) => void;
  setSwitch: (step: string, branch: Value | undefined) => void;
  setOutput: (step: string, output: string | undefined) => void;
  setGuard: (step: string, holds: boolean | undefined) => void;
  simulation: Simulation | null;
  problem: string | null;
}

function withEntry<T>(
  entries: Record<string, T>,
  name: string,
  value: T | undefined,
): Record<string, T> {
  const { [name]: _before, ...rest } = entries;
  return value === undefined ? rest : { ...rest, [name]: value };
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

/** What is supposed, as the engine takes it: of steps that the flow has. */
function stubsOf(
  flow: FlowSummary | null,
  typed: Typed,
  { steps, switches, outputs, guards }: Supposed,
): Stubs {
  const known = new Set(flow?.graph.nodes.map((node) => node.id));
  const named = [...Object.keys(steps), ...Object.keys(outputs)];
  const stubs = [...new Set(named)]
    .filter((id) => known.has(id))
    .map((id) => {
      const output = outputs[id];
      const state = steps[id] ?? null;
      return [id, { state, output: output ?? null, data: asData(output) }];
    });
  return {
    inputs: flow ? valuesOf(flow.inputs, typed) : {},
    steps: Object.fromEntries(stubs) as Stubs["steps"],
    switches: Object.fromEntries(
      Object.entries(switches).filter(([id]) => known.has(id)),
    ),
    guards: Object.fromEntries(
      Object.entries(guards).filter(([id]) => known.has(id)),
    ),
    unnamed: "unknown",
  };
}

/** The way that a run would take with these inputs, if steps came to what the person says. */
export function usePlan(
  path: string,
  text: string | null,
  check: FlowCheck | null,
): Plan {
  const [typed, setTyped] = useState<Typed>({});
  const [supposed, setSupposed] = useState<Supposed>({
    steps: {},
    switches: {},
    outputs: {},
    guards: {},
  });
  const [simulation, setSimulation] = useState<Simulation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const flow = check?.flow ?? null;
  useEffect(() => {
    if (flow) setTyped((before) => ({ ...typedFrom(flow.inputs), ...before }));
  }, [flow]);
  const stubs = useMemo(
    () => stubsOf(flow, typed, supposed),
    [flow, typed, supposed],
  );
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
    ...supposed,
    typed,
    setTyped,
    setStep: (step, state) =>
      setSupposed((before) => ({
        ...before,
        steps: withEntry(before.steps, step, state),
      })),
    setSwitch: (step, branch) =>
      setSupposed((before) => ({
        ...before,
        switches: withEntry(before.switches, step, branch),
      })),
    setOutput: (step, output) =>
      setSupposed((before) => ({
        ...before,
        outputs: withEntry(before.outputs, step, output),
      })),
    setGuard: (step, holds) =>
      setSupposed((before) => ({
        ...before,
        guards: withEntry(before.guards, step, holds),
      })),
    simulation,
    problem,
  };
}
