/**
 * The part of `deno task node check` about what the owner's `whitelist` lets containers reach on
 * the web: it is asked for as they ask for it.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { startWhitelistProxy } from "../container/network/whitelist_proxy.ts";
import { createWayOut } from "../hub/way_out.ts";
import type { Finding } from "./finding.ts";

const PATIENCE_MS = 10_000;
/** Enough for the status of an answer and the sentence of a refusal. */
const MOST_READ = 4096;

/** A finding for each host that is named; suffixes and ranges name none. */
export async function* checkWhitelist(
  { containers, wayOut: settings }: Pick<NodeConfig, "containers" | "wayOut">,
): AsyncGenerator<Finding> {
  const { whitelist } = containers ?? {};
  if (!whitelist) return;
  const hosts = [
    ...whitelist.domains.filter((domain) => !domain.startsWith(".")),
    ...whitelist.ips.filter((ip) => !ip.includes("/")),
  ];
  const folder = await Deno.makeTempDir({ prefix: "sextant-" });
  const wayOut = createWayOut(settings);
  const reasons = new Map<string, string>();
  const socket = join(folder, "web");
  const log = {
    ...silentLogger,
    warn(_text: string, { target, reason }: Record<string, unknown> = {}) {
      reasons.set(`${target}`.replace(/^https?:\/\//, ""), `${reason}`);
    },
  };
  const stop = await startWhitelistProxy({ socket, whitelist, wayOut, log });

  /** What keeps a container from a port of a host; `undefined`: nothing. */
  async function problemAt(host: string, port: number): Promise<string | undefined> {
    // What a forward proxy is asked for at port 80 is no tunnel.
    const line = port === 80 ? `GET http://${host}/` : `CONNECT ${host}:${port}`;
    const answer = await ask(socket, `${line} HTTP/1.1\r\nHost: ${host}\r\n`).catch(messageOf);
    const refused = reasons.get(`${host}:${port}`);
    if (refused !== undefined) return refused;
    const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(answer) ?? [];
    // Whatever a server says of its first page, it is there; 502 and above are of those between.
    if (Number(status) < (port === 80 ? 502 : 300)) return undefined;
    return answer.split("\r\n\r\n").at(-1)!.trim().split("\n")[0];
  }

  try {
    for (const host of hosts) {
      const named = host.includes(":") ? `[${host}]` : host;
      const problems = await Promise.all(
        whitelist.ports.map(async (port) => ({ port, problem: await problemAt(named, port) })),
      );
      const open = problems.filter(({ problem }) => problem === undefined);
      const proxy = wayOut.proxyOf(`https://${named}`);
      const way = proxy ? `through the proxy ${proxy}` : "directly";
      yield {
        name: `whitelist ${host}`,
        well: open.length > 0,
        note: open.length > 0
          ? `containers reach it at port ${open.map(({ port }) => port).join(", ")}, ${way}`
          : problems.map(({ port, problem }) => `port ${port}: ${problem}`).join("; "),
      };
    }
  } finally {
    stop();
    wayOut.close();
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** The beginning of what comes in answer to a request. */
async function ask(socket: string, request: string): Promise<string> {
  const connection = await Deno.connect({ transport: "unix", path: socket });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, PATIENCE_MS);
  try {
    await connection.write(new TextEncoder().encode(`${request}Connection: close\r\n\r\n`));
    const memory = new Uint8Array(MOST_READ);
    const size = await connection.read(memory);
    return new TextDecoder().decode(memory.subarray(0, size ?? 0));
  } catch (error) {
    throw isLate ? new Error(`no answer within ${PATIENCE_MS / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
    if (!isLate) connection.close();
  }
}
