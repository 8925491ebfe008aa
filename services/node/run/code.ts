/**
 * Which code it is that runs (`codeText` in the node protocol), and what is said when it is another
 * than the job's.
 * @module
 */

/** The code whose bytes have this SHA-256, in hex. */
export function codeOf(sha256: string): string {
  return `sha256:${sha256.toLowerCase()}`;
}

/**
 * The code that a reference names by itself: of a file by address, or of an image by digest. It is
 * known before anything is fetched, and nothing else will run under it.
 */
export function codeNamedIn(reference: string): string | undefined {
  const [, digest] = /(?:#sha256=|@sha256:)([0-9a-f]{64})$/i.exec(reference) ?? [];
  return digest && codeOf(digest);
}

/** Why an attempt does not start, for the researcher and for the node's owner. */
export function otherCodeReason(
  image: string,
  { own, job = "unknown" }: { own: string | undefined; job: string | undefined },
): string {
  return `This site has other code under the name ${image} than the site that began this job first: ` +
    `here it is ${own}, the job's is ${job}. ` +
    "Have the sites install the same file, or give the changed one a version of its own; " +
    "then post the task again.";
}

/** What is said, and nothing else done, when a tag means another image than at the first site. */
export function otherImageWarning(
  image: string,
  { own, job }: { own: string | undefined; job: string },
): string {
  return `Warning: the tag ${image} means another image at this site than at the one that began ` +
    `this job first: here it is ${own}, there ${job}. Results of both may not fit together; ` +
    "name the image by its digest to have the same everywhere.";
}
