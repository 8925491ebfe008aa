import { request } from "node:http";
import type { BenchContext } from "./main.ts";
import { report } from "./measure.ts";

const MEBIBYTE = 2 ** 20;
const SIZE = 1024 * MEBIBYTE;
/** The promise: no process grows by more. */
const GOAL_MIB = 64;
const PARTS = ["gateway", "task", "nats", "postgres"];

/** A payload of 1 GiB up and down through every part, and how much each process grows meanwhile. */
export async function benchPayload({ stack, site }: BenchContext): Promise<void> {
  const { username, password } = site.login;
  const login = await site.researcher.post("/token/user", { username, password });
  const headers = { authorization: `Bearer ${login.access_token}` };
  await send(`${stack.gatewayUrl}/api/blobstream`, headers, 8 * MEBIBYTE); // warm
  let uuid = "";
  for (const way of ["up", "down"]) {
    const watch = watchMemory(stack);
    const began = performance.now();
    if (way === "up") uuid = await send(`${stack.gatewayUrl}/api/blobstream`, headers, SIZE);
    else await receive(`${stack.gatewayUrl}/api/blobstream/${uuid}`, headers, SIZE);
    const seconds = (performance.now() - began) / 1000;
    const growth = watch.stop();
    report(`1 GiB ${way}`, {
      "MiB/s": SIZE / MEBIBYTE / seconds,
      ...Object.fromEntries(
        Object.entries(growth).map(([part, mib]) => [`${part} +MiB`, Math.round(mib)]),
      ),
      "goal +MiB": GOAL_MIB,
    });
  }
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

/** The most memory of its own that each part's largest process has had, beyond what it had at first; in MiB. */
export function watchMemory(stack: BenchContext["stack"]) {
  const first = new Map(PARTS.map((part) => [part, memoryOf(stack.part(part).pid)]));
  const most = new Map(first);
  const timer = setInterval(() => {
    for (const part of PARTS) {
      most.set(part, Math.max(most.get(part)!, memoryOf(stack.part(part).pid)));
    }
  }, 50);
  return {
    stop(): Record<string, number> {
      clearInterval(timer);
      return Object.fromEntries(PARTS.map((part) => [part, most.get(part)! - first.get(part)!]));
    },
  };
}

/** Private memory of the largest process of a family. Pages that PostgreSQL's processes share are not counted. */
function memoryOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const own = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return Math.max(own, ...children.split(" ").filter(Boolean).map(Number).map(memoryOf));
  } catch {
    return 0;
  }
}
