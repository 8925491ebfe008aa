import assert from "node:assert/strict";
import { useTestHub } from "../../tests/support/hub.ts";
import { routesOf } from "../../shared/contract/openapi.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";

const hub = useTestHub();

Deno.test("GET /api/openapi.json describes every route of every service", async () => {
  const { call, apps } = hub();
  const { status, body } = await call("GET", "/openapi.json");
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  for (const service of [...HUB_SERVICES, "gateway"] as const) {
    for (const { method, path } of routesOf(apps[service])) {
      const described = body.paths[path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")];
      assert.ok(described?.[method.toLowerCase()], `${method} ${path}`);
    }
  }
});

Deno.test("GET /api/openapi.json says what the schemas demand", async () => {
  const { body } = await hub().call("GET", "/openapi.json");
  const { post, get } = body.paths["/api/organization"];
  const schema = post.requestBody.content["application/json"].schema;
  assert.deepEqual(schema.required, ["name"]);
  assert.equal(schema.properties.name.maxLength, 128);
  assert.match(post.description, /organization:CREATE/);
  assert.ok(get.parameters.some((one: { name: string }) => one.name === "collaboration_id"));
  assert.deepEqual(body.paths["/api/token/user"].post.security, []);
  const { 200: text } = body.paths["/api/metrics"].get.responses;
  assert.deepEqual(Object.keys(text.content), ["text/plain"]);
  const created = body.paths["/api/study"].post.responses["201"].content["application/json"];
  assert.deepEqual(created.schema, { $ref: "#/components/schemas/Study" });
  const { Study, Organization } = body.components.schemas;
  assert.deepEqual(Study.properties.collaboration, { $ref: "#/components/schemas/Reference" });
  assert.equal(Organization.properties.name.type, "string");
  const ids = Object.values(body.paths).flatMap((path) =>
    Object.values(path as Record<string, { operationId: string }>).map((one) => one.operationId)
  );
  assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), []);
});

Deno.test("GET /api/openapi.json groups every operation by a noun that it describes", async () => {
  const { body } = await hub().call("GET", "/openapi.json");
  const nouns = new Map(
    body.tags.map((tag: { name: string; description: string }) => [tag.name, tag.description]),
  );
  for (const [path, methods] of Object.entries(body.paths)) {
    for (const { tags } of Object.values(methods as Record<string, { tags: string[] }>)) {
      assert.equal(tags.length, 1, path);
      assert.ok(nouns.get(tags[0]!), `${path}: ${tags[0]}`);
    }
  }
  assert.deepEqual(body.servers, [{ url: "/" }]);
});

Deno.test("GET /api/docs loads nothing from elsewhere, and its policy allows no more", async () => {
  const { apps } = hub();
  const get = async (path: string) =>
    await apps.gateway.fetch(new Request(new URL(path, "http://hub/api/docs")), {});
  const response = await get("/api/docs");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /text\/html/);
  const policy = response.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const page = await response.text();
  assert.doesNotMatch(page, /https?:\/\/|@import|<style|style=|<script>/);
  const parts = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map((match) => match[1]!);
  assert.deepEqual(parts, ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js"]);
  for (const part of parts) {
    const file = await get(part);
    assert.equal(file.status, 200, part);
    const type = part.endsWith(".css") ? /text\/css/ : /text\/javascript/;
    assert.match(file.headers.get("content-type")!, type);
    const text = await file.text();
    assert.ok(text.length > 100, part);
    if (part.endsWith(".css")) assert.doesNotMatch(text, /url\(["']?https?:|@import/);
  }
  assert.match(await (await get("docs/LICENSE")).text(), /Apache License/);
  for (const other of ["docs/page.html", "docs/toString", "docs/..%2fmain.ts"]) {
    const refused = await get(other);
    assert.equal(refused.status, 404, other);
    await refused.body?.cancel();
  }
});
