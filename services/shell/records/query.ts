/**
 * Answers that are still on their way. JavaScript lets one be used as if it were the answer: its
 * `name` is then `undefined`, and what is assigned to it is lost, without a word. Here that says
 * what to type.
 * @module
 */
import { ShellError } from "../errors.ts";

/** What makes a promise usable as one, besides symbols. */
const OF_PROMISES = new Set<PropertyKey>(["then", "catch", "finally", "constructor"]);
/** Symbols by which the language takes a value for a list or a text. */
const USES = new Set<PropertyKey>([Symbol.iterator, Symbol.asyncIterator, Symbol.toPrimitive]);

const queries = new WeakSet<object>();
const underWay = new Set<Promise<unknown>>();

/** Waits for all queries that have begun, awaited or not: a session ends after them. */
export async function allAnswered(): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay);
}

/** Whether a value is what {@linkcode asQuery} returned. */
export function isQuery(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && queries.has(value);
}

/**
 * The promise, which can be awaited and nothing else; `typed` is how one gets it, such as
 * `db.User.get(…)`. With `each` all can be had one by one, too: `for await (const one of …)`.
 */
export function asQuery<Value>(
  promise: Promise<Value>,
  typed: string,
  each?: () => AsyncGenerator,
): Promise<Value> {
  const complain = (instead: string) =>
    new ShellError(`${typed} is not there yet: put await before it${instead}`);
  const answer = isQuery(promise) ? promise.then((value) => value as Value) : promise;
  Object.defineProperty(answer, Symbol.for("Deno.customInspect"), {
    value: () => `(${complain("").message})`,
  });
  let awaited = false;
  const settled = () => underWay.delete(answer);
  underWay.add(answer);
  answer.then(settled, (error) => {
    settled();
    // Handled here, it would count as handled.
    setTimeout(() => awaited || Promise.reject(error));
  });
  const query = new Proxy(answer, {
    get(target, property) {
      if (OF_PROMISES.has(property)) awaited = true;
      if (property === Symbol.asyncIterator && each) return each;
      if (OF_PROMISES.has(property) || (typeof property === "symbol" && !USES.has(property))) {
        const value = Reflect.get(target, property, target);
        return typeof value === "function" && property !== "constructor"
          ? value.bind(target)
          : value;
      }
      throw complain(
        typeof property === "symbol" ? "" : `, as in (await ${typed}).${property}`,
      );
    },
    set: (_target, property) => {
      throw complain(`, then set ${String(property)}`);
    },
  });
  queries.add(query);
  return query;
}
