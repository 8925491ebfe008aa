/**
 * What every service's Hono app has in common: the caller, permissions on the line that declares a route,
 * validation, and errors as JSON.
 * @module
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { zValidator } from "@hono/zod-validator";
import { z } from "zod";
import { asUnavailable } from "../storage/db.ts";
import { type FieldErrors, SextantError, toErrorBody } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import {
  type Permission,
  type Principal,
  type PrincipalKind,
  principalSchema,
  refuse,
  widestScope,
} from "./permissions.ts";

/** What comes with a request beside the request: filled in by the gateway, carried over NATS. */
export interface RequestContext {
  principal?: unknown;
  requestId?: string;
  [key: string]: unknown;
}

export interface AppEnv {
  Bindings: RequestContext;
  Variables: { principal: Principal; requestId: string; log: Logger };
}

/** An app with the common error answers. Routes are added by the service. */
export function createApp(log: Logger): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: true });
  app.use(async function requestScope(c, next) {
    const requestId = c.env?.requestId ?? crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("log", log.with({ request_id: requestId }));
    await next();
  });
  app.notFound((c) => c.json(toErrorBody(noRoute(c), c.get("requestId")).body, 404));
  app.onError((thrown, c) => {
    const error = fromFramework(asUnavailable(thrown));
    const { status, body } = toErrorBody(error, c.get("requestId"));
    if (status >= 500) c.get("log")?.error("Request failed", { path: c.req.path, error });
    return c.json(body, status as 500);
  });
  return app;
}

/** The error for a method and path that nobody answers. */
export function noRoute({ req }: Context): SextantError {
  return new SextantError(
    "not_found",
    `There is no ${req.method} ${req.path} here; /api/docs shows what there is.`,
  );
}

function fromFramework(error: unknown): unknown {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 413) return new SextantError("payload_too_large", "The body is too large.");
  return new SextantError("invalid_request", error.message || "The request is malformed.");
}

/** What a route declares about its callers; the authorization table of the tests reads it. */
export interface Access {
  kinds: PrincipalKind[];
  permission: Permission | undefined;
}

const declared = new WeakMap<MiddlewareHandler, Access>();

/** The access a middleware was made for by {@linkcode allow}, if it was. */
export function accessOf(handler: unknown): Access | undefined {
  return declared.get(handler as MiddlewareHandler);
}

/**
 * Lets the given kinds of principal pass, when they hold `permission` in any scope; the handler then decides on
 * the resource in hand. `kinds` is a blank-separated list, so that a route reads as a sentence:
 * `allow("user node", "organization:VIEW")`.
 */
export function allow(kinds: string, permission?: Permission): MiddlewareHandler<AppEnv> {
  const accepted = kinds.split(" ") as PrincipalKind[];
  const handler: MiddlewareHandler<AppEnv> = async function allowed(c, next) {
    const given = c.env?.principal;
    if (given === undefined || given === null) {
      throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
    }
    const principal = principalSchema.parse(given);
    if (!accepted.includes(principal.kind)) {
      throw new SextantError("forbidden", `A ${principal.kind} may not use this.`);
    }
    if (permission && !widestScope(principal, permission)) {
      const [resource, operation] = permission.split(":");
      throw refuse(`${operation!.toLowerCase()} any ${resource}`);
    }
    c.set("principal", principal);
    await next();
  };
  declared.set(handler as MiddlewareHandler, { kinds: accepted, permission });
  return handler;
}

/** Declares the access of a handler that sees to it itself, for its description. */
export function declareAccess<Handler extends object>(handler: Handler, access: Access): Handler {
  declared.set(handler as unknown as MiddlewareHandler, access);
  return handler;
}

const answerTypes = new WeakMap<MiddlewareHandler, string>();

/** The media type that a middleware made by {@linkcode answersWith} declares, if it is one. */
export function answerTypeOf(handler: unknown): string | undefined {
  return answerTypes.get(handler as MiddlewareHandler);
}

/** Declares that a route answers with something else than JSON, for its description. */
export function answersWith(type: string): MiddlewareHandler<AppEnv> {
  const handler: MiddlewareHandler<AppEnv> = async function declaredAnswer(_, next) {
    await next();
  };
  answerTypes.set(handler as MiddlewareHandler, type);
  return handler;
}

function fieldErrors(error: z.core.$ZodError): FieldErrors {
  const errors: FieldErrors = {};
  function add(issue: z.core.$ZodIssue, under: PropertyKey[]) {
    const path = [...under, ...issue.path];
    // What the last alternative says is what a person wants to know: it is the most general one.
    const alternative = issue.code === "invalid_union" ? issue.errors.at(-1) : undefined;
    if (alternative && alternative.length > 0) { for (const one of alternative) add(one, path); }
    else {
      // Said by the library as "expected string, received undefined".
      const missing = issue.code === "invalid_type" && /received undefined$/.test(issue.message);
      (errors[path.map(String).join(".") || "_schema"] ??= []).push(
        missing ? "is missing" : issue.message,
      );
    }
  }
  for (const issue of error.issues) add(issue, []);
  return errors;
}

function explain(errors: FieldErrors): string {
  const parts = Object.entries(errors).slice(0, 5).map(([field, reasons]) =>
    field === "_schema" ? reasons[0]! : `${field}: ${reasons[0]}`
  );
  return parts.join("; ");
}

/** What a middleware made by {@linkcode body} or {@linkcode query} validates. */
export interface Validation {
  target: "json" | "query";
  schema: z.ZodType;
}

const validations = new WeakMap<object, Validation>();

/** What a handler of a route validates, if it was made for that. */
export function validationOf(handler: unknown): Validation | undefined {
  return validations.get(handler as object);
}

/** The validator takes a body that is not declared as JSON for none: what it holds would be ignored. */
function refuseOtherContent(type: string | undefined): void {
  if (type === undefined || /^application\/([a-z-.]+\+)?json\s*(;|$)/i.test(type)) return;
  throw new SextantError(
    "invalid_request",
    "The body must be JSON and say so: send the header Content-Type: application/json.",
  );
}

/** Validates the JSON body; 400 with `errors` by field. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  const handler = zValidator("json", schema, (result, c) => {
    refuseOtherContent(c.req.header("content-type"));
    if (result.success) return;
    const errors = fieldErrors(result.error);
    throw new SextantError("invalid_request", `The body is invalid: ${explain(errors)}`, {
      errors,
    });
  });
  validations.set(handler, { target: "json", schema });
  return handler;
}

/** Validates the query string; 400 with `errors` by name. */
export function query<Schema extends z.ZodType>(schema: Schema) {
  const handler = zValidator("query", schema, (result) => {
    if (result.success) return;
    const errors = fieldErrors(result.error);
    throw new SextantError("invalid_request", `The query is invalid: ${explain(errors)}`, {
      errors,
    });
  });
  validations.set(handler, { target: "query", schema });
  return handler;
}

/** Postgres integers end here; a larger id cannot exist. */
export const MAX_ID = 2_147_483_647;

/** The id in a path. Whatever is not one cannot be found: 404, as the contract asks. */
export function pathId(text: string | undefined): number {
  if (text === undefined || !/^\d{1,10}$/.test(text) || Number(text) > MAX_ID) {
    throw new SextantError("not_found", "The id in the address is not a number that can exist.");
  }
  return Number(text);
}

/** The row, or 404 naming what was looked for. */
export function found<Row>(row: Row | undefined, what: string, id: number | string): Row {
  if (row === undefined) throw new SextantError("not_found", `There is no ${what} ${id}.`);
  return row;
}
