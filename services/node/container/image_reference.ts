/**
 * Names of images, as Docker reads them.
 * @module
 */

/** The image cannot be had. The message is for the researcher. */
export class ImageError extends Error {
  override name = "ImageError";
}

export interface ImageReference {
  registry: string;
  /** With registry and with tag or digest. */
  full: string;
  /** Whether it names a digest: then it means the same image for ever. */
  isFixed: boolean;
}

/** The repository of a full name: without tag and digest. */
export function repositoryOf(full: string): string {
  return full.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
}

const REFERENCE =
  /^(?:(?<registry>localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:\d+\/))(?<port>:\d{1,5})?\/)?(?<path>[a-z0-9]+(?:(?:[./]|__?|-+)[a-z0-9]+)*)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * Reads a reference as Docker does: without a registry it is Docker Hub's. Throws an {@linkcode
 * ImageError}.
 */
export function readReference(reference: string): ImageReference {
  const groups = REFERENCE.exec(reference)?.groups;
  if (!groups) {
    throw new ImageError(
      `${
        JSON.stringify(reference.slice(0, 200))
      } is not the name of an image. Write registry/name:tag or registry/name@sha256:digest.`,
    );
  }
  const registry = groups.registry ? groups.registry + (groups.port ?? "") : "docker.io";
  const path = groups.registry || groups.path!.includes("/")
    ? groups.path
    : `library/${groups.path}`;
  // With both, the digest decides.
  const end = groups.digest ? `@${groups.digest}` : `:${groups.tag ?? "latest"}`;
  return { registry, full: `${registry}/${path}${end}`, isFixed: groups.digest !== undefined };
}
