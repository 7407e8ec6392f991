import type { Verdict } from "../bindings";
import { ConflictIcon, DownIcon, IdleIcon } from "../shared/icons";
import { toneOf } from "../shared/repositories";
import { SEVERITIES } from "./conflict-store";

/** How bad a verdict is, as a shape and a colour; words for those who see neither. */
export function SeverityMark({ verdict }: { verdict: Verdict }) {
  const tone = toneOf(verdict.severity, verdict.would_conflict);
  const Icon =
    tone === "conflict" ? ConflictIcon : tone === "near" ? DownIcon : IdleIcon;
  const words = `${SEVERITIES[verdict.severity]}${verdict.would_conflict ? ", a merge would stop" : ""}`;
  return (
    <span className="severity" data-tone={tone} title={words}>
      <Icon size={13} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
