/**
 * How the API shows relations (contract §1): to one, an object with its address; to many, the
 * address of a list.
 * @module
 */
import { z } from "zod";

export type Noun =
  | "organization"
  | "collaboration"
  | "study"
  | "node"
  | "user"
  | "role"
  | "rule"
  | "task"
  | "run"
  | "result"
  | "algorithmstore";

/**
 * Methods that the address of one such object answers. Nobody reads them, but they are part of the
 * shape.
 */
const METHODS: Record<Noun, string[]> = {
  organization: ["GET", "PATCH", "DELETE"],
  collaboration: ["GET", "PATCH", "DELETE"],
  study: ["GET", "PATCH", "DELETE"],
  node: ["GET", "PATCH", "DELETE"],
  user: ["GET", "PATCH", "DELETE"],
  role: ["GET", "PATCH", "DELETE"],
  rule: ["GET"],
  task: ["GET", "DELETE"],
  run: ["GET", "PATCH"],
  result: ["GET"],
  algorithmstore: ["GET", "PATCH", "DELETE"],
};

/** A to-one relation. */
export const reference = z.object({
  id: z.number().int(),
  /** The address of the object. */
  link: z.string(),
  methods: z.array(z.string()),
}).meta({ id: "Reference", description: "A related object and its address." });
export type Reference = z.infer<typeof reference>;

/** A to-many relation: the address of the list. */
export const link = z.string().meta({ description: "The address of a list." });

/** A to-one relation as the API shows it. */
export function referTo(noun: Noun, id: number): Reference;
export function referTo(noun: Noun, id: number | null): Reference | null;
export function referTo(noun: Noun, id: number | null): Reference | null {
  return id === null ? null : { id, link: `/api/${noun}/${id}`, methods: METHODS[noun] };
}

/** A to-many relation as the API shows it. */
export function listLink(noun: Noun, filter: string, id: number): string {
  return `/api/${noun}?${filter}=${id}`;
}
