/**
 * Algorithms as the API shows them, from what nodes told.
 * @module
 */
import type { Algorithm } from "../../shared/contract/algorithm.ts";
import { referTo } from "../../shared/contract/references.ts";
import { toldDescription } from "../../shared/node_protocol/description.ts";
import { type AlgorithmRow, keyOf, type TellingNode, type ToldRow } from "./store/algorithm.ts";

/** Algorithms with their nodes; one that no node tells any more is left out. */
export function showAlgorithms(
  rows: AlgorithmRow[],
  { told, nodes }: { told: ToldRow[]; nodes: TellingNode[] },
): Algorithm[] {
  const toldBy = new Map(told.map((one) => [keyOf(one), one]));
  const nodesBy = Map.groupBy(nodes, keyOf);
  return rows.flatMap((row) => {
    const one = toldBy.get(keyOf(row));
    return one ? [showAlgorithm(one, nodesBy.get(keyOf(row)) ?? [])] : [];
  });
}

function showAlgorithm(
  { image, digest, name, version, description }: ToldRow,
  nodes: TellingNode[],
): Algorithm {
  return {
    image,
    name,
    version,
    digest,
    description: readDescription(description),
    online: nodes.some(({ status }) => status === "online"),
    nodes: nodes.map(({ id, node_name, status, organization_id, collaboration_id, methods }) => ({
      id,
      name: node_name,
      status,
      organization: referTo("organization", organization_id),
      collaboration: referTo("collaboration", collaboration_id),
      methods,
    })),
  };
}

/** What another version of the hub took may be none for this one. */
function readDescription(json: string | null): Algorithm["description"] {
  return json === null ? null : toldDescription.safeParse(JSON.parse(json)).data ?? null;
}
