import { create } from "zustand";

/** A line that a person should see, and may dismiss. */
export interface Notice {
  id: number;
  kind: "info" | "warning" | "error";
  text: string;
  /** What can be done about it. */
  action?: { label: string; run: () => void };
  /** What it is about: a newer one about the same takes its place. */
  about?: string;
}

export const useNotices = create<{ notices: Notice[] }>(() => ({
  notices: [],
}));

const SHOWN_AT_MOST = 4;
const INFO_STAYS_MS = 6000;
let next = 1;

/** Shows a notice; the same text is not shown twice at once, and of one thing only the latest is. */
export function notify(
  kind: Notice["kind"],
  text: string,
  action?: Notice["action"],
  about?: string,
): void {
  if (about !== undefined) withdraw(about);
  const { notices } = useNotices.getState();
  if (notices.some((one) => one.text === text && one.about === about)) return;
  const notice: Notice = {
    id: next++,
    kind,
    text,
    ...(action && { action }),
    ...(about !== undefined && { about }),
  };
  useNotices.setState({ notices: [...withRoom(notices), notice] });
  if (kind === "info") setTimeout(() => dismiss(notice.id), INFO_STAYS_MS);
}

/** Without the oldest ones that only tell, as long as there are too many: what offers something waits for the person. */
function withRoom(notices: Notice[]): Notice[] {
  let tooMany = notices.length + 1 - SHOWN_AT_MOST;
  return notices.filter(({ action }) => action || tooMany-- <= 0);
}

export function dismiss(id: number): void {
  useNotices.setState(({ notices }) => ({
    notices: notices.filter((notice) => notice.id !== id),
  }));
}

/** Takes back what was said about something: its reason has gone. */
export function withdraw(about: string): void {
  useNotices.setState(({ notices }) => ({
    notices: notices.filter((notice) => notice.about !== about),
  }));
}

/** Shows why a command failed; says whether it did. */
export function reportFailure(
  result: { status: "ok" } | { status: "error"; error: { message: string } },
): boolean {
  if (result.status === "ok") return false;
  notify("error", result.error.message);
  return true;
}
