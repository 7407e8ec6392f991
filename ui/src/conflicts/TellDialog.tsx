import { useState } from "react";
import type { Verdict } from "../bindings";
import { useDraftText } from "../shared/drafts";
import { HandOver } from "../shared/HandOver";
import type { Target } from "../shared/targets";
import { keyOf, message, nameOf, sideName } from "./conflict-store";

/** A prepared message to whoever works on one side. */
export function TellDialog({
  verdict,
  to,
  targets,
  onClose,
}: {
  verdict: Verdict;
  to: "left" | "right";
  targets: Target[];
  onClose: () => void;
}) {
  const [prepared] = useState(() => message(verdict, to));
  const [text, setText] = useDraftText(
    `tell:${to}/${nameOf(keyOf(verdict))}`,
    prepared,
  );
  return (
    <HandOver
      title={`Tell ${sideName(verdict[to])}`}
      text={text}
      onText={setText}
      targets={targets}
      onHand={(target, send) => {
        onClose();
        setText(prepared);
        // It is one thing to say, in one line.
        target.tell(text.replace(/\s*[\r\n]+\s*/g, " ").trim(), send);
      }}
      onClose={onClose}
      testId="tell-dialog"
    />
  );
}
