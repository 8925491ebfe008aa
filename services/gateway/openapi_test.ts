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

Deno.test("GET /api/docs is one page that loads nothing from elsewhere", async () => {
  const { apps } = hub();
  const response = await apps.gateway.fetch(new Request("http://hub/api/docs"), {});
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /text\/html/);
  assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
  const page = await response.text();
  assert.doesNotMatch(page, /https?:\/\/|src=|@import/);
});
