/**
 * Which algorithm an entry of the owner's lists stands for.
 *
 * Two questions, and each errs on the safe side. An entry *allows* what it names exactly
 * ({@linkcode matches}). A rule is *about* the algorithm in all its forms
 * ({@linkcode ruleForOtherVersion}): the same image may stand under another tag or under its
 * digest.
 * @module
 */
import type { AlgorithmRule, Policy } from "./policy.ts";

/** Whether an entry of a list of algorithms is a pattern and not a reference. */
export function isPattern(entry: string): boolean {
  return /[*\\?$^[\](){}|+]/.test(entry);
}

/**
 * Whether an entry stands for an algorithm: exactly; as its name without version, tag or digest; as
 * a digest; or as a pattern, of all of it.
 */
export function matches(entry: string, image: string): boolean {
  if (entry === image || entry === nameOf(image)) return true;
  const digest = digestIn(image);
  if (digest && withoutKind(digest) === withoutKind(entry)) return true;
  if (digest && entry === `${nameOf(image)}@${digest}`) return true;
  return matchesPattern(entry, image);
}

/** Whether an entry is a pattern, and of all of a text, not only of a part. */
export function matchesPattern(entry: string, text: string): boolean {
  return isPattern(entry) && new RegExp(`^(?:${entry})$`, "u").test(text);
}

/** The first rule that names the algorithm; it alone counts. */
export function ruleFor(image: string, { algorithms }: Policy): AlgorithmRule | undefined {
  return algorithms?.find(({ name }) => matches(name, image));
}

/** A rule for another version or another form of the algorithm. */
export function ruleForOtherVersion(
  image: string,
  { algorithms }: Policy,
): AlgorithmRule | undefined {
  const name = normalName(nameOf(image));
  const digest = digestIn(image);
  return algorithms?.find(({ name: entry }) => {
    if (digest && withoutKind(digest) === withoutKind(digestIn(entry) ?? "")) return true;
    return isPattern(entry) ? hasVersionsOf(entry, image) : normalName(nameOf(entry)) === name;
  });
}

/**
 * Whether a pattern is for versions of what an image is a version of. What stands before a version
 * in it is "x/(a|b)" of "x/(a|b):1", and "x/a" of "x/a(:1|:2)".
 */
function hasVersionsOf(pattern: string, image: string): boolean {
  const name = nameOf(image);
  const starts = [...pattern.matchAll(/[:@#(]/g)].map(({ index }) => pattern.slice(0, index));
  return starts.some((start) => {
    const expression = readExpression(`^(?:${start})$`);
    return expression?.test(name) || expression?.test(shortName(name));
  });
}

/** `undefined` for what is only a part of a pattern. */
function readExpression(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}

/**
 * The reference without its version: no `@version`, `#sha256=…`, `:tag` or `@digest`. What is
 * malformed stays.
 */
export function nameOf(image: string): string {
  if (/^deno:https?:/i.test(image)) return image.replace(/#.*$/, "");
  if (image.startsWith("deno:")) return image.replace(/@[A-Za-z0-9.+_-]+$/, "");
  // A colon before the last slash is a registry's port.
  return image.replace(/@sha256:[0-9a-f]{64}$/, "").replace(/:[\w][\w.-]*$/, "");
}

/** One form for the names under which the same thing is got. */
export function normalName(name: string): string {
  if (/^deno:https?:/i.test(name)) return URL.parse(name.slice("deno:".length))?.href ?? name;
  return shortName(name);
}

/** The shortest of the names that an image has: Docker Hub's have several. */
function shortName(name: string): string {
  return name
    .replace(/^([^/]+):443\//, "$1/")
    .replace(/^(?:(?:index\.|registry-1\.)?docker\.io\/)(?:library\/)?/, "");
}

/** The digest in a reference, with `sha256:` before it in a container image's. */
function digestIn(image: string): string | undefined {
  return /(?:@|#sha256=)((?:sha256:)?[0-9a-f]{64})$/.exec(image)?.[1];
}

function withoutKind(digest: string): string {
  return digest.replace(/^sha256:/, "");
}
