/**
 * What a deployment remembers in its folder: secrets made once, ports, and which launcher holds it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../shared/service/errors.ts";
import { demandPrivate } from "../../shared/service/private_file.ts";

/** A new secret for a machine to use: 192 bits as base64url text. */
export function newSecret(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Writes a file that only its owner may read, whole or not at all, over a crash of the machine too.
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o711 });
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
  const file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
  try {
    await file.write(new TextEncoder().encode(text));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(draft, path);
}

/**
 * The content of a secret file, made by `make` when it is not there yet. Rejects when everybody on
 * the machine can read or change it.
 */
export async function keepSecret(
  path: string,
  make: () => string | Promise<string>,
): Promise<string> {
  try {
    const kept = await Deno.readTextFile(path);
    demandPrivate(path);
    return kept;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const text = await make();
  await writeSecret(path, text);
  return text;
}

/** The ports that the deployment used last, by part. */
export async function readPorts(folder: string): Promise<Record<string, number>> {
  try {
    const ports = JSON.parse(await Deno.readTextFile(join(folder, "ports.json")));
    return Object.values(ports).every(isPort) ? ports : {};
  } catch (error) {
    // A convenience: without it, or with a broken one, other ports are chosen.
    if (error instanceof Deno.errors.PermissionDenied) throw error;
    return {};
  }
}

function isPort(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

export async function writePorts(folder: string, ports: Record<string, number>): Promise<void> {
  await Deno.writeTextFile(join(folder, "ports.json"), JSON.stringify(ports, null, 2) + "\n");
}

/** The error for a folder that no deployment can be in, or that is another account's. */
export function unusableFolder(folder: string, cause: unknown): Error {
  return new Error(
    `Cannot use the data folder ${folder}: ${messageOf(cause)}. Choose another with --data.`,
    { cause },
  );
}

export interface DeploymentLock {
  release(): void;
}

/**
 * Makes sure that one launcher at a time works in `folder`. The lock goes with the process, however
 * it ends; a launcher that is just stopping is waited for.
 */
export async function lockDeployment(folder: string, waitMs = 15_000): Promise<DeploymentLock> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    const lock = await lockIfFree(folder);
    if (lock) return lock;
    if (Date.now() > giveUpAt) {
      const holder = (await Deno.readTextFile(join(folder, "lock"))).trim();
      throw new Error(
        `Cannot start: another launcher${
          holder ? ` (process ${holder})` : ""
        } works in ${folder}. ` +
          `Stop it first, or choose another folder with --data.`,
      );
    }
    await delay(100);
  }
}

/** The lock of {@linkcode lockDeployment} if nobody has it, else `undefined`. */
export async function lockIfFree(folder: string): Promise<DeploymentLock | undefined> {
  const file = await Deno.open(join(folder, "lock"), { read: true, write: true, create: true })
    .catch((error) => {
      throw unusableFolder(folder, error);
    });
  if (!await file.tryLock(true)) {
    file.close();
    return undefined;
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return { release: () => file.close() };
}
