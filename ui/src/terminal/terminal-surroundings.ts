/** What lies around terminals, as the window puts it there: a feature knows no other. */
interface Surroundings {
  /** Looks for a text in all that panes printed. */
  searchFor(text: string): void;
  /** Asks where a text is to go. */
  sendOn(text: string): void;
}

let given: Surroundings = { searchFor() {}, sendOn() {} };

export function setTerminalSurroundings(surroundings: Surroundings): void {
  given = surroundings;
}

export function terminalSurroundings(): Surroundings {
  return given;
}
