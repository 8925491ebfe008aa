/**
 * A process that does nothing but hold one connection to the broker, for tests that kill or freeze
 * it. Reads `{url, inbox, name, seed, jwt}` from standard input and says "connected" on standard
 * output.
 * @module
 */
import { silentLogger } from "../../shared/service/log.ts";
import { connectToBroker } from "../../shared/broker/connection.ts";

const given = JSON.parse(await new Response(Deno.stdin.readable).text());
const nc = await connectToBroker({
  url: given.url,
  name: given.name,
  credential: { seed: given.seed, jwt: () => given.jwt },
  inboxPrefix: given.inbox,
  log: silentLogger,
});
await nc.flush();
console.log("connected");
await nc.closed();
