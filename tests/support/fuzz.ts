/**
 * Requests that nobody would send: for every route, values that nearly fit its schemas and values
 * that do not at all.
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonSchema, type RouteDescription, routesOf } from "../../shared/contract/openapi.ts";
import type { RouteEntry } from "./hub.ts";

type JsonSchema = Record<string, unknown>;

export interface FuzzOptions {
  app: { routes: RouteEntry[]; fetch(request: Request, env: object): Response | Promise<Response> };
  /** How many requests. */
  runs: number;
  /** Who may be calling; `undefined` is nobody. */
  principals: unknown[];
  /** Repeats a run; printed when one fails. */
  seed?: number | undefined;
}

const HELD_BACK: Record<string, string> = {
  wait: "0", // else the answer is held back for as long as asked
};

const NASTY_TEXT = fc.constantFrom(
  "",
  " ",
  "\0",
  "'; drop table audit; --",
  "%",
  "\\",
  "\ud800",
  "é".repeat(200),
  "x".repeat(5000),
  "1e3",
  "-1",
  "999999999999999999999",
  "null",
  "true",
  "__proto__",
  "2026-03-24",
  "9999999-99-99",
  "2026-03-24T10:00:00.123456",
);
const NASTY_NUMBER = fc.constantFrom(0, -1, 1, 2, 1.5, 2 ** 31 - 1, 2 ** 31, 1e300, -0, 2 ** 53);

const nastyJson: fc.Arbitrary<unknown> = fc.oneof(
  NASTY_TEXT,
  NASTY_NUMBER,
  fc.constantFrom(null, true, false, [], {}, [null], [[]], { id: 1 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Values that fit a schema, or nearly. */
function fitting(schema: JsonSchema): fc.Arbitrary<unknown> {
  const either = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (either) return fc.oneof(...either.map(fitting));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "object": {
      const fields = (schema.properties ?? {}) as Record<string, JsonSchema>;
      const shape = Object.entries(fields).map(([name, one]) => [name, mostly(one)]);
      return fc.record(Object.fromEntries(shape), { requiredKeys: [] });
    }
    case "array":
      return fc.array(mostly((schema.items ?? {}) as JsonSchema), { maxLength: 4 });
    case "integer":
    case "number":
      return fc.oneof(fc.integer({ min: 1, max: 9 }), NASTY_NUMBER);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return fc.oneof(
        fc.constantFrom("Secret-password-1", "a@x.example", "aGFsbG8=", "some-name", "1"),
        fc.string({ unit: "binary", maxLength: 30 }),
        NASTY_TEXT,
      );
    default:
      return nastyJson;
  }
}

function mostly(schema: JsonSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fitting(schema) }, { weight: 1, arbitrary: nastyJson });
}

const pathValue = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 12 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("0", "-1", "abc", "2147483648", "1e3", "%00", "%ff", "1.5", "01"),
  },
);

function queryOf(route: RouteDescription): fc.Arbitrary<string> {
  const names = route.query
    ? Object.keys((jsonSchema(route.query).properties ?? {}) as JsonSchema)
    : [];
  const value = fc.oneof(
    fc.constantFrom("1", "2", "True", "False", "id", "-id", "name,-id", "runs", "organizations"),
    NASTY_TEXT,
  );
  const pair = fc.tuple(fc.constantFrom(...names, "page", "sort", "nothing"), value)
    .map(([name, given]) => new URLSearchParams([[name, HELD_BACK[name] ?? given]]).toString());
  return fc.array(pair, { maxLength: 4 }).map((pairs) => pairs.join("&"));
}

function bodyOf(route: RouteDescription): fc.Arbitrary<string | undefined> {
  const json = (value: unknown) => JSON.stringify(value) ?? "";
  const broken = fc.constantFrom("", "{", "nul", "[1,", '{"a":1}}', "\ufeff{}", "[".repeat(2000));
  if (!route.body) return fc.oneof(fc.constant(undefined), broken, nastyJson.map(json));
  return fc.oneof(
    { weight: 8, arbitrary: mostly(jsonSchema(route.body)).map(json) },
    { weight: 1, arbitrary: nastyJson.map(json) },
    { weight: 1, arbitrary: broken },
  );
}

interface Shot {
  method: string;
  path: string;
  body: string | undefined;
  type: string;
  principal: number;
}

function shots(route: RouteDescription, principals: number): fc.Arbitrary<Shot> {
  const names = [...route.path.matchAll(/:\w+(\{[^}]*\})?/g)].map((match) => match[0]);
  return fc.record({
    values: fc.tuple(...names.map(() => pathValue)),
    query: queryOf(route),
    body: route.method === "GET" ? fc.constant(undefined) : bodyOf(route),
    type: fc.oneof(
      { weight: 9, arbitrary: fc.constant("application/json") },
      { weight: 1, arbitrary: fc.constantFrom("", "text/plain", "application/octet-stream") },
    ),
    principal: fc.nat({ max: principals - 1 }),
  }).map(({ values, query, ...rest }) => {
    const path = names.reduce(
      (path, name, index) => path.replace(name, values[index]!),
      route.path,
    );
    return { method: route.method, path: query ? `${path}?${query}` : path, ...rest };
  });
}

/** How often a route is asked: seldom when there is nothing in it that could be wrong. */
function share({ path, query, body }: RouteDescription): number {
  return query || body || path.includes(":") ? 5 : 1;
}

/**
 * Fires `runs` requests at an app: never a 5xx that says the service failed, always JSON that says
 * what is wrong.
 */
export async function fuzz({ app, runs, principals, seed }: FuzzOptions): Promise<void> {
  const routes = routesOf(app);
  const any = fc.oneof(
    ...routes.map((route) => ({
      arbitrary: shots(route, principals.length),
      weight: share(route),
    })),
  );
  const property = fc.asyncProperty(any, async ({ method, path, body, type, principal }) => {
    const request = new Request(`http://hub${path}`, {
      method,
      headers: type ? { "content-type": type } : {},
      ...(body === undefined ? {} : { body }),
    });
    const response = await app.fetch(request, { principal: principals[principal] });
    const text = await response.text();
    // The last two say that this server lacks something, not that it broke.
    assert.ok(response.status < 500 || response.status === 501, `${response.status}: ${text}`);
    const answered = response.headers.get("content-type") ?? "";
    if (/^(application\/octet-stream|text\/plain; version)/.test(answered)) return;
    const answer = JSON.parse(text);
    if (response.status > 210) assert.equal(typeof answer.msg, "string");
  });
  const chosen = seed === undefined ? {} : { seed };
  await fc.assert(property, { numRuns: runs, endOnFailure: false, ...chosen });
}
