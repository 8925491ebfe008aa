/**
 * Requests that come as steadily as those of many users, while something is done to the hub.
 * @module
 */
import { waitFor } from "../harness.ts";
import type { Site } from "../site.ts";

export interface Requests {
  sent: number;
  /** Those that failed and may be repeated: reads, and what was created under a key. */
  failures: string[];
}

/** Sends so many requests a second, one of ten of them creating something, until `work` is done. */
export async function underRequests(
  { admin, members, collaborationId }: Site,
  perSecond: number,
  work: () => Promise<void>,
): Promise<Requests> {
  const reads = [
    `/organization/${members[0]!.id}`,
    `/node/${members[0]!.nodeId}`,
    `/collaboration/${collaborationId}`,
    "/task?per_page=1",
  ];
  const failures: string[] = [];
  let sent = 0;
  async function read(path: string): Promise<void> {
    const answer = await admin.request("GET", path);
    await answer.body?.cancel();
    if (!answer.ok) failures.push(`GET ${path}: ${answer.status}`);
  }
  /** What creates something is sent again, under its key alone, as the contract says. */
  async function create(): Promise<void> {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const name = `Clinic ${crypto.randomUUID()}`;
    await waitFor(async () => {
      const answer = await admin.request("POST", "/organization", { name }, headers);
      await answer.body?.cancel();
      if (answer.status < 500 && answer.status !== 201) failures.push(`POST: ${answer.status}`);
      return answer.status < 500;
    }, { what: "an organization to be made", timeout: 30_000 });
  }
  const underWay = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const one = (sent++ % 10 === 0 ? create() : read(reads[sent % reads.length]!))
      .catch((error) => void failures.push(String(error))).then(() => void underWay.delete(one));
    underWay.add(one);
  }, 1000 / perSecond);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await Promise.all(underWay);
  }
  return { sent, failures };
}
