/**
 * What a running algorithm prints, on `log.<node>.<result>`. Nobody answers, and a piece that is
 * lost comes again with the whole log at the end.
 * @module
 */
import { z } from "zod";
import { MAX_LOG_LINE, MAX_LOG_LINES } from "./limits.ts";
import { id } from "./values.ts";

/** The number of the hub's own last line in a log, after every piece of the node's. */
export const LAST_SEQ = 2_147_483_647;

export const logPieceSchema = z.object({
  attempt: id,
  /** Counts the pieces of an attempt from 0. */
  seq: z.int32().min(0).max(LAST_SEQ - 1),
  lines: z.array(z.string().max(MAX_LOG_LINE)).max(MAX_LOG_LINES),
});
/** Some lines of a running attempt. */
export type LogPiece = z.infer<typeof logPieceSchema>;
