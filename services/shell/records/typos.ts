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

/** `get_by_name` and `_public_key` as they are called here. */
export function camelCase(name: string): string {
  return name.replace(/^_+/, "").replace(/_+(\w)/g, (_, letter) => letter.toUpperCase());
}

const hinted = new Set<string>();

interface RefusingOptions<Holder> {
  /** What is thrown of a name that is nowhere. */
  complain(holder: Holder, name: string): Error;
  /** Where names of Python's form work, and how that is told, once for each. */
  say?(holder: Holder): (line: string) => void;
  /** Whether what is assigned to an unknown name is refused, too. */
  assignments?: boolean;
}

/**
 * A prototype above which there is only `parent`. What is read from an object with it and found
 * nowhere throws; a name in the form of Python's (`get_by_name`) means the one in ours.
 */
export function refusingUnknown<Holder extends object>(
  parent: object,
  { complain, say, assignments = false }: RefusingOptions<Holder>,
): object {
  function known(holder: Holder, name: string): string {
    const camel = camelCase(name);
    if (!say || camel === name || !(camel in holder)) throw complain(holder, name);
    if (!hinted.has(name)) say(holder)(`${name} is called ${camel} here.`);
    hinted.add(name);
    return camel;
  }
  return new Proxy(Object.create(parent), {
    get(target, property, holder) {
      if (typeof property === "symbol" || property in target || ASKED_OF_ALL.has(property)) {
        return Reflect.get(target, property, holder);
      }
      return Reflect.get(holder, known(holder, property));
    },
    ...(assignments
      ? {
        set: (_target, property, value, holder) =>
          Reflect.set(holder, known(holder, String(property)), value),
      }
      : {}),
  });
}

/** `what` has no `name`, but perhaps one of `candidates`, whatever their case. */
export function noSuchName(
  what: string,
  name: string,
  candidates: readonly string[],
  otherwise: string,
): ShellError {
  const typed = camelCase(name);
  const lower = typed.toLowerCase();
  const near = candidates.find((one) => [lower, `${lower}s`].includes(one.toLowerCase())) ??
    candidates.find((one) => `${one.toLowerCase()}s` === lower) ?? closest(typed, candidates);
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
  return Object.setPrototypeOf(value, refusingUnknown(Object.prototype, { complain }));
}
