// The other half of a raw floor: answers NATS requests with a fixed text, in a process of its own.
import { silentLogger } from "../../shared/service/log.ts";
import { say, told } from "./programs.ts";
import { connectToBroker } from "../../shared/broker/connection.ts";

const messages = told();
const { url, name, credential, inboxPrefix, subject, answer } = (await messages.next()).value;
const nc = await connectToBroker({
  url,
  name,
  credential: { seed: credential.seed, jwt: () => credential.jwt },
  inboxPrefix,
  log: silentLogger,
});
nc.subscribe(subject, { callback: (_error, message) => message.respond(answer) });
await nc.flush();
say("ready");
await messages.next();
Deno.exit(0);
