import * as Radix from "@radix-ui/react-dialog";
import {
  type CSSProperties,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { create } from "zustand";
import { Button } from "../shared/Button";
import { keyOf, useCommands } from "../shared/commands";
import { goToPlace } from "../shared/places";
import "./tour.css";

interface Step {
  /** What it is about; where that is not on show, the step stands by itself. */
  about: string;
  title: string;
  text: string;
  /** The commands whose keys are told with it. */
  keys: { command: string; does: string }[];
}

const STEPS: Step[] = [
  {
    about: '[data-place="centre"]',
    title: "Terminals that go on",
    text: "Close this window, or lose it: what runs goes on, and the next start shows it again.",
    keys: [
      { command: "pane.new", does: "new tab" },
      { command: "pane.split_right", does: "split" },
      { command: "tab.reopen", does: "bring back a closed tab" },
    ],
  },
  {
    about: '[data-place="sidebar"]',
    title: "All of it, by directory",
    text: "Terminals, agents and flows lie under the directory or worktree in which they work. Who needs you says so here.",
    keys: [
      { command: "focus.sidebar", does: "go there" },
      { command: "needs.next", does: "go to who needs you" },
    ],
  },
  {
    about: '[data-tour="search"]',
    title: "Everything that was printed",
    text: "Search covers each pane, also closed ones, and what full-screen programs showed.",
    keys: [
      { command: "search.panel", does: "search everywhere" },
      { command: "search.find", does: "search here" },
    ],
  },
  {
    about: '[data-tour="commands"]',
    title: "Anything by its name",
    text: "A few letters find a pane, an agent, a file that changed or a command. The palette tells each key.",
    keys: [
      { command: "switcher.open", does: "go to anything" },
      { command: "palette.open", does: "all commands" },
    ],
  },
];

const useTour = create<{ step: number | null }>(() => ({ step: null }));

/** Shows what there is to know at the first start, one thing after the other. */
export function showTour(): void {
  useTour.setState({ step: 0 });
}

const over = () => useTour.setState({ step: null });

export function Tour() {
  const at = useTour((state) => state.step);
  const step = at === null ? undefined : STEPS[at];
  if (at === null || !step) return null;
  return <TourStep key={at} at={at} step={step} />;
}

function TourStep({ at, step }: { at: number; step: Step }) {
  const around = usePlace(step.about);
  const commands = useCommands((state) => state.commands);
  useCommands((state) => state.keys);
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A terminal that is just opening would take the keys.
    const keep = () => enter(card.current);
    document.addEventListener("focusin", keep);
    return () => document.removeEventListener("focusin", keep);
  }, []);
  const last = at === STEPS.length - 1;
  const go = (step: number) => useTour.setState({ step });
  const keys = step.keys.filter(
    ({ command }) =>
      commands.some(({ id }) => id === command) && keyOf(command),
  );
  return (
    <Radix.Root open onOpenChange={(open) => !open && over()}>
      <Radix.Portal>
        <Radix.Overlay
          className="tour-overlay"
          style={{ clipPath: around ? allBut(around) : undefined }}
        />
        {around && <div className="tour-ring" style={around} />}
        <Radix.Content
          className="dialog tour"
          ref={card}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            // Between two steps the next one has them.
            if (useTour.getState().step === null) goToPlace("centre");
          }}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            enter(card.current);
          }}
          data-testid="tour"
          style={beside(around)}
          // A stray click is no answer.
          onInteractOutside={(event) => event.preventDefault()}
        >
          <Radix.Title className="dialog-title">{step.title}</Radix.Title>
          <Radix.Description className="dialog-text">
            {step.text}
          </Radix.Description>
          <dl className="tour-keys">
            {keys.map(({ command, does }) => (
              <div key={command}>
                <dt>
                  <kbd>{keyOf(command)}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <div className="dialog-buttons">
            <span className="tour-count">
              {at + 1} of {STEPS.length}
            </span>
            {!last && (
              <Button data-testid="tour-skip" onClick={over}>
                Skip
              </Button>
            )}
            {at > 0 && <Button onClick={() => go(at - 1)}>Back</Button>}
            <Button
              look="primary"
              data-testid="tour-next"
              data-entry
              onClick={() => (last ? over() : go(at + 1))}
            >
              {last ? "Begin" : "Next"}
            </Button>
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Gives the keys to the button that goes on, unless they are in the card. */
function enter(card: HTMLElement | null): void {
  if (!card || card.contains(document.activeElement)) return;
  card.querySelector<HTMLElement>("[data-entry]")?.focus();
}

interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The page without a place, as a path. */
function allBut({ left, top, width, height }: Place): string {
  const at = (x: number, y: number) => `${left + x}px ${top + y}px`;
  const hole = [
    at(0, 0),
    at(width, 0),
    at(width, height),
    at(0, height),
    at(0, 0),
  ];
  const page = "0 0, 100% 0, 100% 100%, 0 100%, 0 0";
  return `polygon(evenodd, ${page}, ${hole.join(", ")})`;
}

/** Where something is on the page, also after the window has another size. */
function usePlace(selector: string): Place | null {
  const [place, setPlace] = useState<Place | null>(null);
  useLayoutEffect(() => {
    const look = () => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      const seen = box && box.width > 0 && box.height > 0;
      setPlace(
        seen
          ? {
              left: box.left,
              top: box.top,
              width: box.width,
              height: box.height,
            }
          : null,
      );
    };
    look();
    window.addEventListener("resize", look);
    return () => window.removeEventListener("resize", look);
  }, [selector]);
  return place;
}

const WIDTH = 360;
const ROOM = 12;

/** Where a step stands: beside what is narrow, over what is at the foot, in the middle of what is large. */
function beside(place: Place | null): CSSProperties | undefined {
  if (!place) return undefined;
  const { innerWidth, innerHeight } = window;
  const within = (left: number) =>
    Math.max(ROOM, Math.min(left, innerWidth - WIDTH - ROOM));
  const { left, top, width, height } = place;
  if (top > innerHeight / 2)
    return {
      left: within(left + width - WIDTH),
      top: "auto",
      bottom: innerHeight - top + ROOM,
    };
  if (left + width + WIDTH + ROOM < innerWidth)
    return { left: left + width + ROOM, top: top + ROOM * 4 };
  return {
    left: within(left + (width - WIDTH) / 2),
    top: top + height * 0.3,
  };
}
