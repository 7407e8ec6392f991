import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { StepDetail, StepView } from "../bindings";
import type { Picked } from "./flow-store";

/** What is known of a step in full, read anew whenever something happens to it. */
export function useDetail(picked: Picked, step: StepView | undefined) {
  const [detail, setDetail] = useState<StepDetail | null>(null);
  useEffect(() => {
    // Read again for each state of the step.
    if (!step || picked.run.startsWith("plan:")) return;
    let wanted = true;
    void backend.runStep(picked.run, picked.step).then((answer) => {
      if (wanted && answer.status === "ok") setDetail(answer.data);
    });
    return () => {
      wanted = false;
    };
  }, [picked.run, picked.step, step]);
  return detail;
}
