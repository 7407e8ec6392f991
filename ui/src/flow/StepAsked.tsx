import type { AttemptView, StepDetail } from "../bindings";
import { Section } from "./StepSection";

const ASKED_TITLES: Record<string, string> = {
  agent: "Prompt",
  run: "Script",
  value: "Template",
};

/** The prompt as it was sent, or the script as it ran. */
export function Asked({
  detail,
  attempt,
}: {
  detail: StepDetail | null;
  attempt: AttemptView | undefined;
}) {
  if (!detail) return null;
  const { definition } = detail;
  const title = ASKED_TITLES[definition.kind];
  const text = attempt?.prompt ?? definition.text;
  if (!title || text === null) return null;
  const rendered = definition.kind !== "agent" || attempt?.prompt != null;
  const env = Object.entries(definition.env);
  return (
    <Section title={rendered ? title : `${title}, as it is written`}>
      {definition.agent && <p className="faint">{definition.agent}</p>}
      <pre className="code-block">{text.replace(/\n$/, "")}</pre>
      {attempt?.asked_again && (
        <>
          <p className="faint">
            Its answer could not be used; asked once more:
          </p>
          <pre className="code-block">{attempt.asked_again.trimEnd()}</pre>
        </>
      )}
      {env.length > 0 && (
        <dl className="tried-saw" aria-label="Environment">
          {env.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}
