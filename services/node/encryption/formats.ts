/**
 * Which format is for whom: what another node will read is written in the authenticated format when
 * that node's agent has told the hub that it reads it, else in v6's.
 *
 * An agent tells of its formats with its API key whenever it logs in, so they go with the agent: a
 * program of v6 that takes its place says nothing, and gets v6's format. They have nothing to do
 * with the organization's key: both formats are opened with it. The hub could hold back what it is
 * told; who minds that sets `between_nodes: authenticated`.
 * @module
 */
import { z } from "zod";
import { SIGNED_REQUESTS } from "../../../shared/payload/label.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import type { Format } from "./sealed.ts";

/**
 * The setting `between_nodes`: `announced` goes by what the reader tells, the other two insist, on
 * v6's format (`field`) or on our own.
 */
export const FORMAT_SETTINGS = ["announced", "field", "authenticated"] as const;
export type FormatSetting = typeof FORMAT_SETTINGS[number];

/** Nothing can be written in the format that the owner insists on. The message says what to do. */
export class FormatError extends Error {
  override name = "FormatError";
}

/**
 * The authenticated format as agents tell of it. Those of the version before told of
 * `authenticated`, which said nothing of who wrote it: to them v6's is written, and they write it.
 */
export const AUTHENTICATED = "authenticated2";

/** What an agent tells of itself. Without encryption it has no key to open anything with. */
export function readableFormats(
  { encryption, betweenNodes }: { encryption: boolean; betweenNodes: FormatSetting },
): string[] {
  if (!encryption) return [];
  return betweenNodes === "field" ? ["field"] : ["field", AUTHENTICATED, SIGNED_REQUESTS];
}

export interface FormatChoiceOptions {
  hub: Hub;
  collaborationId: number;
  betweenNodes: FormatSetting;
  signal: AbortSignal;
}

const formatsSchema = z.object({
  data: z.array(z.object({ payload_formats: z.array(z.string()) })),
});

/**
 * How to write what the node of an organization will read. Rejects with a {@linkcode FormatError}.
 */
export function createFormatChoice(
  { hub, collaborationId, betweenNodes, signal }: FormatChoiceOptions,
): (organizationId: number) => Promise<Format> {
  async function readsAuthenticated(organizationId: number): Promise<boolean> {
    const path =
      `/collaboration/${collaborationId}/payload_formats?organization_id=${organizationId}`;
    const { data } = await hub.insist(path, formatsSchema, { signal }).catch((error) => {
      // A hub from before there was a choice.
      if (error instanceof HubError && error.status === 404) return { data: [] };
      throw error;
    });
    return data.length === 1 && data[0]!.payload_formats.includes(AUTHENTICATED);
  }

  return async function formatFor(organizationId) {
    if (betweenNodes === "field") return "field";
    if (await readsAuthenticated(organizationId)) return "authenticated";
    if (betweenNodes === "announced") return "field";
    throw new FormatError(
      `The node of organization ${organizationId} has not told the hub that it reads authenticated ` +
        "payloads, and this node's owner allows no others between nodes (encryption.between_nodes). " +
        "Update that node and start it once, or set between_nodes to announced here.",
    );
  };
}
