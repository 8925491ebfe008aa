// The other half of the raw floors, in a process of its own: answers NATS requests with a fixed text, or, told so
// by "serve", HTTP requests with what one such NATS request brings.
import { connectNats } from "../../shared/nats.ts";
import { silentLogger } from "../../shared/log.ts";

const buffer = new Uint8Array(65536);
const length = await Deno.stdin.read(buffer) ?? 0;
const { url, name, credential, inboxPrefix, subject, answer, serve } = JSON.parse(
  new TextDecoder().decode(buffer.subarray(0, length)),
);
const nc = await connectNats({
  url,
  name,
  credential: { seed: credential.seed, jwt: () => credential.jwt },
  inboxPrefix,
  log: silentLogger,
});
if (serve) {
  const headers = { "content-type": "application/json" };
  const onListen = ({ port }: { port: number }) => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async () => {
    const { data } = await nc.request(subject, "GET", { timeout: 5000 });
    return new Response(data as Uint8Array<ArrayBuffer>, { headers });
  });
} else {
  nc.subscribe(subject, { callback: (_error, message) => message.respond(answer) });
  await nc.flush();
  console.log("ready");
}
