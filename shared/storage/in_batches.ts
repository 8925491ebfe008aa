import { setTimeout as delay } from "node:timers/promises";

/**
 * Makes one call of many: `work` gets all that was given while its previous call ran, or in the
 * same moment, or in the `pauseMs` before the call. Never are two calls under way. What a call
 * throws, everyone is told whose item it had.
 */
export function inBatches<Item>(
  work: (items: Item[]) => Promise<unknown>,
  { pauseMs = 0 }: { pauseMs?: number } = {},
): (item: Item) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  let next: { items: Item[]; done: Promise<unknown> } | undefined;

  return async function add(item) {
    if (!next) {
      const items: Item[] = [];
      const done = last.then(() => pauseMs > 0 ? delay(pauseMs) : undefined).then(() => {
        next = undefined;
        return work(items);
      });
      last = done.catch(() => {});
      next = { items, done };
    }
    next.items.push(item);
    await next.done;
  };
}
