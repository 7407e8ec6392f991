import { Fragment } from "react";
import type {
  FlowCheck,
  GraphNode,
  Simulation,
  StubState,
  Value,
} from "../bindings";
import { Sentence } from "../shared/Sentence";
import { Fields } from "./Fields";
import { planKey, useFlows } from "./flow-store";
import type { Plan } from "./plan";
import { STATE_WORDS } from "./words";

const OUTCOMES: StubState[] = [
  "succeeded",
  "failed",
  "timed_out",
  "rejected",
  "cancelled",
];

/** What the plan supposes: inputs, and what the picked step comes to. */
export function WhatIf({
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
          <span className="form-problem">
            <Sentence text={plan.problem} />
          </span>
        ) : (
          simulation && (
            <span className="faint" data-testid="plan-outcome">
              <Outcome
                simulation={simulation}
                steps={flow.graph.nodes.length}
              />
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
        node.kind === "switch" ? (
          <SwitchStub key={node.id} node={node} plan={plan} />
        ) : (
          <StepStub key={node.id} node={node} plan={plan} />
        )
      ) : (
        <p className="faint">
          Pick a step to say what it comes to; the way is drawn anew.
        </p>
      )}
      {node && simulated?.depends_on && (
        <p className="faint" data-testid="step-depends">
          What becomes of {node.id} depends on{" "}
          <Names names={simulated.depends_on} />.
        </p>
      )}
      {simulated?.error && (
        <p className="form-problem">
          <Sentence text={simulated.error} />
        </p>
      )}
    </div>
  );
}

function Outcome({
  simulation: { state, depends_on = [], nothing_ran, order },
  steps,
}: {
  simulation: Simulation;
  steps: number;
}) {
  if (nothing_ran) return "nothing would run";
  const run = `${order.length} of ${steps} steps run`;
  if (state !== null) return `it would have ${STATE_WORDS[state]}, with ${run}`;
  return (
    <>
      {run}; the rest depends on <Names names={depends_on} />
    </>
  );
}

function Names({ names }: { names: string[] }) {
  return names.map((name, index) => (
    <Fragment key={name}>
      {index > 0 && ", "}
      <code>{name}</code>
    </Fragment>
  ));
}

/** Whether the condition of a step holds. */
function GuardStub({ node, plan }: { node: GraphNode; plan: Plan }) {
  const holds = plan.guards[node.id];
  return (
    <select
      className="text-input"
      aria-label={`Condition of ${node.id}`}
      value={holds === undefined ? "?" : String(holds)}
      data-testid="stub-guard"
      onChange={({ target: { value } }) =>
        plan.setGuard(node.id, value === "?" ? undefined : value === "true")
      }
    >
      <option value="?">if its condition holds</option>
      <option value="true">its condition holds</option>
      <option value="false">its condition does not hold</option>
    </select>
  );
}

function SwitchStub({ node, plan }: { node: GraphNode; plan: Plan }) {
  const id = `stub-${node.id}`;
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

function StepStub({ node, plan }: { node: GraphNode; plan: Plan }) {
  const id = `stub-${node.id}`;
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
              ? undefined
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
        onChange={(event) =>
          plan.setOutput(node.id, event.target.value || undefined)
        }
      />
      {node.when !== null && <GuardStub node={node} plan={plan} />}
    </div>
  );
}
