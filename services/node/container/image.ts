/**
 * Getting an algorithm's image onto this machine: pulled with the owner's log-ins, and fixed by its
 * id, so that what was looked at is what runs.
 *
 * The registry is asked once for each job, and not at all for a digest that is here; one that fails
 * is left alone for a while.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { type Engine, EngineError } from "./engine.ts";
import { ImageError, type ImageReference, readReference, repositoryOf } from "./image_reference.ts";
import { pullImage, type RegistryLogin } from "./pull.ts";

/** An image that is here. */
export interface Image {
  /** The engine's own name for it: another one on each architecture. */
  id: string;
  /** The digest under which the registry has it; `undefined` for one that never came from there. */
  digest: string | undefined;
}

export interface Images {
  /**
   * The image that `reference` means for a job; pulled if need be. Callers at the same time share
   * one pull. Throws an {@linkcode ImageError}.
   */
  get(reference: string, options: { jobId?: number; signal: AbortSignal }): Promise<Image>;
}

/** What of the node's configuration concerns pulls. */
export interface PullOptions {
  logins: readonly RegistryLogin[];
  /** Whether an image that cannot be pulled is refused even though it is here. */
  requirePull: boolean;
  pullTimeoutSeconds: number;
}

export interface ImagesOptions extends PullOptions {
  engine: Engine;
  log: Logger;
  /** How long a registry may say nothing while the image is here and may be run. */
  patienceMs?: number;
}

/** For how long it is remembered why an image could not be pulled. */
const FAILURE_MS = 30_000;
/** Of how many jobs it is remembered what their images are. */
const MOST_JOBS = 1000;

export function createImages(
  { engine, logins, requirePull, pullTimeoutSeconds, log, patienceMs = 5000 }: ImagesOptions,
): Images {
  const underWay = new Map<string, Promise<Image>>();
  /** What references mean for jobs, the newest last. */
  const ofJobs = new Map<string, Image>();
  /** Why references, or anything of a registry, could not be pulled. */
  const failures = createFailures();

  async function fetchImage(reference: string): Promise<Image> {
    const parts = readReference(reference);
    // Asked for in full first: a short name means the one of Docker Hub, whatever lies here under
    // it.
    const find = async () =>
      await imageOf(engine, parts.full, parts) ?? await imageOf(engine, reference, parts);
    const here = await find();
    // No registry could say that it is another one.
    if (here && parts.isFixed) return here;
    const refusal = await tryPull(parts, here !== undefined && !requirePull);
    if (refusal === undefined) {
      const pulled = await find();
      if (pulled) return pulled;
    } else if (here && !requirePull) return here;
    const why = refusal ?? "the engine does not know it after the pull";
    throw new ImageError(
      here && refusal !== undefined
        ? `The image ${reference} is on this node but cannot be pulled, which policies.require_algorithm_pull demands: ${why}`
        : `The image ${reference} cannot be had: ${why}`,
    );
  }

  /** Pulls, or says why that cannot be done. `isHere`: the image is at hand and may be run. */
  async function tryPull(parts: ImageReference, isHere: boolean): Promise<string | undefined> {
    const { full, registry } = parts;
    const known = failures.of(full) ?? (isHere ? failures.of(registry) : undefined);
    if (known !== undefined) return known;
    try {
      const timeoutMs = pullTimeoutSeconds * 1000;
      const patience = isHere ? { patienceMs } : {};
      await pullImage(parts, { engine, logins, timeoutMs, ...patience, log });
      failures.forget(full, registry);
    } catch (error) {
      const reason = messageOf(error);
      log.warn("Cannot pull an image", { image: full, reason });
      failures.note(full, reason);
      // Whoever says nothing of one image says nothing of others either.
      if (isHere && !(error instanceof EngineError)) failures.note(registry, reason);
      return reason;
    }
  }

  async function ofJob(key: string, reference: string): Promise<Image | undefined> {
    const known = ofJobs.get(key);
    // Its owner may have removed it meanwhile.
    return known && await imageOf(engine, known.id, readReference(reference)) ? known : undefined;
  }

  function share(reference: string): Promise<Image> {
    const known = underWay.get(reference);
    if (known) return known;
    const fetching = fetchImage(reference).finally(() => underWay.delete(reference));
    fetching.catch(() => {}); // whoever asked may have gone
    underWay.set(reference, fetching);
    return fetching;
  }

  return {
    async get(reference, { jobId, signal }) {
      const key = `${jobId} ${reference}`;
      const known = jobId === undefined ? undefined : await orAbort(ofJob(key, reference), signal);
      if (known) return known;
      const image = await orAbort(share(reference), signal);
      if (jobId === undefined) return image;
      ofJobs.set(key, image);
      for (const old of ofJobs.keys()) {
        if (ofJobs.size <= MOST_JOBS) break;
        ofJobs.delete(old);
      }
      return image;
    },
  };
}

/**
 * The digest that a repository has an image under. Of several, as Podman keeps of an image for
 * several architectures, always the same one.
 */
function digestUnder(repository: string, digests: string[]): string | undefined {
  const own = digests.filter((one) => {
    try {
      return repositoryOf(readReference(one).full) === repository;
    } catch (error) {
      if (error instanceof ImageError) return false;
      throw error;
    }
  });
  return own.map((one) => one.slice(one.indexOf("@") + 1)).sort()[0];
}

async function imageOf(
  engine: Engine,
  name: string,
  { full }: ImageReference,
): Promise<Image | undefined> {
  const schema = z.object({ Id: z.string(), RepoDigests: z.array(z.string()).nullish() });
  try {
    const { Id, RepoDigests } = await engine.json("GET", `/images/${name}/json`, schema);
    return { id: Id, digest: digestUnder(repositoryOf(full), RepoDigests ?? []) };
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

/** Remembers for a while why something failed. */
function createFailures() {
  const all = new Map<string, { reason: string; at: number }>();
  return {
    note: (what: string, reason: string) => void all.set(what, { reason, at: Date.now() }),
    forget(...what: string[]): void {
      for (const one of what) all.delete(one);
    },
    of(what: string): string | undefined {
      for (const [key, { at }] of all) if (Date.now() - at > FAILURE_MS) all.delete(key);
      const failure = all.get(what);
      if (!failure) return undefined;
      const again = Math.ceil((FAILURE_MS - (Date.now() - failure.at)) / 1000);
      return `${failure.reason} (it is asked again in ${again} s)`;
    },
  };
}
