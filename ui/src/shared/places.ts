/** The parts of the window that the keys can be in, in the order in which they are gone through. */
const PLACES = ["sidebar", "centre", "aside", "status"] as const;

export type PlaceName = (typeof PLACES)[number];

/** So many frames an element may take to appear: what shows it has only been asked for. */
const FRAMES = 90;

const STOPS =
  'button:not([disabled]), input:not([disabled]), textarea:not([disabled]), select:not([disabled]), a[href], [tabindex="0"]';

const DIALOG = '[role="dialog"]';

/** Where the keys were last in each place. */
const left = new Map<PlaceName, HTMLElement>();
/** The element that had the keys last, its place, and the how-manieth stop of it that was. */
let last: { element: HTMLElement; place: PlaceName; at: number } | null = null;
/** How the keys get into the dock: it knows what is in front. */
let enterCentre = (): boolean => false;

/** The element of a place; `null` when it is not shown. */
function elementOf(place: PlaceName): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-place="${place}"]`);
}

function placeOf(element: Element | null): PlaceName | null {
  const name = element?.closest<HTMLElement>("[data-place]")?.dataset.place;
  return PLACES.find((place) => place === name) ?? null;
}

function stopsIn(element: HTMLElement): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>(STOPS)].filter(
    (stop) => stop.tabIndex >= 0 || stop.dataset.walk !== undefined,
  );
}

/** What a place would have the keys begin with: `data-entry`, or the first stop in what is called so. */
function entryIn(element: HTMLElement): HTMLElement | undefined {
  const entry = element.querySelector<HTMLElement>("[data-entry]");
  if (!entry) return undefined;
  return entry.matches(STOPS) ? entry : stopsIn(entry)[0];
}

/** Gives the keys to a place: to what asks for them, to what had them last, to its first stop. Says whether it is there. */
export function goToPlace(place: PlaceName): boolean {
  const element = elementOf(place);
  if (!element) return false;
  const before = left.get(place);
  const known = before?.isConnected && element.contains(before) ? before : null;
  // A terminal's own element is no stop: the dock knows how it is entered.
  if (place === "centre" && enterCentre()) return true;
  const current = element.querySelector<HTMLElement>('[aria-current="true"]');
  const target =
    entryIn(element) ?? known ?? current ?? stopsIn(element)[0] ?? null;
  target?.focus();
  return target !== null;
}

/** Gives the keys to what a place has to ask, as soon as it is there. */
export function enterPlace(place: PlaceName): void {
  let frames = 0;
  const look = () => {
    const element = elementOf(place);
    const entry = element && entryIn(element);
    if (entry) entry.focus();
    else if (++frames < FRAMES) requestAnimationFrame(look);
  };
  look();
}

/** Goes to the next place that is shown, or the one before. */
export function cyclePlace(step: 1 | -1): void {
  const { length } = PLACES;
  const here = PLACES.indexOf(placeOf(document.activeElement) ?? "centre");
  for (let by = 1; by <= length; by++) {
    const next = PLACES[(here + step * by + length * by) % length];
    if (next && goToPlace(next)) return;
  }
}

/**
 * Remembers where the keys are, and gives them to something near when what had them is gone: a row that was closed, a form
 * that was answered. A dialog that closes leaves them to what had them before it. `centre` brings them into the dock.
 */
export function keepFocus(centre: () => boolean): () => void {
  enterCentre = centre;
  function entered(event: FocusEvent) {
    const { target } = event;
    if (!(target instanceof HTMLElement)) return;
    const place = placeOf(target);
    if (!place) return;
    left.set(place, target);
    const at = stopsIn(elementOf(place) ?? target).indexOf(target);
    last = { element: target, place, at };
  }
  let asked = false;
  const nobodyHasThem = () =>
    document.activeElement === document.body || !document.activeElement;
  function restore() {
    asked = false;
    if (!nobodyHasThem() || !last) return;
    if (last.element.isConnected) {
      last.element.focus();
      return;
    }
    const { place, at } = last;
    last = null;
    const element = elementOf(place);
    const stops = element && place !== "centre" ? stopsIn(element) : [];
    const near = stops[Math.min(Math.max(at, 0), stops.length - 1)];
    if (near) near.focus();
    else goToPlace("centre");
  }
  const watch = new MutationObserver((changes) => {
    if (asked || !last || !nobodyHasThem()) return;
    // A click beside everything takes the keys as well, and means it.
    if (last.element.isConnected && !changes.some(tookADialog)) return;
    asked = true;
    // What closes (a dialog, a menu) may have given the keys to somebody by then.
    requestAnimationFrame(restore);
  });
  watch.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("focusin", entered);
  return () => {
    watch.disconnect();
    document.removeEventListener("focusin", entered);
    left.clear();
    last = null;
  };
}

function tookADialog({ removedNodes }: MutationRecord): boolean {
  return Array.from(removedNodes).some(
    (node) =>
      node instanceof Element &&
      (node.matches(DIALOG) || node.querySelector(DIALOG) !== null),
  );
}
