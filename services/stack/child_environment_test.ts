import assert from "node:assert/strict";
import { childEnvironment, INHERITS } from "./child_environment.ts";

/** An operator's environment, with a secret for each part and some of nobody's. */
const launcher = {
  PATH: "/bin",
  https_proxy: "http://proxy",
  NPM_CONFIG_REGISTRY: "https://packages.example",
  NPM_TOKEN: "for packages",
  DENO_AUTH_TOKENS: "for packages",
  SEXTANT_LOG_LEVEL: "debug",
  SEXTANT_SMTP_PASSWORD: "for identity",
  SEXTANT_ADMIN_PASSWORD_FILE: "/for/identity",
  SEXTANT_NODE_PRIVATE_KEY: "for nodes",
  SEXTANT_SERVER_URL: "https://hub.example",
  AWS_SECRET_ACCESS_KEY: "private",
};
const everybodys = {
  PATH: "/bin",
  https_proxy: "http://proxy",
  NPM_CONFIG_REGISTRY: "https://packages.example",
};

Deno.test("childEnvironment() gives each child what is its own, and no secret of another", () => {
  assert.deepEqual(childEnvironment({ OWN: "1" }, { launcher }), { ...everybodys, OWN: "1" });
  const expected: Record<keyof typeof INHERITS, Record<string, string>> = {
    identity: {
      SEXTANT_SMTP_PASSWORD: "for identity",
      SEXTANT_ADMIN_PASSWORD_FILE: "/for/identity",
    },
    collaboration: { SEXTANT_SERVER_URL: "https://hub.example" },
    task: {},
    gateway: {},
    node: { SEXTANT_NODE_PRIVATE_KEY: "for nodes" },
  };
  for (const [part, own] of Object.entries(expected)) {
    const inherits = INHERITS[part as keyof typeof INHERITS];
    assert.deepEqual(childEnvironment({}, { inherits, launcher }), { ...everybodys, ...own }, part);
  }
  const { NPM_TOKEN, DENO_AUTH_TOKENS } = launcher;
  const fetching = childEnvironment({}, { fetches: true, launcher });
  assert.deepEqual(fetching, { ...everybodys, NPM_TOKEN, DENO_AUTH_TOKENS });
});

Deno.test("childEnvironment() lets the child's own value win in either of its two forms", () => {
  const theirs = { SEXTANT_DATABASE_URL: "theirs", SEXTANT_ADMIN_PASSWORD_FILE: "/theirs" };
  const own = { SEXTANT_DATABASE_URL_FILE: "/ours", SEXTANT_ADMIN_PASSWORD: "ours" };
  const inherits = ["SEXTANT_DATABASE_URL", "SEXTANT_ADMIN_PASSWORD"];
  assert.deepEqual(childEnvironment(own, { inherits, launcher: theirs }), own);
});

/** What the launcher itself tells the parts. */
const SET_BY_LAUNCHER = [
  "SEXTANT_DATABASE_URL",
  "SEXTANT_NATS_URL",
  "SEXTANT_ENROLMENT",
  "SEXTANT_BROKER_TRUST",
  "SEXTANT_DISPATCH_PUBLIC_KEYS",
  "SEXTANT_SECRETS_KEY",
  "SEXTANT_DISPATCH_KEY",
  "SEXTANT_NODE_NATS_URL",
  "SEXTANT_ADMIN_FILE",
  "SEXTANT_LISTEN",
  "SEXTANT_METRICS_TOKEN_FILE",
  "SEXTANT_PAGE_FOLDER",
];

Deno.test("INHERITS has every variable that a service reads, and no other", async () => {
  const files: Partial<Record<keyof typeof INHERITS, string[]>> = {
    identity: ["main.ts", "accounts/mail.ts"],
    collaboration: ["main.ts"],
    task: ["main.ts"],
    gateway: ["main.ts"],
  };
  for (const [service, paths] of Object.entries(files)) {
    const texts = await Promise.all(
      paths.map((path) => Deno.readTextFile(new URL(`../${service}/${path}`, import.meta.url))),
    );
    const read = new Set(texts.join("\n").match(/SEXTANT_[A-Z_]+(?=:)/g));
    const expected = [...read].filter((name) => !SET_BY_LAUNCHER.includes(name));
    assert.deepEqual(
      [...INHERITS[service as keyof typeof INHERITS]].sort(),
      expected.sort(),
      service,
    );
  }
});
