/**
 * Names that do not exist. JavaScript reads them as `undefined`, and says so only later and of
 * something else; at the prompt they are told at once, with the name that was probably meant.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import { ShellError } from "../errors.ts";

/**
 * What the language itself asks of any value: `await` whether it is a promise, JSON whether it has
 * a form of its own.
 */
const ASKED_OF_ALL = new Set(["then", "toJSON"]);

/**
 * A prototype above which there is only `parent`. What is read from an object with it and found
 * nowhere throws what `complain` makes of the object and the name.
 */
export function refusingUnknown<Holder>(
  parent: object,
  complain: (holder: Holder, name: string) => Error,
  traps: ProxyHandler<object> = {},
): object {
  return new Proxy(Object.create(parent), {
    ...traps,
    get(target, property, holder) {
      if (typeof property === "symbol" || property in target || ASKED_OF_ALL.has(property)) {
        return Reflect.get(target, property, holder);
      }
      throw complain(holder, property);
    },
  });
}

/** `what` has no `name`, but perhaps one of `candidates`, whatever their case. */
export function noSuchName(
  what: string,
  name: string,
  candidates: readonly string[],
  otherwise: string,
): ShellError {
  const lower = name.toLowerCase();
  const near = candidates.find((one) => [lower, `${lower}s`].includes(one.toLowerCase())) ??
    candidates.find((one) => `${one.toLowerCase()}s` === lower) ?? closest(name, candidates);
  return new ShellError(`${what} has no ${name}; ${near ? `did you mean ${near}?` : otherwise}`);
}

/** The same object; reading a name that it does not have throws. */
export function withoutTypos<Value extends object>(
  value: Value,
  what: string,
  otherwise: string,
): Value {
  const complain = (_: unknown, name: string) =>
    noSuchName(what, name, Object.keys(value), otherwise);
  return Object.setPrototypeOf(value, refusingUnknown(Object.prototype, complain));
}
