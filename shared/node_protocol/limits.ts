/**
 * How large a message between hub and node may be. All of it follows from the broker's largest
 * message.
 * @module
 */
import { MAX_PAYLOAD } from "../broker/limits.ts";

/**
 * Characters of an input that comes with the answer to `start`; a longer one is fetched over HTTP.
 */
export const MAX_INLINE_INPUT = MAX_PAYLOAD / 2;

/** Room that a message leaves for its headers: signature and credential. */
const HEADER_ROOM = 124 * 1024;

/** Bytes of a report; a result that makes it larger goes over HTTP before it. */
export const MAX_REPORT = MAX_PAYLOAD - HEADER_ROOM;

/**
 * Bytes, as JSON, of the lines of a piece of a log: the event that tells of it must fit into a
 * message, too.
 */
export const MAX_LOG_PIECE = MAX_PAYLOAD / 4;

/** Lines in a piece of a log. */
export const MAX_LOG_LINES = 1000;

/** Characters of a line of a log. */
export const MAX_LOG_LINE = 4000;
