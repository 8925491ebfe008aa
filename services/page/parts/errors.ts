/**
 * What a page does with an error before any screen shows it: the end of a session leads elsewhere,
 * whatever was asked for. The parts know no page, so each one says here what it does.
 * @module
 */
let take: (error: unknown) => boolean = () => false;

/** From now on `taker` gets every error first; true means that nobody else is to show it. */
export function takeErrorsFirst(taker: (error: unknown) => boolean): void {
  take = taker;
}

/** Whether the page has dealt with the error. */
export function isTaken(error: unknown): boolean {
  return take(error);
}
