import assert from "node:assert/strict";
import { resolve } from "node:path";
import { z } from "zod";
import { makeCertificates } from "../../../tests/support/certificates.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { wayOutOf, wayOutShape } from "./way_out.ts";

const schema = z.strictObject(wayOutShape);

async function read(
  options: z.input<typeof schema>,
  env: Record<string, string> = {},
  folder = "/",
) {
  const problems: string[] = [];
  const absolute = (path: string) => resolve(folder, path);
  const settings = await wayOutOf(schema.parse(options), { env, absolute, problems });
  return { ...settings, problems };
}

Deno.test("wayOutOf() takes the variables that other programs heed, an address without a scheme too", async () => {
  const { secureProxy, plainProxy, noProxy, problems } = await read({}, {
    https_proxy: "reader:p%40ss@proxy.example:3128",
    ALL_PROXY: "http://other.example:1",
    NO_PROXY: "hub.example, 10.0.0.0/8",
  });
  assert.deepEqual(problems, []);
  assert.equal(secureProxy?.href, "http://reader:p%40ss@proxy.example:3128/");
  assert.equal(plainProxy?.host, "other.example:1");
  assert.deepEqual(noProxy, ["hub.example", "10.0.0.0/8"]);
});

Deno.test("wayOutOf() prefers the file to the variables, each option by itself", async () => {
  const env = { HTTPS_PROXY: "http://a.example", HTTP_PROXY: "http://b.example", NO_PROXY: "c" };
  const own = await read({ proxy: "https://mine.example:8443" }, env);
  assert.equal(own.secureProxy?.href, "https://mine.example:8443/");
  assert.equal(own.plainProxy?.href, own.secureProxy?.href);
  assert.deepEqual(own.noProxy, ["c"]);
  const none = await read({ proxy: "none", no_proxy: "d.example, e.example" }, env);
  assert.equal(none.secureProxy ?? none.plainProxy, undefined);
  assert.deepEqual(none.noProxy, ["d.example", "e.example"]);
});

Deno.test("wayOutOf() refuses what is no proxy of HTTP, and shows no password doing so", async () => {
  const cases: [string, RegExp][] = [
    ["socks5://name:secret@proxy.example", /names a proxy of another kind \(socks5:\)/],
    ["http://name:secret@proxy.example/x", /must not have a path \(http:\/\/name@proxy\.example\)/],
    ["http://name:secret%@proxy.example", /a % that is no escape/],
    ["http://", /must be the address of a proxy, such as/],
  ];
  for (const [text, problem] of cases) {
    const [issue] = schema.safeParse({ proxy: text }).error!.issues;
    assert.match(issue!.message, problem);
    const { problems } = await read({}, { HTTPS_PROXY: text });
    assert.match(problems.join(), problem);
    assert.match(problems.join(), /^the variable HTTPS_PROXY /);
    assert.doesNotMatch(issue!.message + problems.join(), /secret/);
  }
});

Deno.test("wayOutOf() reads authorities from files, and names the one that holds none", async () => {
  const certificates = await makeCertificates(["hub.test"]);
  const folder = await temporaryFolder();
  try {
    const pem = await Deno.readTextFile(certificates.ca);
    await Deno.writeTextFile(`${folder.path}/two.pem`, `# Hospital\n${pem}\n${pem}`);
    const { authorities, problems } = await read({ ca: ["two.pem"] }, {}, folder.path);
    assert.deepEqual(problems, []);
    assert.equal(authorities.join().match(/BEGIN CERTIFICATE/g)?.length, 2);

    const env = { SSL_CERT_FILE: certificates.ca, NODE_EXTRA_CA_CERTS: `${folder.path}/gone.pem` };
    const fromVariables = await read({}, env, folder.path);
    assert.equal(fromVariables.authorities[0]!.trim(), pem.trim());
    assert.match(fromVariables.problems.join(), /^the variable NODE_EXTRA_CA_CERTS cannot be used/);
    assert.deepEqual((await read({ ca: "two.pem" }, env, folder.path)).problems, []);

    await Deno.writeTextFile(`${folder.path}/none.pem`, "hello");
    const broken = pem.replace(/\n[^\n]{20}/, "\nAAAA");
    await Deno.writeTextFile(`${folder.path}/broken.pem`, pem + broken);
    const { problems: found } = await read({ ca: ["none.pem", "broken.pem"] }, {}, folder.path);
    assert.match(found[0]!, /^ca cannot be used: \S+none\.pem holds no certificate in PEM$/);
    assert.match(found[1]!, /^ca cannot be used: certificate 2 of \S+broken\.pem cannot be read/);
  } finally {
    await folder.remove();
    await certificates.remove();
  }
});
