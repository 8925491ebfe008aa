import assert from "node:assert/strict";
import { buildEnvironment, encodeValue, EnvironmentError } from "./environment.ts";

Deno.test("encodeValue() gives v6's test vectors", () => {
  const vectors = {
    "": "",
    "80": "HAYA!!!!",
    "8080": "HAYDQMA!",
    abc: "MFRGG!!!",
    "/mnt/tmp": "F5WW45BPORWXA!!!",
    "http://proxyserver": "NB2HI4B2F4XXA4TPPB4XGZLSOZSXE!!!",
    "default,second": "MRSWMYLVNR2CY43FMNXW4ZA!",
    "ünï": "YO6G5Q5P",
    "/mnt/data/task-000000042/input": "F5WW45BPMRQXIYJPORQXG2ZNGAYDAMBQGAYDIMRPNFXHA5LU",
  };
  for (const [value, encoded] of Object.entries(vectors)) {
    assert.equal(encodeValue(value), encoded, value);
  }
});

const options = {
  folder: "/mnt/data/task-000000042",
  temporaryFolder: "/mnt/tmp",
  proxy: { host: "http://proxyserver", port: 80 },
  databases: [{
    label: "omop",
    type: "omop",
    uri: "postgresql://db/omop",
    env: { user: "reader" },
    request: { query: "select 1", preprocessing: [{ function: "filter_range", parameters: {} }] },
  }],
  labels: ["omop", "secret"],
  extra: { MINIMUM: "5" },
};

Deno.test("buildEnvironment() encodes everything and tells of no database that was not asked for", () => {
  const env = Object.fromEntries(
    buildEnvironment(options).map((one) => one.split(/=(.*)/s).slice(0, 2)),
  );
  assert.equal(env.INPUT_FILE, encodeValue("/mnt/data/task-000000042/input"));
  assert.equal(env.API_PATH, "");
  assert.equal(env.USER_REQUESTED_DATABASE_LABELS, encodeValue("omop"));
  assert.equal(env.DB_LABELS, encodeValue("omop,secret"));
  assert.equal(env.OMOP_DATABASE_URI, encodeValue("postgresql://db/omop"));
  assert.equal(env.OMOP_DB_PARAM_USER, encodeValue("reader"));
  assert.equal(env.OMOP_QUERY, encodeValue("select 1"));
  assert.equal(
    env.OMOP_PREPROCESSING,
    encodeValue('[{"function":"filter_range","parameters":{}}]'),
  );
  assert.equal(env.MINIMUM, encodeValue("5"));
  assert.deepEqual(Object.keys(env).filter((name) => name.startsWith("SECRET")), []);
});

Deno.test("buildEnvironment() lets the owner's variables win and refuses what is no name", () => {
  assert.ok(buildEnvironment({ ...options, extra: { PORT: "81" } }).includes("PORT=HAYQ!!!!"));
  assert.throws(() => buildEnvironment({ ...options, extra: { "a b": "" } }), EnvironmentError);
});

Deno.test("buildEnvironment() names the way to the web in both cases, and what is not behind it", () => {
  const web = { proxy: { host: "squid", port: 3128 }, except: ["db.example"] };
  const env = buildEnvironment({ ...options, web });
  for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"]) {
    assert.ok(env.includes(`${name}=${encodeValue("http://squid:3128")}`), name);
  }
  for (const name of ["NO_PROXY", "no_proxy"]) {
    assert.ok(env.includes(`${name}=${encodeValue("localhost, proxyserver, db.example")}`), name);
  }
  assert.ok(!buildEnvironment(options).some((one) => /proxy=/i.test(one)));
});
