/**
 * What collaboration answers to the other services. What it tells on its own stands where the
 * change is made.
 * @module
 */
import { auditEntries } from "../../shared/storage/audit.ts";
import { seals } from "../../shared/storage/audit_seal.ts";
import { consistencyProof, newestHead } from "../../shared/storage/audit_tree.ts";
import type { Db } from "../../shared/storage/db.ts";
import { ownHealth } from "../../shared/storage/health.ts";
import { storageMetrics } from "../../shared/storage/metrics.ts";
import { SextantError } from "../../shared/service/errors.ts";
import { found } from "../../shared/contract/validate.ts";
import type {
  NodeSummary,
  RpcHandlers,
  RpcInput,
  RpcOutput,
} from "../../shared/messages/questions.ts";
import {
  createStoreClient,
  requireServerUrl,
  type StoreCall,
  type StoreClient,
  StoreRefusal,
} from "./algorithm_store/client.ts";
import type { CollaborationDeps } from "./deps.ts";
import { asStoreToken } from "./questions.ts";
import { storeById } from "./store/algorithm_store.ts";
import { membershipsOf, placeById } from "./store/collaboration.ts";
import {
  keyGenerations,
  nodeById,
  nodeByKey,
  type NodeRow,
  nodesOfCollaborations,
  nodesOfOrganization,
  setPayloadFormats,
  touchNode,
} from "./store/node.ts";
import { nodeCounts } from "./store/metrics.ts";
import { studyById, studyMembers } from "./store/study.ts";

/** An asking service waits five seconds. */
const STORE_PATIENCE_MS = 4000;

export function collaborationAnswers(
  {
    db,
    ask,
    outbox,
    serverUrl,
    connectionsOfNode,
    stores = createStoreClient({ timeoutMs: STORE_PATIENCE_MS, insideMs: STORE_PATIENCE_MS }),
  }: CollaborationDeps,
): RpcHandlers<"collaboration"> {
  return {
    memberships: ({ organization_id }) => membershipsOf(db, organization_id),
    async node({ id, seen }) {
      const row = await (seen ? touchNode : nodeById)(db, id);
      return row ? summarize(row) : null;
    },
    node_generations: ({ ids }) => keyGenerations(db, ids),
    async node_by_key({ sha256 }) {
      const row = await nodeByKey(db, sha256);
      return row ? summarize(row) : null;
    },
    async node_logged_in({ id, payload_formats }) {
      await setPayloadFormats(db, id, payload_formats);
      return {};
    },
    async nodes({ collaboration_ids }) {
      return (await nodesOfCollaborations(db, collaboration_ids)).map(summarize);
    },
    scope: (question) => scope(db, question),
    async store({ id }) {
      return await storeById(db, id) ?? null;
    },
    async approved_image({ store_id, image, asker, server_url }) {
      const { url, forced } = found(await storeById(db, store_id), "algorithm store", store_id);
      const call = {
        storeUrl: url,
        serverUrl: requireServerUrl(server_url ?? serverUrl),
        authorization: await asStoreToken(ask, asker, url),
        force: forced,
      };
      return { image: await approvedImage(stores, call, image) };
    },
    node_connections: ({ node_id }) => connectionsOfNode(node_id),
    async node_count({ organization_id }) {
      return { nodes: (await nodesOfOrganization(db, organization_id)).length };
    },
    audit: (question) => auditEntries(db, question),
    audit_seals: async (question) => ({ seals: await seals(db, question) }),
    audit_tree: async () => ({ head: await newestHead(db) ?? null }),
    audit_consistency: (question) => consistencyProof(db, question),
    health: () => ownHealth({ db, outbox }),
    metrics: async () => [...await storageMetrics(db, "collaboration"), await nodeCounts(db)],
  };
}

/** A collaboration and a study, with their members and nodes, as a task needs to know them. */
async function scope(
  db: Db,
  { collaboration_id, study_id }: RpcInput<"collaboration", "scope">,
): Promise<RpcOutput<"collaboration", "scope">> {
  const study = study_id === undefined ? undefined : await studyById(db, study_id);
  const wanted = collaboration_id ?? study?.collaboration_id;
  const place = wanted === undefined ? undefined : await placeById(db, wanted);
  return {
    collaboration: place
      ? {
        id: place.id,
        name: place.name,
        encrypted: place.encrypted,
        organization_ids: place.organization_ids,
      }
      : null,
    study: study
      ? {
        id: study.id,
        collaboration_id: study.collaboration_id,
        organization_ids: await studyMembers(db, study.id),
      }
      : null,
    nodes: place?.nodes ?? [],
  };
}

async function approvedImage(stores: StoreClient, call: StoreCall, image: string): Promise<string> {
  try {
    return await stores.approvedImage(call, image);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof StoreRefusal) {
      throw new SextantError("invalid_request", message, { cause: error });
    }
    // What the store's client calls "not found" is the store, not what was asked for.
    const unreachable = error instanceof SextantError && error.code === "not_found";
    throw unreachable ? new SextantError("bad_gateway", message, { cause: error }) : error;
  }
}

/** What other services may know of a node. */
function summarize(row: NodeRow): NodeSummary {
  const { id, name, organization_id, collaboration_id, ip, status, key_generation } = row;
  return { id, name, organization_id, collaboration_id, ip, status, key_generation };
}
