import { request } from "node:http";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";

const MEBIBYTE = 2 ** 20;
const SIZE = 1024 * MEBIBYTE;
/** The promise: no process grows by more. */
const GOAL_MIB = 64;
const PARTS = ["gateway", "task", "nats", "postgres"];

/**
 * A payload of 1 GiB up, down, and both ways at once through every part, and how far each process
 * has grown at most beyond what it had before the first. There is no raw floor for memory: the
 * promise itself is the measure.
 */
export async function benchPayload({ stack, site, quick }: BenchContext): Promise<void> {
  const size = quick ? SIZE / 8 : SIZE;
  const { username, password } = site.login;
  const login = await site.researcher.post("/token/user", { username, password });
  const headers = { authorization: `Bearer ${login.access_token}` };
  await send(`${stack.gatewayUrl}/api/blobstream`, headers, 8 * MEBIBYTE); // warm
  const memory = watchMemory(stack);
  const blobs = `${stack.gatewayUrl}/api/blobstream`;
  let uuid = "";
  const up = async () => void (uuid = await send(blobs, headers, size));
  const down = () => receive(`${blobs}/${uuid}`, headers, size);
  const ways = { "up": [up], "down": [down], "up and down at once": [down, up] };
  for (const [way, transfers] of Object.entries(ways)) {
    const began = performance.now();
    await Promise.all(transfers.map((transfer) => transfer()));
    const seconds = (performance.now() - began) / 1000;
    const growth = Object.entries(memory.most());
    report(`${size / MEBIBYTE} MiB ${way}`, {
      "MiB/s": transfers.length * size / MEBIBYTE / seconds,
      ...Object.fromEntries(growth.map(([part, mib]) => [`${part} +MiB`, Math.round(mib)])),
      "goal +MiB": GOAL_MIB,
    });
  }
  memory.stop();
}

/** Uploads `size` bytes as fast as they are taken; returns the blob's id. */
export function send(
  url: string,
  headers: Record<string, string>,
  size: number,
): Promise<string> {
  const piece = new Uint8Array(256 * 1024).fill(65);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/octet-stream",
        "content-length": String(size),
      },
    }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => text += part);
      response.on("end", () => {
        if (response.statusCode === 201) resolve(JSON.parse(text).uuid);
        else reject(new Error(`POST /blobstream answered ${response.statusCode}: ${text}`));
      });
    });
    outgoing.on("error", reject);
    let left = size;
    function more() {
      while (left > 0) {
        left -= piece.length;
        if (!outgoing.write(piece)) return void outgoing.once("drain", more);
      }
      outgoing.end();
    }
    more();
  });
}

/** Downloads and counts. */
export async function receive(
  url: string,
  headers: Record<string, string>,
  expected: number,
): Promise<void> {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`GET /blobstream answered ${response.status}`);
  let size = 0;
  for await (const piece of response.body!) size += piece.length;
  if (size !== expected) throw new Error(`${size} bytes came back, not ${expected}`);
}

/** Watches the memory of each part's largest process. */
export function watchMemory(stack: BenchContext["stack"]) {
  const first = new Map(PARTS.map((part) => [part, memoryOf(stack.part(part).pid)]));
  const most = new Map(first);
  const timer = setInterval(() => {
    for (const part of PARTS) {
      most.set(part, Math.max(most.get(part)!, memoryOf(stack.part(part).pid)));
    }
  }, 50);
  return {
    /** The most that each has had until now, beyond what it had at first; in MiB. */
    most: (): Record<string, number> =>
      Object.fromEntries(PARTS.map((part) => [part, most.get(part)! - first.get(part)!])),
    stop: () => clearInterval(timer),
  };
}

/**
 * Private memory of the largest process of a family. Pages that PostgreSQL's processes share are
 * not counted.
 */
export function memoryOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const own = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return Math.max(own, ...children.split(" ").filter(Boolean).map(Number).map(memoryOf));
  } catch {
    return 0;
  }
}
