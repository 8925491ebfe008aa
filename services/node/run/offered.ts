/**
 * Which algorithms may run at this node, with what they say of themselves: those in the owner's
 * folders, and those whose address with its digest the owner lists, as far as the owner's rules let
 * tasks run them. Of container images a node knows nothing before it runs them.
 * @module
 */
import { join } from "node:path";
import {
  MOST_ALGORITHM_BYTES,
  MOST_ALGORITHMS,
  type ToldAlgorithm,
  toldAlgorithm,
} from "../../../shared/node_protocol/algorithms.ts";
import { toldDescription } from "../../../shared/node_protocol/description.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import type { WayOut } from "../hub/way_out.ts";
import { methodsAllowed } from "../policy/decide_call.ts";
import { mayRun } from "../policy/decide_task.ts";
import type { Policy } from "../policy/policy.ts";
import { readSelf, type ReadSelfOptions, type Self, selfSchema } from "../sandbox/read_self.ts";
import { namesIn, resolveAlgorithm, type ResolvedAlgorithm } from "./algorithm_store.ts";

export interface OfferedOptions extends Pick<ReadSelfOptions, "sandbox"> {
  config: Pick<NodeConfig, "algorithmFolders" | "dataFolder" | "limits" | "policy">;
  wayOut: Pick<WayOut, "fetch">;
  log: Logger;
  /** Gives up. */
  signal: AbortSignal;
}

/** How long an algorithm that could not be had or loaded is let alone. */
const TRY_AGAIN_MS = 30 * 60_000;

/** Returns a function that looks what there is now, and asks in the sandbox what is new. */
export function createOffered(
  { config, sandbox, wayOut, log, signal }: OfferedOptions,
): () => Promise<ToldAlgorithm[]> {
  const { algorithmFolders: folders, policy, limits } = config;
  const cacheDir = join(config.dataFolder, "algorithms");
  /** What failed, by image or digest, and until when it is let alone. */
  const failed = new Map<string, number>();

  /** What `work` gives; undefined when it fails, and for a while after that. */
  async function attempt<Result>(
    what: string,
    image: string,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    if ((failed.get(what) ?? 0) > performance.now()) return undefined;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      failed.set(what, performance.now() + TRY_AGAIN_MS);
      log.warn("An algorithm cannot be described to the hub", { image, reason: messageOf(error) });
    }
  }

  function askOnce(algorithm: ResolvedAlgorithm): Promise<Self> {
    const kept = join(cacheDir, `${algorithm.code.replace("sha256:", "")}.json`);
    return keptIn(kept, () => readSelf(algorithm, { sandbox, limits, signal }));
  }

  async function describe(image: string): Promise<ToldAlgorithm | undefined> {
    const algorithm = await attempt(
      image,
      image,
      () => resolveAlgorithm(image, { folders, cacheDir, fetch: wayOut.fetch }),
    );
    if (!algorithm) return undefined;
    const self = await attempt(algorithm.code, image, () => askOnce(algorithm));
    return self && toldOf(image, algorithm.code, self, { policy, log });
  }

  return async function offered() {
    const told: ToldAlgorithm[] = [];
    let bytes = 0;
    for (const image of await imagesOf(folders, policy)) {
      const one = await describe(image);
      if (!one) continue;
      bytes += new TextEncoder().encode(JSON.stringify(one)).length + 1;
      if (told.length === MOST_ALGORITHMS || bytes > MOST_ALGORITHM_BYTES - 1000) {
        log.warn("There are more algorithms than the hub takes; it is told of the first", {
          told: told.length,
        });
        break;
      }
      told.push(one);
    }
    return told;
  };
}

/** What tasks may name here, in a steady order. */
async function imagesOf(folders: readonly string[], policy: Policy): Promise<string[]> {
  const { allowedAlgorithms = [], algorithms = [] } = policy;
  const listed = [...allowedAlgorithms, ...algorithms.map(({ name }) => name)];
  const addresses = listed.filter((entry) => /^deno:https:.*#sha256=[0-9a-f]{64}$/i.test(entry));
  const named = (await namesIn(folders)).map((name) => `deno:${name}`);
  return [...new Set([...named.toSorted(), ...addresses])].filter((one) => mayRun(one, policy));
}

function toldOf(
  image: string,
  digest: string,
  { description, functions }: Self,
  { policy, log }: { policy: Policy; log: Logger },
): ToldAlgorithm | undefined {
  const described = toldDescription.safeParse(description).data ?? null;
  if (description !== null && described === null) {
    log.warn("An algorithm's description is wrong; `deno task algorithm check` says where", {
      image,
    });
  }
  const exported = described
    ? functions.filter((name) => Object.hasOwn(described.methods, name))
    : functions;
  const methods = methodsAllowed(image, exported, policy);
  return toldAlgorithm.safeParse({ image, digest, description: described, methods }).data;
}

/** What `path` keeps, or what `make` makes, to be kept there. */
async function keptIn(path: string, make: () => Promise<Self>): Promise<Self> {
  try {
    return selfSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch {
    const self = await make();
    await Deno.writeTextFile(`${path}.new`, JSON.stringify(self));
    await Deno.rename(`${path}.new`, path);
    return self;
  }
}
