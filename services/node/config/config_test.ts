import assert from "node:assert/strict";
import { ConfigError } from "../../../shared/service/config.ts";
import { PROFILES } from "../disclosure/rules.ts";
import { readNodeConfig } from "./config.ts";
import { API_KEY_VARIABLE } from "./secrets.ts";

async function withConfig<T>(
  yaml: string,
  use: (
    read: (env?: Record<string, string>) => ReturnType<typeof readNodeConfig>,
    folder: string,
  ) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/node.yaml`, yaml);
    await Deno.writeTextFile(`${folder}/data.csv`, "a,b\n1,2\n");
    await Deno.mkdir(`${folder}/algorithms`);
    return await use((env = {}) => readNodeConfig(`${folder}/node.yaml`, env), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function problemsOf(read: Promise<unknown>): Promise<string[]> {
  const error = await read.then(() => assert.fail("was accepted"), (thrown) => thrown);
  assert.ok(error instanceof ConfigError, String(error));
  return error.problems;
}

Deno.test("readNodeConfig() resolves paths against the file and fills in the defaults", async () => {
  const yaml = `
api_key: 4f0c
server_url: http://localhost
port: 5000
databases:
  - { label: default, uri: ./data.csv, type: csv }
algorithm_folders: [algorithms]
policies:
  allowed_algorithms: "deno:average"
`;
  await withConfig(yaml, async (read, folder) => {
    const config = await read();
    assert.equal(config.api, "http://localhost:5000/api");
    assert.equal(config.apiKey, "4f0c");
    assert.equal(config.dataFolder, `${folder}/node-data`);
    assert.deepEqual(config.databases, [
      { reach: [], label: "default", type: "csv", path: `${folder}/data.csv` },
    ]);
    assert.deepEqual(config.algorithmFolders, [`${folder}/algorithms`]);
    assert.equal(config.algorithmLibrary, false);
    assert.deepEqual(config.policy.allowedAlgorithms, ["deno:average"]);
    assert.equal(config.encryption, false);
    assert.ok(config.maxRuns >= 2);
    assert.equal(config.maxWaitingRuns, 4 * config.maxRuns);
    assert.ok(config.limits.timeoutSeconds > 0);
  });
});

Deno.test("readNodeConfig() leaves the port out when it is the scheme's own", async () => {
  const yaml = "api_key: k\nserver_url: https://hub.example\nport: 443\napi_path: ''\n";
  await withConfig(yaml, async (read) => {
    assert.equal((await read()).api, "https://hub.example");
  });
});

Deno.test("readNodeConfig() names every unknown key and the nearest known one", async () => {
  const yaml = `
api_key: k
server_url: http://localhost
databse: []
databases: [{ label: default, uri: data.csv, type: csv, lable: x }]
policies: { allowed_algoritms: [] }
limits: { zzz: 1 }
`;
  await withConfig(yaml, async (read) => {
    assert.deepEqual((await problemsOf(read())).sort(), [
      "databases[0].lable is not an option; did you mean label?",
      "databse is not an option; did you mean databases?",
      "limits.zzz is not an option; known here: timeout_seconds, memory_mib, output_mib",
      "policies.allowed_algoritms is not an option; did you mean allowed_algorithms?",
    ]);
  });
});

Deno.test("readNodeConfig() names every malformed and missing option in one message", async () => {
  const yaml = `
port: 99999
databases: [{ label: "a b", uri: data.csv, type: parket }]
max_runs: 0
max_waiting_runs: 0
encryption: { enabled: "yes" }
`;
  await withConfig(yaml, async (read) => {
    const text = (await problemsOf(read())).join("\n");
    for (
      const part of [
        "server_url is missing",
        "port must be a port",
        "databases[0].label must be",
        "databases[0].type must be one of csv, parquet, excel",
        "max_runs must be at least 1",
        "max_waiting_runs must be at least 1",
        "encryption.enabled must be true or false",
      ]
    ) assert.ok(text.includes(part), `${part} in:\n${text}`);
  });
});

Deno.test("readNodeConfig() reads users and organizations as ids or names, however YAML writes them", async () => {
  const yaml = `
api_key: k
server_url: http://localhost
policies:
  allowed_users: [12, "13", " 14 ", alice, 0x10, 12.0]
  allowed_organizations: Clinic 7
  allowed_algorithm_stores: https://store.example/api
  server_url_for_stores: https://hub.example/api/
  allow_either_whitelist_or_store: true
  allow_basics_algorithm: false
  allow_where: false
`;
  await withConfig(yaml, async (read) => {
    const { policy, serverForStores } = await read();
    assert.equal(serverForStores, "https://hub.example/api");
    assert.deepEqual(policy.allowedUsers, [12, 13, 14, "alice", 16, 12]);
    assert.deepEqual(policy.allowedOrganizations, ["Clinic 7"]);
    assert.deepEqual(policy.allowedStores, ["https://store.example/api"]);
    assert.equal(policy.eitherAlgorithmOrStore, true);
    assert.equal(policy.allowBasics, false);
    assert.equal(policy.allowWhere, false);
  });
  await withConfig("api_key: k\nserver_url: http://localhost\n", async (read) => {
    const { policy } = await read();
    assert.equal(policy.eitherAlgorithmOrStore, false);
    assert.equal(policy.allowBasics, true);
    assert.equal(policy.allowWhere, true);
    assert.equal((await read()).algorithmLibrary, true);
    assert.equal((await read()).serverForStores, "http://localhost/api");
    assert.equal(policy.allowedStores, undefined);
  });
});

Deno.test("readNodeConfig() refuses rules that would not mean what they seem to", async () => {
  const yaml = `
api_key: k
server_url: http://localhost
policies:
  allowed_algorithms: ["a)|(?:b", "v6/(average"]
  allowed_algorithm_stores: [store.example, "https://x/("]
  allow_either_whitelist_or_stores: true
  allow_basics_algorithm: "no"
  allowed_users: [1.5, true, "", ~]
  allowed_organizations:
`;
  await withConfig(yaml, async (read) => {
    assert.deepEqual((await problemsOf(read())).sort(), [
      "policies.allow_basics_algorithm must be true or false",
      "policies.allow_either_whitelist_or_stores is not an option; did you mean " +
      "allow_either_whitelist_or_store?",
      ...[0, 1].map((n) =>
        `policies.allowed_algorithm_stores[${n}] must be the address of a store, such as ` +
        '"https://store.example/api", or a valid pattern'
      ),
      ...[0, 1].map((n) =>
        `policies.allowed_algorithms[${n}] must be a reference or a valid pattern`
      ),
      "policies.allowed_organizations[0] must be an organization's id or name",
      ...[0, 1, 2, 3].map((n) => `policies.allowed_users[${n}] must be a user's id or name`),
    ]);
  });
});

Deno.test("readNodeConfig() says what shape something must have", async () => {
  await withConfig("- a\n", async (read) => {
    assert.deepEqual(await problemsOf(read()), [
      "the file must hold options, each on a line as name: value",
    ]);
  });
  await withConfig("server_url: http://h\ndatabases: {a: 1}\nlimits: 3\n", async (read) => {
    assert.deepEqual(await problemsOf(read()), [
      "databases must be a list",
      "limits must hold options, each on a line as name: value",
    ]);
  });
});

Deno.test("readNodeConfig() checks that what paths point to is there", async () => {
  const yaml = `
server_url: http://localhost:1
port: 2
databases:
  - { label: default, uri: none.csv, type: csv }
  - { label: default, uri: data.csv, type: csv }
  - { label: Default, uri: data.csv, type: csv }
algorithm_folders: [nowhere]
`;
  await withConfig(yaml, async (read) => {
    const text = (await problemsOf(read())).join("\n");
    assert.match(text, /api_key is missing/);
    assert.match(text, /port 1 and port says 2/);
    assert.match(text, /default is not a file that can be read: .*none\.csv/);
    assert.match(text, /the label default stands there twice/);
    assert.match(text, /the labels default and Default differ in case alone/);
    assert.match(text, /there is no folder .*nowhere/);
  });
});

Deno.test("readNodeConfig() takes the API key from a file or the environment, but from one place", async () => {
  const server = "server_url: http://localhost\n";
  await withConfig(server, async (read) => {
    assert.equal((await read({ [API_KEY_VARIABLE]: "from-env" })).apiKey, "from-env");
  });
  await withConfig(`${server}api_key_file: key\n`, async (read, folder) => {
    assert.match((await problemsOf(read())).join(), /api_key_file cannot be read/);
    await Deno.writeTextFile(`${folder}/key`, "from-file\n");
    assert.equal((await read()).apiKey, "from-file");
    assert.match((await problemsOf(read({ [API_KEY_VARIABLE]: "x" }))).join(), /given twice/);
  });
});

Deno.test("readNodeConfig() says which file is missing or is not YAML", async () => {
  assert.match((await problemsOf(readNodeConfig("/nowhere/node.yaml", {}))).join(), /nowhere/);
  await withConfig("a: [1,", async (read) => {
    assert.match((await problemsOf(read())).join(), /node\.yaml cannot be read/);
  });
});

Deno.test("readNodeConfig() takes the numbers of a profile, and what the owner changes of them", async () => {
  const head = "api_key: k\nserver_url: https://hub.example\n";
  const disclosureIn = (yaml: string) => withConfig(head + yaml, (read) => read());
  const unsaid = await disclosureIn("");
  assert.equal(unsaid.disclosure, null);
  assert.equal(unsaid.disclosureIsSaid, false);
  assert.equal(unsaid.shareLogs, true);
  const none = await disclosureIn("disclosure: { profile: none }\n");
  assert.equal(none.disclosure, null);
  assert.equal(none.disclosureIsSaid, true);
  const changed = await disclosureIn(
    "disclosure: { profile: acro, persons: id, min_cell: 20, p_ratio: ~, trusted: deno:ours }\n",
  );
  assert.deepEqual(changed.disclosure, {
    // What tells rows apart must not tell counts of fewer.
    rules: {
      profile: "acro",
      persons: "id",
      ...PROFILES.acro,
      minCell: 20,
      minSubset: 20,
      pRatio: null,
    },
    trusted: ["deno:ours"],
    ledger: true,
    queries: "plain",
    unlisted: { sandbox: "guard", containers: "hold" },
  });
  assert.equal(changed.shareLogs, false, "what is printed may be values");
  const least = async (numbers: string) => {
    const { disclosure } = await disclosureIn(`disclosure: { profile: datashield, ${numbers} }\n`);
    return [disclosure?.rules.minCell, disclosure?.rules.minSubset];
  };
  assert.deepEqual(await least("min_cell: 9, min_subset: 5"), [9, 9]);
  assert.deepEqual(await least("min_cell: 2, min_subset: 5"), [2, 5]);
  const shared = "disclosure: { profile: datashield }\nshare_algorithm_logs: true\n";
  assert.equal((await disclosureIn(shared)).shareLogs, true);
  const strict = await disclosureIn("disclosure: { profile: strict }\n");
  assert.deepEqual(strict.disclosure?.unlisted, { sandbox: "guard", containers: "refuse" });
});

Deno.test("readNodeConfig() refuses rules on what may leave that contradict each other", async () => {
  const cases: [string, RegExp][] = [
    ["{ min_cell: 5 }", /^disclosure\.min_cell needs a profile that it changes/],
    ["{ profile: none, trusted: deno:ours }", /^disclosure\.trusted needs a profile/],
    ["{ profile: strict, trusted: deno:ours }", /^disclosure\.trusted does not go with .*strict/],
    ["{ profile: strict, unlisted: hold }", /^disclosure\.unlisted: hold does not go with/],
    ["{ profile: datashild }", /^disclosure\.profile must be one of none, datashield/],
    ["{ profile: acro, min_cells: 3 }", /^disclosure\.min_cells is not an option; did you mean/],
    ["{ profile: acro, min_cell: 0 }", /^disclosure\.min_cell must be at least 1/],
    ["{ profile: acro, max_terms_share: 2 }", /^disclosure\.max_terms_share must be at most 1/],
    ["{ profile: acro, unlisted: free }", /^disclosure\.unlisted must be guard, hold or refuse/],
  ];
  for (const [section, expected] of cases) {
    const yaml = `api_key: k\nserver_url: https://hub.example\ndisclosure: ${section}\n`;
    const [first, ...others] = await withConfig(yaml, (read) => problemsOf(read()));
    assert.match(first!, expected);
    assert.deepEqual(others, []);
  }
});
