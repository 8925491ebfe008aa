/**
 * Where things are computed: collaborations, studies, nodes, algorithms and their stores.
 * @module
 */
import { z } from "zod";
import { said } from "../../../shared/contract/answers.ts";
import { algorithm, type algorithmList } from "../../../shared/contract/algorithm.ts";
import {
  algorithmStore,
  type algorithmStoreChanges,
  type algorithmStoreDeletion,
  type algorithmStoreList,
  type newAlgorithmStore,
} from "../../../shared/contract/algorithm_store.ts";
import {
  collaboration,
  type collaborationChanges,
  type collaborationList,
  type newCollaboration,
} from "../../../shared/contract/collaboration.ts";
import { nodeMetrics } from "../../../shared/contract/metrics.ts";
import {
  madeNode,
  memberNode,
  type newNode,
  node,
  type nodeChanges,
  nodeKey,
  type nodeList,
} from "../../../shared/contract/node.ts";
import { organization } from "../../../shared/contract/organization.ts";
import { payloadFormats } from "../../../shared/contract/payload_format.ts";
import {
  type newStudy,
  study,
  type studyChanges,
  type studyList,
} from "../../../shared/contract/study.ts";
import type { Calls } from "../calls.ts";
import { createList, type Filters, type ListOptions } from "../lists.ts";
import { type CallSettings, type DeleteOptions, dependentsOf, nounParts } from "./noun.ts";

const members = z.array(organization);

export interface WithMembers extends CallSettings {
  /** Whether `organizations` is to be these themselves, in place of the list's address. */
  organizations?: boolean;
}

function includeOf({ organizations }: WithMembers = {}) {
  return { include: organizations ? "organizations" : undefined };
}

export function collaborations(calls: Calls) {
  const parts = nounParts(calls, "/collaboration", collaboration);
  return {
    list: (filters?: Filters<typeof collaborationList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: WithMembers) => parts.get(id, includeOf(options), options),
    create: (body: z.input<typeof newCollaboration>, options?: CallSettings) =>
      parts.create(body, collaboration, options),
    change: (id: number, body: z.input<typeof collaborationChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    delete: (id: number, options?: DeleteOptions) =>
      parts.delete(id, dependentsOf(options), options),
    /** The members that there are then. */
    addOrganization: (id: number, organizationId: number, options?: CallSettings) =>
      calls.json("POST", `/collaboration/${id}/organization`, members, {
        ...options,
        body: { id: organizationId },
      }),
    removeOrganization: (id: number, organizationId: number, options?: CallSettings) =>
      calls.json("DELETE", `/collaboration/${id}/organization`, members, {
        ...options,
        body: { id: organizationId },
      }),
    addNode: (id: number, nodeId: number, options?: CallSettings) =>
      calls.json("POST", `/collaboration/${id}/node`, z.array(memberNode), {
        ...options,
        body: { id: nodeId },
      }),
    removeNode: (id: number, nodeId: number, options?: CallSettings) =>
      calls.json("DELETE", `/collaboration/${id}/node`, said, {
        ...options,
        body: { id: nodeId },
      }),
    /** Which formats of encrypted payloads the nodes have told that they read. */
    payloadFormats: (id: number, options?: CallSettings) =>
      calls.json("GET", `/collaboration/${id}/payload_formats`, payloadFormats, options),
  };
}

export function studies(calls: Calls) {
  const parts = nounParts(calls, "/study", study);
  return {
    list: (filters?: Filters<typeof studyList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: WithMembers) => parts.get(id, includeOf(options), options),
    create: (body: z.input<typeof newStudy>, options?: CallSettings) =>
      parts.create(body, study, options),
    change: (id: number, body: z.input<typeof studyChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    delete: (id: number, options?: DeleteOptions) =>
      parts.delete(id, dependentsOf(options), options),
    addOrganization: (id: number, organizationId: number, options?: CallSettings) =>
      calls.json("POST", `/study/${id}/organization`, members, {
        ...options,
        body: { id: organizationId },
      }),
    removeOrganization: (id: number, organizationId: number, options?: CallSettings) =>
      calls.json("DELETE", `/study/${id}/organization`, members, {
        ...options,
        body: { id: organizationId },
      }),
  };
}

export function nodes(calls: Calls) {
  const parts = nounParts(calls, "/node", node);
  return {
    list: (filters?: Filters<typeof nodeList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: CallSettings) => parts.get(id, undefined, options),
    /** With its API key, which is shown this once. */
    create: (body: z.input<typeof newNode>, options?: CallSettings) =>
      parts.create(body, madeNode, options),
    change: (id: number, body: z.input<typeof nodeChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    delete: (id: number, options?: CallSettings) => parts.delete(id, undefined, options),
    /** A new API key; the old one is good no longer. */
    resetKey: (id: number, options?: CallSettings) =>
      calls.json("POST", "/recover/node", nodeKey, { ...options, body: { id }, once: true }),
    metrics: (id: number, options?: CallSettings) =>
      calls.json("GET", `/node/${id}/metrics`, nodeMetrics, options),
    /** Ends whatever is unfinished there. */
    killTasks: (id: number, options?: CallSettings) =>
      calls.json("POST", "/kill/node/tasks", said, { ...options, body: { id }, once: true }),
  };
}

export function algorithms(calls: Calls) {
  return {
    /** What may run where, as the nodes tell. */
    list: (filters?: Filters<typeof algorithmList>, options?: ListOptions) =>
      createList(calls, { path: "/algorithm", item: algorithm, filters, options }),
  };
}

export function algorithmStores(calls: Calls) {
  const parts = nounParts(calls, "/algorithmstore", algorithmStore);
  return {
    list: (filters?: Filters<typeof algorithmStoreList>, options?: ListOptions) =>
      parts.list(filters, options),
    get: (id: number, options?: CallSettings) => parts.get(id, undefined, options),
    link: (body: z.input<typeof newAlgorithmStore>, options?: CallSettings) =>
      parts.create(body, algorithmStore, options),
    change: (id: number, body: z.input<typeof algorithmStoreChanges>, options?: CallSettings) =>
      parts.change(id, body, options),
    unlink: (
      id: number,
      query?: z.input<typeof algorithmStoreDeletion>,
      options?: CallSettings,
    ) => parts.delete(id, query, options),
  };
}
