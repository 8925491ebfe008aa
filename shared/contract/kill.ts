/**
 * Killing (contract §3.9): a task with its descendants, or whatever is unfinished at a node.
 * @module
 */
import { z } from "zod";
import { id } from "./fields.ts";

export const killed = z.object({ id });
