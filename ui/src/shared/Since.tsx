import { useEffect, useState } from "react";

/** How long ago `at` was, in milliseconds since 1970, as people say it; kept true while it is on screen. */
export function Since({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time
      className="since"
      dateTime={new Date(at).toISOString()}
      title={new Date(at).toLocaleString()}
    >
      {howLong(now - at)}
    </time>
  );
}

/** `now`, `4 min`, `3 h`, `2 d`. */
export function howLong(millis: number): string {
  const minutes = Math.floor(millis / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
