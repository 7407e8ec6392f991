import type { Moment } from "../bindings";

/** Since when changes are shown: as git has it, or since a moment that was remembered. */
export function SinceChoice({
  moments,
  since,
  onSince,
}: {
  moments: Moment[];
  since: string | null;
  onSince: (moment: string | null) => void;
}) {
  const gone = since !== null && !moments.some(({ id }) => id === since);
  return (
    <select
      className="changes-since"
      aria-label="Since when changes are shown"
      data-testid="changes-since"
      value={since ?? ""}
      onChange={({ target }) => onSince(target.value || null)}
    >
      <option value="">Since the branch began</option>
      {gone && (
        <option value={since}>A moment that is not kept any more</option>
      )}
      {moments.map(({ id, label, taken_ms }) => (
        <option key={id} value={id}>
          Since {label}, {clock(taken_ms)}
        </option>
      ))}
    </select>
  );
}

/** The time of a day; of another day, with that. */
function clock(at: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const today = then.toDateString() === new Date().toDateString();
  return today ? time : `${then.toLocaleDateString()} ${time}`;
}
