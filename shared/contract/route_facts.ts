/**
 * What a route declares of itself on the line that adds it: who may call it, what it reads and what
 * it answers. The middlewares of this room declare it; the description of the API and the tests'
 * table of rights read it.
 * @module
 */
import type { z } from "zod";
import type { Permission, PrincipalKind } from "./permissions.ts";

/** Who may call a route. */
export interface Access {
  kinds: PrincipalKind[];
  /** Held in any scope; the handler then decides on the resource in hand. */
  permission: Permission | undefined;
}

/** What a route answers when it has done its work. */
export interface AnswerFact {
  status: number;
  /** Media type. */
  type: string;
  /** Absent for what is not JSON. */
  schema: z.ZodType | undefined;
}

export interface RouteFacts {
  access: Access;
  body: z.ZodType;
  query: z.ZodType;
  answer: AnswerFact;
  /** What the route does, in a sentence or two. */
  does: string;
  /** Takes an `Idempotency-Key`. */
  idempotent: boolean;
}

const facts = new WeakMap<object, Partial<RouteFacts>>();

/** Attaches facts to a handler of a route; returns the handler. */
export function declareFacts<Handler extends object>(
  handler: Handler,
  declared: Partial<RouteFacts>,
): Handler {
  facts.set(handler, { ...facts.get(handler), ...declared });
  return handler;
}

/** What a handler declares; empty for one that declares nothing. */
export function factsOf(handler: unknown): Partial<RouteFacts> {
  return facts.get(handler as object) ?? {};
}
