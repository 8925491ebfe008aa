// The other half of the raw floor: answers NATS requests with a fixed text, in a process of its own.
import { connectNats } from "../../shared/nats.ts";
import { silentLogger } from "../../shared/log.ts";

const buffer = new Uint8Array(65536);
const length = await Deno.stdin.read(buffer) ?? 0;
const { url, name, credential, inboxPrefix, subject, answer } = JSON.parse(
  new TextDecoder().decode(buffer.subarray(0, length)),
);
const nc = await connectNats({
  url,
  name,
  credential: { seed: credential.seed, jwt: () => credential.jwt },
  inboxPrefix,
  log: silentLogger,
});
nc.subscribe(subject, { callback: (_error, message) => message.respond(answer) });
await nc.flush();
console.log("ready");
