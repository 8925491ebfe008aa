/**
 * Which signed inputs this client has sent: what answers to them must be signed too, and name them.
 * @module
 */

export interface SentRequests {
  note(taskId: number, sent: ReadonlyMap<number, string>): void;
  /** The id of what an organization got for a task; `undefined` where that was not signed. */
  idOf(taskId: number, organizationId: number): string | undefined;
}

export function createSentRequests(): SentRequests {
  const byTask = new Map<number, ReadonlyMap<number, string>>();
  return {
    note(taskId, sent) {
      if (sent.size > 0) byTask.set(taskId, sent);
    },
    idOf: (taskId, organizationId) => byTask.get(taskId)?.get(organizationId),
  };
}
