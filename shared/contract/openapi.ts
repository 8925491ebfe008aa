/**
 * The description of a service's API, made from what its routes declare: the same schemas that validate.
 * @module
 */
import { z } from "zod";
import { type Access, accessOf, answerTypeOf, validationOf } from "./http.ts";
import { takesIdempotencyKey } from "../storage/idempotency.ts";

/** What Hono keeps of a route: one entry for each of its handlers. */
interface RouteEntry {
  method: string;
  path: string;
  handler: unknown;
}

export interface RouteDescription {
  /** `GET`, … */
  method: string;
  /** With its prefix and parameters: `/api/user/:id`. */
  path: string;
  /** The name of the function that answers. */
  name: string;
  /** Absent where nobody needs to be logged in. */
  access: Access | undefined;
  /** What it answers with. */
  answer: string;
  body: z.ZodType | undefined;
  query: z.ZodType | undefined;
  /** Takes an `Idempotency-Key`. */
  idempotent: boolean;
}

/** The routes of an app. Middleware that every request passes is none. */
export function routesOf(app: { routes: RouteEntry[] }): RouteDescription[] {
  const routes = new Map<string, RouteDescription>();
  for (const { method, path, handler } of app.routes) {
    if (method === "ALL") continue;
    const key = `${method} ${path}`;
    const route = routes.get(key) ?? newRoute(method, path);
    routes.set(key, route);
    const validation = validationOf(handler);
    route.access ??= accessOf(handler);
    route.answer = answerTypeOf(handler) ?? route.answer;
    route.idempotent ||= takesIdempotencyKey(handler);
    if (validation?.target === "json") route.body = validation.schema;
    if (validation?.target === "query") route.query = validation.schema;
    route.name = (handler as { name?: string }).name ?? "";
  }
  return [...routes.values()];
}

function newRoute(method: string, path: string): RouteDescription {
  const unknown = { access: undefined, body: undefined, query: undefined };
  return {
    method,
    path,
    name: "",
    answer: "application/json",
    idempotent: false,
    ...unknown,
  };
}

type Json = Record<string, unknown>;

const idempotencyKey: Json = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "Makes the request safe to repeat: for 24 hours the same key with the same body gets " +
    "the same answer, and with another body 409. Take a new random one, such as a UUID, for each " +
    "thing to create; it also encrypts the answer that is kept.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
};

/** What a client may send, as JSON Schema. */
export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema: described }) {
      // Of `text.pipe(z.string().max(128))` the library shows the first half only.
      const { def } = zodSchema._zod;
      if (def.type !== "pipe" || !described.type) return;
      const second = jsonSchema(def.out as z.ZodType);
      if (second.type === described.type) Object.assign(described, { ...second, ...described });
    },
  });
  return rest;
}

function parameters({ path, query, idempotent }: RouteDescription): Json[] {
  const inHeader = idempotent ? [idempotencyKey] : [];
  const inPath = [...path.matchAll(/:(\w+)/g)].map((match) => ({
    name: match[1],
    in: "path",
    required: true,
    schema: /(^|_)id$/.test(match[1]!) ? { type: "integer", minimum: 1 } : { type: "string" },
  }));
  if (!query) return [...inPath, ...inHeader];
  const { properties = {}, required = [] } = jsonSchema(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

/** `createOrganization` → `Create organization`. */
function sentence(name: string): string {
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function whoMay({ access }: RouteDescription): string {
  if (!access) return "No access token is needed.";
  const kinds = `For ${access.kinds.join(", ")}.`;
  return access.permission ? `${kinds} Needs a rule ${access.permission}.` : kinds;
}

const failure = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
});

function operation(route: RouteDescription): Json {
  const { access, answer, body, idempotent, path, method, query } = route;
  const tag = path.split("/")[2] ?? "api";
  const name = route.name || method.toLowerCase();
  return {
    operationId: `${tag}_${name}`,
    summary: sentence(name),
    description: whoMay(route),
    tags: [tag],
    ...(access ? {} : { security: [] }),
    parameters: parameters(route),
    ...(body
      ? { requestBody: { content: { "application/json": { schema: jsonSchema(body) } } } }
      : {}),
    responses: {
      "2XX": { description: "Done", content: { [answer]: { schema: {} } } },
      ...(body || query ? { 400: failure("The request is invalid") } : {}),
      ...(access ? { 401: failure("Not logged in, or not permitted") } : {}),
      ...(idempotent ? { 409: failure("The Idempotency-Key was used for another request") } : {}),
      ...(path.includes(":") ? { 404: failure("There is no such object") } : {}),
      default: failure("Not possible now"),
    },
  };
}

export type OpenApiPaths = Record<string, Record<string, unknown>>;

/** The `paths` of an OpenAPI document. */
export function describePaths(app: { routes: RouteEntry[] }): OpenApiPaths {
  const paths: OpenApiPaths = {};
  for (const route of routesOf(app)) {
    const path = route.path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return paths;
}

/** A whole OpenAPI 3.1 document. */
export function describeApi(paths: OpenApiPaths, version: string): Json {
  return {
    openapi: "3.1.0",
    info: { title: "Sextant", version },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: {
        Error: {
          type: "object",
          required: ["msg"],
          properties: {
            msg: { type: "string" },
            code: { type: "string" },
            request_id: { type: "string" },
            errors: {
              type: "object",
              additionalProperties: { type: "array", items: { type: "string" } },
            },
          },
        },
      },
    },
  };
}
