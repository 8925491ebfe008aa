import assert from "node:assert/strict";
import { z } from "zod";
import { makeCertificates } from "../../../tests/support/certificates.ts";
import { PROFILES } from "../disclosure/rules.ts";
import { newPrivateKey } from "../encryption/keys.ts";
import { readNodeConfig } from "./config.ts";
import { unwrap } from "./explain.ts";
import { configSchema } from "./schema.ts";

const example = await Deno.readTextFile(new URL("../node.example.yaml", import.meta.url));

/** Every option, by its path in the file (`limits.memory_mib`; the entries of a list are `[]`). */
function allOptions(schema: unknown = configSchema, path = ""): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return allOptions(inner.element, `${path}[]`);
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape).flatMap(([name, value]) =>
    allOptions(value, path ? `${path}.${name}` : name)
  );
}

Deno.test("node.example.yaml names every option", () => {
  const missing = allOptions().filter((path) => {
    const key = path.replace(/\[\]$/, "").split(".").at(-1)!;
    return !new RegExp(`(^|[\\s#{-])${key}:`, "m").test(example);
  });
  // Shown in the comment only, because they exclude what is shown.
  assert.deepEqual(missing, ["docker_registries[].password"]);
});

Deno.test("node.example.yaml is a configuration that works", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/node.yaml`, example);
    await Deno.writeTextFile(`${folder}/api_key.txt`, "k\n");
    await Deno.writeTextFile(`${folder}/registry_password.txt`, "s3cret\n");
    await Deno.writeTextFile(`${folder}/patients.csv`, "age\n1\n");
    await Deno.writeTextFile(`${folder}/private_key.pem`, await newPrivateKey(2048), {
      mode: 0o600,
    });
    await Deno.mkdir(`${folder}/algorithms`);
    const { ca, remove } = await makeCertificates(["hub.hospital.example"]);
    await Deno.rename(ca, `${folder}/hospital_ca.pem`).finally(remove);
    const config = await readNodeConfig(`${folder}/node.yaml`, {});
    assert.equal(config.containers?.logins[0]?.password, "s3cret");
    assert.equal(config.policy.algorithms?.[0]?.methods?.central?.minimumOrganizations, 1);
    assert.deepEqual(config.databases[1], {
      label: "warehouse",
      type: "sql",
      uri: "postgresql://db.hospital.example/research",
      env: { USER: "reader" },
      reach: [
        { host: "db.hospital.example", port: 5432 },
        { host: "kdc.hospital.example", port: 88 },
      ],
    });
    assert.equal(config.wayOut.secureProxy?.password, "password");
    assert.equal(config.wayOut.authorities.length, 1);
    const minimal = "api_key: k\nserver_url: https://hub.example\n";
    await Deno.writeTextFile(`${folder}/minimal.yaml`, minimal);
    const defaults = await readNodeConfig(`${folder}/minimal.yaml`, {});
    assert.deepEqual(config.limits, defaults.limits, "what is shown without a note is the default");
    assert.equal(config.shareLogs, false, "as it would be without the line, under rules");
    assert.equal(defaults.shareLogs, true);
    const { rules } = config.disclosure!;
    assert.deepEqual(rules, {
      profile: "datashield",
      persons: "patient_id",
      ...PROFILES.datashield,
    });
    assert.equal(config.betweenNodes, defaults.betweenNodes);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
