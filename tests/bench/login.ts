import { hash, verify } from "@node-rs/argon2";
import { createApiClient } from "../support/api.ts";
import type { BenchContext } from "./context.ts";
import { percentile, rateOf, report } from "./measure.ts";

const TRIES = 200;
/** Fewer than lock an account. */
const TRIES_EACH = 4;

/**
 * Log-ins per second; the floor is checking one password hash of the same cost. Then what a failure
 * tells by its time.
 */
export async function benchLogin({ stack, site }: BenchContext): Promise<void> {
  const client = createApiClient(stack.gatewayUrl);
  const stored = await hash(site.login.password, {
    memoryCost: 19_456,
    timeCost: 2,
    parallelism: 1,
  });
  for (const inFlight of [1, 8]) {
    const raw = await rateOf(() => verify(stored, site.login.password), { inFlight });
    const real = await rateOf(() => client.post("/token/user", site.login), { inFlight });
    report(`${inFlight} in flight`, {
      "log-ins/s": real.perSecond,
      "p50 ms": real.p50,
      "p99 ms": real.p99,
      "raw argon2id/s": raw.perSecond,
      "ratio": real.perSecond / raw.perSecond,
    });
  }

  const users = Array.from({ length: TRIES / TRIES_EACH }, (_, index) => `guessed-${index}`);
  for (const username of users) {
    const person = { username, firstname: "F", lastname: "L", email: `${username}@x.example` };
    await site.admin.post("/user", { ...person, password: site.login.password });
  }
  const took: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
  for (let i = 0; i < TRIES; i++) {
    for (const kind of ["known", "unknown"] as const) {
      const user = users[i % users.length]!;
      const username = kind === "known" ? user : user.replace("guessed", "nobody");
      const began = performance.now();
      const response = await client.request("POST", "/token/user", { username, password: "x" });
      await response.arrayBuffer();
      took[kind].push(performance.now() - began);
      if (response.status !== 401) throw new Error(`A wrong password got ${response.status}`);
    }
  }
  const known = percentile(took.known, 0.5);
  const unknown = percentile(took.unknown, 0.5);
  report(`wrong password, ${TRIES} tries`, {
    "known user p50 ms": known,
    "unknown user p50 ms": unknown,
    "ratio": Math.max(known, unknown) / Math.min(known, unknown),
  });
}
