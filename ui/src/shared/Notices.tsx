import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import { IconButton } from "./Button";
import { type Box, cover, freePlace } from "./free-place";
import { CloseIcon } from "./icons";
import { dismiss, useNotices } from "./notices";
import { Sentence } from "./Sentence";

/** Lines that a person should see, in a corner, over nothing that can be pressed; errors stay until they are dismissed. */
export function Notices() {
  const notices = useNotices((state) => state.notices);
  const list = useRef<HTMLElement>(null);
  useOutOfTheWay(list, notices);
  return (
    <section
      className="notices"
      aria-label="Notices"
      aria-live="polite"
      ref={list}
    >
      {notices.map((notice) => (
        <div key={notice.id} className={`notice ${notice.kind}`} role="status">
          <span className="notice-text">
            <Sentence text={notice.text} />
          </span>
          {notice.action && (
            <button
              type="button"
              className="link-button"
              onClick={() => {
                notice.action?.run();
                dismiss(notice.id);
              }}
            >
              {notice.action.label}
            </button>
          )}
          <IconButton label="Dismiss" onClick={() => dismiss(notice.id)}>
            <CloseIcon size={14} />
          </IconButton>
        </div>
      ))}
    </section>
  );
}

/** What lies over the page lies in the corner so far from its edges. */
const EDGE = 14;
const FOOT = 36;

/** How often it is looked whether what came in the meantime is covered. */
const LOOK_AGAIN_MS = 500;

const PRESSED =
  'button, input, textarea, select, a[href], [role="menuitem"], [role="separator"]';

/** Moves the list where it covers nothing that can be pressed, as soon as it does. */
function useOutOfTheWay(
  list: RefObject<HTMLElement | null>,
  notices: unknown[],
): void {
  const shown = notices.length > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each notice the list has another size
  useLayoutEffect(() => {
    if (list.current) move(list.current);
  }, [list, notices]);
  useEffect(() => {
    if (!shown) return;
    const look = () => list.current && move(list.current);
    const timer = setInterval(look, LOOK_AGAIN_MS);
    window.addEventListener("resize", look);
    return () => {
      clearInterval(timer);
      window.removeEventListener("resize", look);
    };
  }, [list, shown]);
}

function move(list: HTMLElement): void {
  const { width, height } = list.getBoundingClientRect();
  if (height === 0) return;
  const taken = [...document.querySelectorAll<HTMLElement>(PRESSED)]
    .filter((one) => !list.contains(one))
    .map((one) => one.getBoundingClientRect())
    .filter((box) => box.width > 0 && box.height > 0);
  const page: Box = {
    left: EDGE,
    top: EDGE,
    width: window.innerWidth - 2 * EDGE,
    height: window.innerHeight - EDGE - FOOT,
  };
  // Somebody may be about to press a button of it: it stays where it is as long as it can.
  const now = list.getBoundingClientRect();
  const stays =
    now.right <= window.innerWidth &&
    now.bottom <= window.innerHeight - FOOT + 1 &&
    !taken.some((box) => cover(now, box));
  if (stays && list.dataset.height === `${height}`) return;
  list.dataset.height = `${height}`;
  const { left, top } = freePlace({ width, height }, page, taken);
  list.style.right = `${window.innerWidth - left - width}px`;
  list.style.bottom = `${window.innerHeight - top - height}px`;
}
