/**
 * Property-based fuzzing of every body and query of every service.
 *
 * `deno test -A tests/fuzz_test.ts -- --runs=1000000 --seed=42`; without the switch
 * SEXTANT_FUZZ_RUNS, or a few thousand requests, decide. Runs are those of all services together.
 */
import { parseArgs } from "node:util";
import { HUB_SERVICES, type HubService } from "../shared/broker/subjects.ts";
import { ruleName, RULES } from "../services/identity/rights/catalogue.ts";
import { fuzz } from "./support/fuzz.ts";
import { useTestHub } from "./support/hub.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { runs: { type: "string" }, seed: { type: "string" } },
  strict: false,
});
const runs = Number(values.runs ?? Deno.env.get("SEXTANT_FUZZ_RUNS") ?? 3000);
const seed = values.seed === undefined ? undefined : Number(values.seed);

const hub = useTestHub();

const place = { organization_id: 1, collaborations: [{ id: 1, organization_ids: [1, 2] }] };
const machine = { ...place, id: 1, collaboration_id: 1 };
const every = RULES.map(ruleName);
const PRINCIPALS = [
  undefined,
  { kind: "user", username: "fuzz", id: 9999, rules: every, ...place },
  { kind: "user", username: "fuzz", id: 9999, rules: every, ...place },
  {
    kind: "user",
    username: "root",
    id: 1,
    rules: every.filter((r) => !/GLOBAL$/.test(r)),
    ...place,
  },
  { kind: "node", rules: every, ...machine },
  {
    kind: "container",
    study_id: null,
    task_id: 1,
    job_id: 1,
    image: "i",
    rules: every,
    ...machine,
  },
];

/** Something to hit: without it nearly every id is one that does not exist. */
async function furnish(): Promise<void> {
  const { call, root: token } = hub();
  for (const name of ["two", "three"]) {
    await call("POST", "/organization", { token, body: { name } });
  }
  const body = { name: "one", organization_ids: [1, 2, 3], encrypted: false };
  await call("POST", "/collaboration", { token, body });
  for (const organization_id of [1, 2]) {
    const node = { name: `node ${organization_id}`, organization_id, collaboration_id: 1 };
    await call("POST", "/node", { token, body: node });
  }
  await call("POST", "/study", {
    token,
    body: { name: "study", organization_ids: [1, 2], collaboration_id: 1 },
  });
  const input = btoa(JSON.stringify({ method: "mean" }));
  const task = { name: "t", image: "deno:mean@1", collaboration_id: 1 };
  for (let i = 0; i < 3; i++) {
    await call("POST", "/task", { token, body: { ...task, organizations: [{ id: 1, input }] } });
  }
}

for (const service of HUB_SERVICES satisfies readonly HubService[]) {
  Deno.test(`${service}: never a 500, always JSON, whatever is sent`, async () => {
    await furnish();
    const share = Math.ceil(runs / HUB_SERVICES.length);
    await fuzz({ app: hub().apps[service], runs: share, principals: PRINCIPALS, seed });
  });
}

Deno.test("gateway: never a 500, always JSON, whoever says to be calling", async () => {
  const { apps, root } = hub();
  const routes = HUB_SERVICES.flatMap((service) => apps[service].routes);
  const authorizations = [
    undefined,
    root,
    `${root}x`,
    "a.b.c",
    "",
    `${root} ${root}`,
    "x".repeat(9000),
  ];
  await fuzz({
    app: {
      routes,
      fetch(request, { principal }: { principal?: string }) {
        if (principal !== undefined) request.headers.set("authorization", `Bearer ${principal}`);
        return apps.gateway.fetch(request, { address: "192.0.2.1" });
      },
    },
    runs: Math.ceil(runs / 10),
    principals: authorizations,
    seed,
  });
});
