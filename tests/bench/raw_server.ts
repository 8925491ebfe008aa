// An HTTP server that does nothing but hand each request to NATS: what HTTP itself leaves of the
// raw floor.
import { silentLogger } from "../../shared/service/log.ts";
import { say, told } from "./programs.ts";
import { connectToBroker } from "../../shared/broker/connection.ts";

const messages = told();
const { url, name, credential, inboxPrefix, subject } = (await messages.next()).value;
const nc = await connectToBroker({
  url,
  name,
  credential: { seed: credential.seed, jwt: () => credential.jwt },
  inboxPrefix,
  log: silentLogger,
});
const headers = { "content-type": "application/json" };
function onListen({ port }: { port: number }) {
  say("ready");
  say(port);
}
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async function handOn() {
  const { data } = await nc.request(subject, "GET", { timeout: 5000 });
  return new Response(data as Uint8Array<ArrayBuffer>, { headers });
});
await messages.next();
Deno.exit(0);
