import { useState } from "react";
import { IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import { ApprovalForm } from "./ApprovalForm";
import { closeStep, showStep } from "./actions";
import { type Picked, useFlows } from "./flow-store";
import { KIND_PATHS, Shape, StepIcon } from "./icons";
import { itemsOf, itemText, listWords, stepOfFile } from "./lists";
import { OutputView } from "./OutputView";
import { roundsOfAttempts } from "./rounds";
import { lastAttempt, type RunModel } from "./run-model";
import { Acts } from "./StepActs";
import { Answered, Basis } from "./StepApproval";
import { Asked } from "./StepAsked";
import { Attempts, OneAttempt } from "./StepAttempts";
import { Elapsed } from "./StepCard";
import { Items } from "./StepItems";
import { Rounds } from "./StepRounds";
import { Section } from "./StepSection";
import { Decided, Why } from "./StepWhy";
import { useDetail } from "./step-detail";
import { KIND_WORDS, stepWordsAt } from "./words";
import "./step.css";

/** One step in full: what it was asked, what it printed, how it was tried, why it is as it is. */
export function StepAside() {
  const picked = useFlows((state) => state.picked);
  const model = useFlows((state) =>
    picked ? state.models[picked.run] : undefined,
  );
  if (!picked || !model)
    return <p className="empty">Pick a step in a graph to see it here.</p>;
  return (
    <StepInFull
      key={`${picked.run}/${picked.step}`}
      picked={picked}
      model={model}
    />
  );
}

function StepInFull({ picked, model }: { picked: Picked; model: RunModel }) {
  const node = model.graph.nodes.find(
    (one) => one.id === stepOfFile(picked.step),
  );
  const step = model.steps[picked.step];
  const detail = useDetail(picked, step);
  const [chosen, setChosen] = useState<number | null>(null);
  if (!node || !step)
    return <p className="empty">The flow has no step of that name any more.</p>;
  const attempts = detail?.view.attempts ?? step.attempts;
  const shown =
    attempts.find((one) => one.attempt === chosen) ?? attempts.at(-1);
  const data = detail?.data[shown ? attempts.indexOf(shown) : -1];
  const asks =
    step.state === "awaiting_approval" ? lastAttempt(step) : undefined;
  const decision =
    shown?.decision ??
    (step.guard ? { taken: null, tried: [step.guard] } : null);
  return (
    <section
      className="step-aside"
      aria-label={`Step ${step.id}`}
      data-testid="step-aside"
    >
      <header className="step-head">
        <Shape path={KIND_PATHS[node.kind]} size={16} />
        <h2>{step.id}</h2>
        <span className="faint">{KIND_WORDS[node.kind]}</span>
        <span className="spacer" />
        <IconButton label="Close" onClick={closeStep}>
          <CloseIcon size={14} />
        </IconButton>
      </header>
      <div className="step-body">
        <p className="step-line" data-state={step.state}>
          <StepIcon state={step.state} />
          <strong>
            {(step.id === node.id ? listWords(model, node) : null) ??
              stepWordsAt(node, step)}
          </strong>
          {!node.repeat && <Elapsed step={step} />}
        </p>
        {step.item !== undefined && (
          <Section title="Item">
            <pre className="code-block">{itemText(step)}</pre>
          </Section>
        )}
        {node.description && <p className="step-about">{node.description}</p>}
        {asks && (
          <Section title="Your answer is needed">
            <ApprovalForm
              key={asks.attempt}
              run={picked.run}
              step={picked.step}
              attempt={asks}
            />
            <Basis model={model} step={picked.step} run={picked.run} />
          </Section>
        )}
        <Why model={model} picked={picked} why={detail?.why ?? null} />
        {decision && <Decided decision={decision} kind={node.kind} />}
        {!decision && node.when && (
          <Section title="Condition">
            <pre className="code-block">{node.when}</pre>
          </Section>
        )}
        {shown?.answer && <Answered attempt={shown} />}
        {step.items != null && (
          <Items
            items={itemsOf(model, step.id)}
            onStep={(id) => showStep(picked.run, id)}
          />
        )}
        {node.repeat && (
          <Rounds
            attempts={attempts}
            shown={shown?.attempt ?? 0}
            onShow={setChosen}
            onStep={(id) => showStep(picked.run, id)}
          />
        )}
        {attempts.length > 1 && !node.repeat && (
          <Attempts
            attempts={attempts}
            rounds={roundsOfAttempts(model, node.id)}
            shown={shown?.attempt ?? 0}
            onShow={setChosen}
          />
        )}
        {shown && attempts.length === 1 && !node.repeat && (
          <OneAttempt attempt={shown} />
        )}
        <Asked detail={detail} attempt={shown} />
        {shown && !["approval", "switch", "repeat"].includes(node.kind) && (
          <Section
            title={
              attempts.length > 1
                ? `Output of attempt ${shown.attempt}`
                : "Output"
            }
          >
            <OutputView
              run={picked.run}
              step={picked.step}
              attempt={shown.attempt}
              live={shown.state === "running"}
            />
          </Section>
        )}
        {data != null && (
          <Section title="Data">
            <pre className="code-block">{data}</pre>
          </Section>
        )}
        <Acts
          model={model}
          step={step}
          pane={shown?.pane ?? null}
          agent={shown?.agent ?? null}
        />
      </div>
    </section>
  );
}
