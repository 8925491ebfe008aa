// A node's agent, whole and real but for its algorithms, which do nothing: what it costs is
// dispatch, policy, journal and report. It is told the path of its configuration.
import { startAgent } from "../../services/node/agent.ts";
import { readNodeConfig } from "../../services/node/config/config.ts";
import { writePieces } from "../../services/node/payload/pieces.ts";
import type { Sandbox } from "../../services/node/sandbox/sandbox.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { say, told } from "./programs.ts";

const result = await writePieces(await Deno.makeTempFile(), [new TextEncoder().encode("null")]);
const nothing: Sandbox = {
  walls: [],
  start() {
    const outcome = { status: "completed" as const, result, log: "", reason: null };
    return Promise.resolve({ done: Promise.resolve(outcome), kill: () => Promise.resolve() });
  },
  close: () => Promise.resolve(),
};

const messages = told();
const agent = await startAgent({
  config: await readNodeConfig((await messages.next()).value),
  log: silentLogger,
  signal: new AbortController().signal,
  onFailure(error) {
    console.error(error);
    Deno.exit(1);
  },
  openSandbox: () => Promise.resolve(nothing),
});
say("ready");
await messages.next();
await agent.stop();
await Deno.remove(result.path);
Deno.exit(0);
