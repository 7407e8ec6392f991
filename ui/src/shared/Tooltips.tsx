import { useEffect, useLayoutEffect, useRef, useState } from "react";

/** How long the pointer rests before something is said of what is below it. */
const AFTER_MS = 450;
/** The distance to what it is said of, and to the edges of the window. */
const GAP = 6;

interface Shown {
  of: HTMLElement;
  text: string;
}

/**
 * What `title` says of an element, in the window's own look, for the pointer that rests on it and for the keys that come to
 * it. The element keeps its title: while it is shown here, the browser is not given it to show as well.
 */
export function Tooltips() {
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => followTitles(setShown), []);
  return shown && <Tooltip key={shown.text} {...shown} />;
}

function Tooltip({ of, text }: Shown) {
  const tip = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = tip.current;
    if (!element) return;
    const { left, top, bottom } = of.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const below = bottom + GAP;
    const fits = below + height + GAP <= window.innerHeight;
    element.style.top = `${fits ? below : Math.max(top - GAP - height, GAP)}px`;
    const most = window.innerWidth - width - GAP;
    element.style.left = `${Math.max(Math.min(left, most), GAP)}px`;
  }, [of]);
  return (
    <div ref={tip} className="tooltip" role="tooltip">
      {text}
    </div>
  );
}

function followTitles(show: (shown: Shown | null) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The element whose title is not given to the browser, and that title. */
  let held: Shown | null = null;

  function leave() {
    clearTimeout(timer);
    show(null);
    // A title that was set meanwhile is newer.
    if (held?.of.title === "") held.of.title = held.text;
    held = null;
  }
  function turnTo(target: EventTarget | null, after: number) {
    const within = target instanceof Element ? target : null;
    const titled = within?.closest<HTMLElement>("[title]") ?? null;
    if (titled !== null && titled === held?.of) return;
    leave();
    if (!titled || titled.title === "") return;
    const one = { of: titled, text: titled.title };
    held = one;
    titled.title = "";
    timer = setTimeout(() => {
      if (titled.isConnected) show(one);
    }, after);
  }
  const over = ({ target }: Event) => turnTo(target, AFTER_MS);
  const focused = ({ target }: Event) => {
    if (target instanceof Element && target.matches(":focus-visible"))
      turnTo(target, AFTER_MS);
  };
  const events = [
    ["pointerover", over],
    ["focusin", focused],
    ["focusout", leave],
    ["pointerdown", leave],
    ["keydown", leave],
    ["wheel", leave],
    ["blur", leave],
  ] as const;
  const options = { capture: true, passive: true };
  for (const [name, listener] of events)
    window.addEventListener(name, listener, options);
  return () => {
    leave();
    for (const [name, listener] of events)
      window.removeEventListener(name, listener, options);
  };
}
