/**
 * Which algorithms may run at this node, with what they say of themselves: those in the owner's
 * folders, those of the library, and those whose address with its digest the owner lists, as far as
 * the owner's rules let tasks run them. Of container images a node knows nothing before it runs
 * them.
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
import { libraryPackages } from "../algorithms/library.ts";
import type { NodeConfig } from "../config/config.ts";
import type { WayOut } from "../hub/way_out.ts";
import { methodsAllowed } from "../policy/decide_call.ts";
import { mayRun } from "../policy/decide_task.ts";
import type { Policy } from "../policy/policy.ts";
import { readSelfOnce, type ReadSelfOptions, type Self } from "../sandbox/read_self.ts";
import { algorithmNames, resolveAlgorithm, type ResolvedAlgorithm } from "./algorithm_store.ts";

export interface OfferedOptions extends Pick<ReadSelfOptions, "sandbox"> {
  config: Pick<
    NodeConfig,
    "algorithmFolders" | "algorithmLibrary" | "dataFolder" | "limits" | "policy"
  >;
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
  const { algorithmFolders: folders, algorithmLibrary: library, policy, limits } = config;
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

  function resolve(image: string): Promise<ResolvedAlgorithm | undefined> {
    const options = { folders, library, cacheDir, fetch: wayOut.fetch };
    return attempt(image, image, () => resolveAlgorithm(image, options));
  }

  async function askOnce(image: string, algorithm: ResolvedAlgorithm): Promise<Self> {
    if (algorithm.fromLibrary) return await selfOfLibrary(image);
    return await readSelfOnce(algorithm, { cacheDir, sandbox, limits, signal });
  }

  return async function offered() {
    const told: ToldAlgorithm[] = [];
    let bytes = 0;
    const images = await imagesOf({ folders, library }, policy);
    // Together, because packing one of the library takes hardly longer than packing all of it.
    const resolved = await Promise.all(images.map(resolve));
    for (const [index, image] of images.entries()) {
      const algorithm = resolved[index];
      const self = algorithm &&
        await attempt(algorithm.code, image, () => askOnce(image, algorithm));
      const one = self && toldOf(image, algorithm.code, self, { policy, log });
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
async function imagesOf(
  there: { folders: readonly string[]; library: boolean },
  policy: Policy,
): Promise<string[]> {
  const { allowedAlgorithms = [], algorithms = [] } = policy;
  const listed = [...allowedAlgorithms, ...algorithms.map(({ name }) => name)];
  const addresses = listed.filter((entry) => /^deno:https:.*#sha256=[0-9a-f]{64}$/i.test(entry));
  const named = (await algorithmNames(there)).map((name) => `deno:${name}`);
  return [...new Set([...named, ...addresses])].filter((one) => mayRun(one, policy));
}

async function selfOfLibrary(image: string): Promise<Self> {
  const { description } = (await libraryPackages()).find(({ name }) => image === `deno:${name}`)!;
  return { description, functions: Object.keys(description.methods) };
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
