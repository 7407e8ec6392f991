import { type AgentKey, isBusy, useAgents } from "../agents/agent-store";
import { justEnded, queueOf } from "../agents/queue";
import { backend } from "../backend/backend";
import { reportFailure } from "../shared/notices";
import type { Target } from "../shared/targets";
import { targetOfAgent } from "./conflicts-in-panes";

/** Where changes meet agents: a remark is answered when who got it came to the end of it. */

/** How many turns have to end before what an agent was told is answered: what it did then, and what waited. */
const before = new Map<AgentKey, number>();

/** The same people, so that it is known when what they are told is answered. */
export function counting(targets: Target[]): Target[] {
  return targets.map((target) => ({
    ...target,
    tell(text, send) {
      const { agents } = useAgents.getState();
      const told = Object.entries(agents).find(
        ([key]) => targetOfAgent(key) === target.id,
      );
      if (told) {
        const [key, { status }] = told;
        const earlier = isBusy(status) ? 1 + queueOf(key).texts.length : 0;
        before.set(key, earlier);
      }
      target.tell(text, send);
    },
  }));
}

/** Marks what agents were told as answered, whenever a turn of theirs has ended. */
export function followAnswers(): () => void {
  return useAgents.subscribe(({ agents }, { agents: was }) => {
    if (agents === was) return;
    for (const { key, well } of justEnded(was, agents)) {
      // What failed answered nothing: it is said again, or marked by the person.
      if (!well) continue;
      const earlier = before.get(key) ?? 0;
      if (earlier > 0) before.set(key, earlier - 1);
      else void backend.answeredRemarks(targetOfAgent(key)).then(reportFailure);
    }
  });
}
