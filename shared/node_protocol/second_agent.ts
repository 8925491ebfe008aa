/**
 * What the agent of a node is told when another with the same API key wants to speak for the node.
 * It comes on `kill.<node>`, which an agent hears also while it has nothing to do.
 * @module
 */
import { z } from "zod";

export const secondAgentSchema = z.object({
  second_agent: z.object({
    /** The public key of the agent that this is for: the other hears it, too. */
    first: z.string(),
    /** Where the other one connects from. */
    address: z.string(),
    /** ISO 8601. */
    at: z.string(),
  }),
});
/** Another agent with the node's API key was refused. */
export type SecondAgent = z.infer<typeof secondAgentSchema>;
