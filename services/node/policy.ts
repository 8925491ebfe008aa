/**
 * What may run at this data station. Evaluated for every attempt, subtasks included: a subtask is not trusted
 * more than the task that made it.
 * @module
 */

export type Decision = { allowed: true } | { allowed: false; reason: string };

/**
 * Decides on an algorithm reference. `allowedAlgorithms` is the owner's list, of which an entry stands for exactly
 * itself, or, without a version, for every version of that name. Without a list only algorithms from the
 * node's own folders (`deno:<name>@<version>`) may run, since the owner put them there.
 */
export function decide(image: string, allowedAlgorithms: readonly string[] | undefined): Decision {
  if (allowedAlgorithms === undefined) {
    if (isOwnAlgorithm(image)) return { allowed: true };
    const kind = image.startsWith("deno:") ? "not one of the node's own" : "a container image";
    return refuse(
      image,
      `it is ${kind}, and no policies.allowed_algorithms are configured here, so only algorithms ` +
        "from the node's own folders (deno:<name>@<version>) may run",
    );
  }
  if (allowedAlgorithms.includes(image) || allowedAlgorithms.includes(nameOf(image))) {
    return { allowed: true };
  }
  return refuse(
    image,
    allowedAlgorithms.length === 0
      ? "policies.allowed_algorithms is empty, so nothing may run"
      : "it is not in policies.allowed_algorithms",
  );
}

function refuse(image: string, rule: string): Decision {
  return { allowed: false, reason: `This node does not allow the algorithm ${image}: ${rule}.` };
}

function isOwnAlgorithm(image: string): boolean {
  return /^deno:[A-Za-z0-9_-]+@[A-Za-z0-9.+_-]+$/.test(image);
}

/** The reference without its version: no `@version`, `#sha256=…`, `:tag` or `@digest`. */
function nameOf(image: string): string {
  if (/^deno:https?:/i.test(image)) return image.replace(/#.*$/, "");
  if (image.startsWith("deno:")) return image.replace(/@[^@]*$/, "");
  // A colon before the last slash is a registry's port.
  return image.replace(/@[^@]*$/, "").replace(/:[^:/]*$/, "");
}
