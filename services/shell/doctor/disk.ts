import { statfs } from "node:fs/promises";
import type { Addresses } from "../connections.ts";
import type { Shell } from "../shell.ts";
import { grouped } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** Below these there is little time left to do something about it. */
const LITTLE_BYTES = 5e9;
const LITTLE_SHARE = 0.1;
const HARDLY_ANY_BYTES = 5e8;

/** Room where this machine keeps the hub's data. */
export async function checkDisk(_shell: Shell, { dataFolder }: Addresses): Promise<Finding[]> {
  const check = "disk space";
  if (!dataFolder) {
    const advice = "Look on the machines of PostgreSQL and of nats-server: df -h.";
    return [note(check, "the databases are elsewhere: it cannot be seen from here", advice)];
  }
  const { bavail, blocks, bsize } = await statfs(dataFolder);
  const [free, all] = [bavail * bsize, blocks * bsize];
  const finding = `${grouped(Math.floor(free / 1e6))} MB of ${grouped(Math.floor(all / 1e6))} MB ` +
    `are free at ${dataFolder}`;
  if (free > LITTLE_BYTES || free > all * LITTLE_SHARE) return [ok(check, finding)];
  const advice =
    "Make room: PostgreSQL and the broker stop when the disk is full. Backups can go " +
    "elsewhere, and results of old tasks can be deleted.";
  return [(free < HARDLY_ANY_BYTES ? wrong : note)(check, finding, advice)];
}
