/**
 * Which exit a run has: by whose code it is, and by what the owner says of such code.
 * @module
 */
import { libraryPackages } from "../algorithms/library.ts";
import { ownFile } from "../algorithms/own_files.ts";
import {
  checkArguments,
  type Description,
  type Method,
} from "../algorithms/sextant/description.ts";
import type { ContentFile } from "../payload/pieces.ts";
import { matches } from "../policy/references.ts";
import type { ResolvedAlgorithm } from "../run/algorithm_store.ts";
import type { Call } from "../run/call.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { decideDeclared, type Exit, OPEN_EXIT, type Words } from "./exit.ts";
import type { SiteDisclosure } from "./rules.ts";

export interface Exits {
  /**
   * Of an algorithm in the sandbox that is called so. Rejects with a {@linkcode CannotStart} where
   * it may not run.
   */
  ofSandbox(algorithm: ResolvedAlgorithm, asked: AskedOfSandbox): Promise<Exit>;
  ofContainer(image: string): Exit;
  /** Throws a {@linkcode CannotStart} where no container of this image may run. */
  admitContainer(image: string): void;
}

export interface AskedOfSandbox {
  /** By which the task names the algorithm. */
  image: string;
  /** Null where it was too large to be read. */
  call: Call | null;
  /** Whether another run of the same algorithm asks; only a person asks for what is none. */
  isSubtask: boolean;
}

export interface ExitsOptions {
  /** Null where the site has no rules. */
  disclosure: SiteDisclosure | null;
  /** Whether the owner lets what algorithms print leave, and so what their errors say. */
  shareLogs: boolean;
  /** What an algorithm that is not the node's own says of itself; undefined for nothing. */
  describe: (algorithm: ResolvedAlgorithm) => Promise<Description | undefined>;
}

/** The exits of a site. */
export function createExits({ disclosure, shareLogs, describe }: ExitsOptions): Exits {
  if (!disclosure) {
    return {
      ofSandbox: () => Promise.resolve(OPEN_EXIT),
      ofContainer: () => OPEN_EXIT,
      admitContainer() {},
    };
  }
  const { rules, trusted, unlisted } = disclosure;
  const isTrusted = (image: string) => trusted.some((entry) => matches(entry, image));
  const wordsOf = (words: Words) => shareLogs ? "all" : words;

  /** Nothing that it could know may not leave. */
  function free(standing: Exit["standing"], access: Exit["access"]): Exit {
    return { ...OPEN_EXIT, rules, standing, access };
  }

  function held(what: string): Exit {
    const reason = `This is what came of ${what} that the owner neither trusts nor lets work on ` +
      "aggregates alone.";
    return {
      rules,
      standing: "held",
      access: "rows",
      maySend: false,
      words: wordsOf("none"),
      waits: reason,
      decide: () => Promise.resolve({ is: "refused", reason }),
    };
  }

  async function ofSandbox(
    algorithm: ResolvedAlgorithm,
    { image, call, isSubtask }: AskedOfSandbox,
  ): Promise<Exit> {
    const own = await ownMethods(algorithm);
    if (!own && !isTrusted(image) && unlisted.sandbox === "guard") {
      return free("guarded", "guarded");
    }
    if (!own && !isTrusted(image) && unlisted.sandbox === "refuse") throw refusal(image);
    const standing = own ? "own" : isTrusted(image) ? "trusted" : "held";
    if (!call) {
      throw new CannotStart(
        "The input is larger than what a site with rules on what may leave reads: it must know which " +
          "method is called. Send less at once.",
      );
    }
    const methods = own ?? (await describe(algorithm))?.methods;
    const method = methods && Object.hasOwn(methods, call.method)
      ? methods[call.method]
      : undefined;
    const handed = algorithm.fromLibrary && method && !isSubtask ? handedOn(methods!, method) : [];
    if (handed.length > 0) {
      // Whoever chose coefficients, centres or levels could make a few rows count alone.
      throw new CannotStart(
        `The rules of this site on what may leave let "${call.method}" be called by other methods of ` +
          `${image} alone, which find what it goes on from (${handed.join(", ")}): call one of ` +
          `${openOf(methods!).join(", ")}, also for a single organization.`,
        "not allowed",
      );
    }
    if (method?.rows === "none") return free(standing, "none");
    if (standing === "held") return held("an algorithm");
    if (!method && standing === "trusted") {
      return { ...free(standing, "rows"), words: wordsOf("place") };
    }
    return {
      rules,
      standing,
      access: "rows",
      maySend: standing === "trusted",
      words: wordsOf(standing === "own" ? "own" : "place"),
      decide: (result: ContentFile) =>
        decideDeclared(result, {
          method: method ?? { outputs: [] },
          rules,
          args: argumentsOf(call, method),
          trusted: standing === "trusted",
          own: standing === "own",
        }),
    };
  }

  return {
    ofSandbox,
    ofContainer(image) {
      if (isTrusted(image)) return { ...free("trusted", "rows"), words: wordsOf("place") };
      return held("a container");
    },
    admitContainer(image) {
      if (unlisted.containers === "refuse" && !isTrusted(image)) throw refusal(image);
    },
  };

  function refusal(image: string): CannotStart {
    return new CannotStart(
      `The rules of this site on what may leave (profile ${rules.profile}) do not let ${image} run: ` +
        "its owner can list it as trusted.",
      "not allowed",
    );
  }
}

/** The methods of the node's own code; undefined for other code. */
async function ownMethods(
  { name, code, fromLibrary }: ResolvedAlgorithm,
): Promise<Description["methods"] | undefined> {
  if (!fromLibrary) return (await ownFile(code))?.methods;
  return (await libraryPackages()).find((one) => `${one.name}.js` === name)?.description.methods;
}

/** Which arguments of an internal method no method has that a person calls. */
function handedOn(methods: Description["methods"], { internal, arguments: own }: Method): string[] {
  if (!internal) return [];
  const asked = openOf(methods).flatMap((name) => Object.keys(methods[name]!.arguments));
  return Object.keys(own).filter((name) => !asked.includes(name));
}

/** The methods that a person may call. */
function openOf(methods: Description["methods"]): string[] {
  return Object.keys(methods).filter((name) => !methods[name]!.internal);
}

/** As far as they can be had by name: the run itself fails on what is wrong with them. */
function argumentsOf(
  { method, args, kwargs }: Call,
  described: Partial<Description["methods"][string]> | undefined,
): Record<string, unknown> {
  if (!described?.arguments) return kwargs;
  try {
    return checkArguments(method, { arguments: described.arguments }, { args, kwargs });
  } catch {
    return kwargs;
  }
}
