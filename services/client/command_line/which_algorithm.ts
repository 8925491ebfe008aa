/**
 * What `run` was told to run, as a task names it, and what it is called with, checked against what
 * the algorithm says of itself.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { checkArguments } from "../../node/algorithms/sextant/description.ts";

export interface Chosen {
  image: string;
  /** Of each node that tells of it. */
  told: Algorithm[];
  /** `undefined` where no node describes it. */
  description: ToldDescription | undefined;
}

/**
 * `glm`, `glm@1.0.0` or `deno:glm@1.0.0` as nodes tell of it, the newest version unless one is
 * named; an address or a container image as it stands.
 */
export function chooseAlgorithm(wanted: string, all: readonly Algorithm[]): Chosen {
  const matching = all.filter(({ image, name, version }) =>
    image === wanted || name === wanted || `${name}@${version}` === wanted ||
    image === `deno:${wanted}`
  ).sort((one, other) => compareVersions(other.version ?? "", one.version ?? ""));
  const [first] = matching;
  if (first) {
    const told = matching.filter(({ image }) => image === first.image);
    const descriptions = new Set(told.map(({ description }) => JSON.stringify(description)));
    const [description] = told.map((one) => one.description);
    return {
      image: first.image,
      told,
      // Nodes that describe it differently run different files; the hub lets one code run.
      description: descriptions.size === 1 ? description ?? undefined : undefined,
    };
  }
  if (/[:/]/.test(wanted)) return { image: wanted, told: [], description: undefined };
  const names = [...new Set(all.map(({ name, image }) => name ?? image))].sort();
  const near = closest(wanted, names);
  throw new UsageError(
    `No node of the collaboration tells of an algorithm "${wanted}".` +
      (near ? ` Did you mean "${near}"?` : "") +
      ` They tell of: ${names.join(", ") || "none"}. Container images are named in full`,
  );
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

/** The method that is meant. */
export function chooseMethod(
  { description, image, told }: Chosen,
  wanted: string | undefined,
): string {
  const described = description?.methods;
  const callable = told.flatMap(({ nodes }) => nodes).flatMap(({ methods }) => methods);
  const methods = described ? Object.keys(described) : [...new Set(callable)];
  // Of a container image nobody knows what it has.
  if (wanted !== undefined && methods.length === 0) return wanted;
  const open = methods.filter((name) => !described?.[name]?.internal);
  if (wanted === undefined) {
    const usual = open.length === 1 ? open[0] : open.find((name) => name === "central");
    if (usual !== undefined) return usual;
    throw new UsageError(`Say what of ${image} to call: --method ${open.join(", ") || "NAME"}`);
  }
  if (methods.includes(wanted)) return wanted;
  const near = closest(wanted, open);
  throw new UsageError(
    `${image} has no method "${wanted}"; it has: ${open.join(", ")}.` +
      (near ? ` Did you mean "${near}"?` : ""),
  );
}

/**
 * The arguments with the condition among them. Throws a UsageError for what the method does not
 * take: before anything is posted.
 */
export function argumentsFor(
  { description, image }: Chosen,
  method: string,
  { kwargs, where }: { kwargs: Record<string, unknown>; where: string | undefined },
): Record<string, unknown> {
  const described = description?.methods[method];
  const all = { ...kwargs };
  if (where !== undefined) {
    const conditions = Object.entries(described?.arguments ?? {})
      .filter(([, { type }]) => type === "condition").map(([name]) => name);
    const name = described ? conditions.find((one) => one === "where") ?? conditions[0] : "where";
    if (name === undefined) {
      throw new UsageError(`The method "${method}" of ${image} takes no condition (--where)`);
    }
    if (Object.hasOwn(all, name)) throw new UsageError(`"${name}" was given twice`);
    all[name] = where;
  }
  if (!described) return all;
  try {
    checkArguments(method, described as Parameters<typeof checkArguments>[1], { kwargs: all });
  } catch (error) {
    throw new UsageError(messageOf(error).replace(/\.$/, ""), { cause: error });
  }
  // As they were given: defaults are the algorithm's own business.
  return all;
}
