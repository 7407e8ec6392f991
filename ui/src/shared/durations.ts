/** How long something took, in its largest units. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${pad(Math.floor(seconds % 60))}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${pad(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** The same in whole seconds, for what counts up on screen. */
export function formatTicking(ms: number): string {
  return ms < 60_000
    ? `${Math.max(Math.floor(ms / 1000), 0)} s`
    : formatDuration(ms);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
