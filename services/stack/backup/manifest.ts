/**
 * What a backup says of itself: its last part, which makes it whole.
 * @module
 */
import { z } from "zod";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";

export const MANIFEST = "manifest.json";
/** The database, as `pg_dump --format=custom` writes it, in pieces: `database.dump/000001`, … */
export const DUMP = "database.dump/";
/** Files that no set-up could make again, as they lie in the folder `services` of a deployment. */
export const KEYS = "services/";
/** What an operator had chosen; text for people, but for the ports. */
export const SETTINGS = "settings/";

/** Paths that may be made below a folder: of plain names, none of them hidden or leading up. */
const partName = z.string().max(200).regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][\w.-]*)*$/);

export const manifestSchema = z.object({
  format: z.literal("sextant backup"),
  version: z.literal(1),
  /** Which version of Sextant made it. */
  sextant: z.string(),
  /** ISO 8601: not later than what the database held. */
  made_at: z.iso.datetime(),
  /** The version of the database server. */
  postgres: z.string(),
  /** Names of the migrations that the database has seen, by schema. */
  migrations: z.record(z.enum(HUB_SERVICES), z.array(z.string())),
  parts: z.array(z.object({
    name: partName,
    bytes: z.number().int().min(0),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type Part = Manifest["parts"][number];
