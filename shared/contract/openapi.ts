/**
 * The description of a service's API, made from what its routes declare: the same schemas that
 * validate.
 *
 * The package hono-openapi would do a part of this. It is not used because it replaces
 * `@hono/zod-validator`, and gives no way to complete what zod shows of a pipe; what a route
 * declares is read by the tests' table of rights besides.
 * @module
 */
import { z } from "zod";
import { nounOf, NOUNS } from "./nouns.ts";
import { factsOf, type RouteFacts } from "./route_facts.ts";

/** What Hono keeps of a route: one entry for each of its handlers. */
interface RouteEntry {
  method: string;
  path: string;
  handler: unknown;
}

/**
 * A route with all that it declares; what it does not declare is absent. Without `access` nobody
 * needs to log in.
 */
export interface RouteDescription extends Partial<RouteFacts> {
  /** `GET`, … */
  method: string;
  /** With its prefix and parameters: `/api/user/:id`. */
  path: string;
  /** The name of the function that answers. */
  name: string;
}

/** The routes of an app. Middleware that every request passes is none. */
export function routesOf(app: { routes: RouteEntry[] }): RouteDescription[] {
  const routes = new Map<string, RouteDescription>();
  for (const { method, path, handler } of app.routes) {
    if (method === "ALL") continue;
    const key = `${method} ${path}`;
    const name = (handler as { name?: string }).name ?? "";
    routes.set(key, { ...routes.get(key), method, path, ...factsOf(handler), name });
  }
  return [...routes.values()];
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

/**
 * A schema as JSON Schema: of what a client sends (`input`) or of what it is answered (`output`).
 */
export function jsonSchema(schema: z.ZodType, io: "input" | "output" = "input"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema: described }) {
      // Of `text.pipe(z.string().max(128))` the library shows the first half only.
      const { def } = zodSchema._zod;
      if (io === "output" || def.type !== "pipe" || !described.type) return;
      const second = jsonSchema(def.out as z.ZodType);
      if (second.type === described.type) Object.assign(described, { ...second, ...described });
    },
  });
  return rest;
}

/** Schemas that have a name, which others refer to. */
type Components = Record<string, Json>;

/** A schema of an answer whose named parts are moved to `components`. */
function answerSchema(schema: z.ZodType, components: Components): Json {
  const text = JSON.stringify(jsonSchema(schema, "output"));
  const { $defs = {}, ...rest } = JSON.parse(
    text.replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as { $defs?: Components };
  for (const [name, { id: _, ...described }] of Object.entries($defs)) components[name] = described;
  return named(rest, components);
}

/** A schema with a name of its own is a component, too. */
function named(described: Json, components: Components): Json {
  const { id, ...rest } = described;
  if (typeof id !== "string") return described;
  components[id] = rest;
  return { $ref: `#/components/schemas/${id}` };
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

function descriptionOf(route: RouteDescription): string {
  return [route.does, whoMay(route)].filter(Boolean).join("\n\n");
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

function success({ answer }: RouteDescription, components: Components): Json {
  const { status = "2XX", type = "application/json", schema } = answer ?? {};
  const described = schema ? answerSchema(schema, components) : {};
  return { [status]: { description: "Done", content: { [type]: { schema: described } } } };
}

function operation(route: RouteDescription, components: Components): Json {
  const { access, body, idempotent, path, method, query } = route;
  const tag = nounOf(path);
  const name = route.name || method.toLowerCase();
  return {
    operationId: `${tag}_${name}`,
    summary: sentence(name),
    description: descriptionOf(route),
    tags: [tag],
    ...(access ? {} : { security: [] }),
    parameters: parameters(route),
    ...(body
      ? { requestBody: { content: { "application/json": { schema: jsonSchema(body) } } } }
      : {}),
    responses: {
      ...success(route, components),
      ...(body || query ? { 400: failure("The request is invalid") } : {}),
      ...(access ? { 401: failure("Not logged in, or not permitted") } : {}),
      ...(idempotent ? { 409: failure("The Idempotency-Key was used for another request") } : {}),
      ...(path.includes(":") ? { 404: failure("There is no such object") } : {}),
      default: failure("Not possible now"),
    },
  };
}

/** What one service tells of its API. */
export const apiPart = z.object({
  /** The `paths` of an OpenAPI document. */
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  /** The schemas that they refer to. */
  schemas: z.record(z.string(), z.record(z.string(), z.unknown())),
});
export type ApiPart = z.infer<typeof apiPart>;

/** Describes the routes of an app. */
export function describeRoutes(app: { routes: RouteEntry[] }): ApiPart {
  const part: ApiPart = { paths: {}, schemas: {} };
  for (const route of routesOf(app)) {
    const path = route.path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
    (part.paths[path] ??= {})[route.method.toLowerCase()] = operation(route, part.schemas);
  }
  return part;
}

const errorSchema: Json = {
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
};

/** A whole OpenAPI 3.1 document of the parts of all services. */
export function describeApi(parts: ApiPart[], version: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Sextant",
      version,
      description: "Log in with `POST /api/token/user`, then send " +
        "`Authorization: Bearer <access_token>` with every request.",
    },
    // All paths are whole: they begin where this document was got from.
    servers: [{ url: "/" }],
    tags: Object.entries(NOUNS).map(([name, description]) => ({ name, description })),
    security: [{ token: [] }],
    paths: Object.assign({}, ...parts.map((part) => part.paths)),
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: Object.assign({ Error: errorSchema }, ...parts.map((part) => part.schemas)),
    },
  };
}
