import { connectToBroker } from "../../shared/broker/connection.ts";
import { issueServiceCredential } from "../../shared/broker/trust.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { createApiClient } from "../support/api.ts";
import { startTestBroker } from "../harness.ts";
import type { BenchContext } from "./context.ts";
import { pacedAt, rateOf, report } from "./measure.ts";
import { startProgram } from "./programs.ts";

const PACE = 200;
/** The promise, in milliseconds. */
const P99_GOAL = 20;

/**
 * Requests per second and latency of one authenticated GET. The floor is a bare NATS request of the
 * same size; beside it stands what HTTP itself leaves of that: a server that does nothing but hand
 * each request to NATS.
 */
export async function benchGateway({ stack, site }: BenchContext): Promise<void> {
  const { access_token } = await createApiClient(stack.gatewayUrl).post("/token/user", site.login);
  const url = `${stack.gatewayUrl}/api/organization/${site.members[0]!.id}`;
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await (await fetch(url, { headers })).text();
  const floor = await rawRequests(answer);
  for (const inFlight of [1, 32]) {
    const raw = await rateOf(floor.request, { inFlight });
    const bare = await rateOf(() => get(floor.url, headers), { inFlight });
    const real = await rateOf(() => get(url, headers), { inFlight });
    report(`${inFlight} in flight`, {
      "requests/s": real.perSecond,
      "p50 ms": real.p50,
      "p99 ms": real.p99,
      "raw NATS/s": raw.perSecond,
      "ratio": real.perSecond / raw.perSecond,
      "bare HTTP+NATS/s": bare.perSecond,
      "ratio to it": real.perSecond / bare.perSecond,
    });
  }
  const { perSecond, p50, p99 } = await pacedAt(() => get(url, headers), { perSecond: PACE });
  report(`${PACE} a second`, {
    "requests/s": perSecond,
    "p50 ms": p50,
    "p99 ms": p99,
    "goal of p99": P99_GOAL,
  });
  await floor.stop();
}

async function get(url: string, headers: HeadersInit): Promise<void> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET answered ${response.status}`);
}

/**
 * A responder and an HTTP server in processes of their own and a requester here, on a broker of
 * their own.
 */
async function rawRequests(answer: string) {
  const broker = await startTestBroker();
  async function connect(name: "identity" | "gateway") {
    const { seed, publicKey } = newUserKey();
    const { jwt } = await issueServiceCredential(broker.trust, name, publicKey, 3600);
    return {
      url: broker.url,
      name,
      credential: { seed, jwt },
      inboxPrefix: `_INBOX.${name}`,
    };
  }
  const subject = "rpc.identity.echo";
  const settings = { ...await connect("identity"), subject, answer };
  const responder = await startProgram("./raw_responder.ts", settings);
  const server = await startProgram("./raw_server.ts", { ...await connect("gateway"), subject });
  const port: number = await server.hear();
  const { credential, ...options } = await connect("gateway");
  const nc = await connectToBroker({
    ...options,
    credential: { seed: credential.seed, jwt: () => credential.jwt },
    log: silentLogger,
  });
  return {
    /** Of the HTTP server. */
    url: `http://127.0.0.1:${port}/`,
    request: () => nc.request(subject, "GET", { timeout: 5000 }),
    async stop() {
      await nc.close();
      await responder.stop();
      await server.stop();
      await broker.stop();
    },
  };
}
