import type { StepView } from "../bindings";
import { StepIcon } from "./icons";
import { itemText } from "./lists";
import { Elapsed } from "./StepCard";
import { Section } from "./StepSection";
import { stepWords } from "./words";

/** What a step did for each item of its list; an item opens as the step that it is. */
export function Items({
  items,
  onStep,
}: {
  items: StepView[];
  onStep: (step: string) => void;
}) {
  return (
    <Section title={`Items (${items.length})`}>
      <ol className="step-items" data-testid="items">
        {items.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              className="step-link step-item"
              data-state={item.state}
              title={`${item.id}: ${stepWords(item)}`}
              onClick={() => onStep(item.id)}
            >
              <StepIcon state={item.state} size={13} />
              <span className="step-item-text">{itemText(item)}</span>
              <Elapsed step={item} />
            </button>
          </li>
        ))}
      </ol>
    </Section>
  );
}
