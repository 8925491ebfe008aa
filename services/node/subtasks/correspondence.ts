/**
 * What a run has sent to other nodes, and where the hub says their answers are: by this an answer
 * is told from what is none. In a file where the run outlives the agent.
 * @module
 */
import { z } from "zod";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { beginsSigned } from "../../../shared/payload/form.ts";
import { payloadId } from "../encryption/payload_id.ts";
import type { SentFor, WantedResult } from "../../../shared/payload/label.ts";

const number = z.int();
const share = z.object({ organization: number, payload: z.string(), signed: z.boolean() });
const lineSchema = z.union([
  z.object({ blob: z.string(), payload: z.string(), signed: z.boolean() }),
  z.object({ task: number, shares: z.array(share) }),
  z.object({
    answer: z.string(),
    taskId: number.optional(),
    resultId: number.optional(),
    organizationId: number.optional(),
  }),
]);
type Line = z.infer<typeof lineSchema>;

export interface Correspondence {
  /** An input has been uploaded as this blob; `header` is its seal's. */
  uploaded(blobId: string, header: string): Promise<void>;
  /** A subtask has been made with these inputs: texts, or ids of blobs. */
  asked(
    taskId: number,
    shares: readonly { id: number; input?: string | undefined }[],
  ): Promise<void>;
  readonly sentFor: SentFor;
  /** Whether something was sent for a subtask, and all of it was signed. */
  allSigned(taskId: number): boolean;
  /** The hub says that this blob is this result. */
  answered(blobId: string, wanted: WantedResult): Promise<void>;
  /** Which result a blob is. */
  wantedIn(blobId: string): WantedResult;
}

/** Remembers in the file `path`, for a run that outlives the agent. */
export async function openCorrespondence(path: string): Promise<Correspondence> {
  const text = await Deno.readTextFile(path).catch(() => "");
  // What an agent that died has left of a line was not gone on with.
  const before = text.split("\n").slice(0, -1).map((line) => lineSchema.parse(JSON.parse(line)));
  return createCorrespondence(before, async (line) => {
    const options = { append: true, mode: 0o600 };
    await Deno.writeTextFile(path, `${JSON.stringify(line)}\n`, options);
  });
}

/** Remembers what is noted from now on; `keep` gets each line of it first. */
export function createCorrespondence(
  before: readonly Line[] = [],
  keep: (line: Line) => Promise<void> = () => Promise.resolve(),
): Correspondence {
  const blobs = new Map<string, { payload: string; signed: boolean }>();
  const tasks = new Map<number, z.infer<typeof share>[]>();
  const answers = new Map<string, WantedResult>();
  before.forEach(apply);

  function apply(line: Line): void {
    if ("blob" in line) blobs.set(line.blob, line);
    else if ("shares" in line) tasks.set(line.task, line.shares);
    else answers.set(line.answer, line);
  }

  async function note(line: Line): Promise<void> {
    await keep(line);
    apply(line);
  }

  return {
    uploaded: (blob, header) =>
      note({ blob, payload: payloadId(header) ?? "", signed: beginsSigned(header) }),
    asked: (task, shares) =>
      note({
        task,
        shares: shares.flatMap(({ id: organization, input = "" }) => {
          if (isBlobId(input)) {
            const blob = blobs.get(input);
            return blob ? [{ organization, payload: blob.payload, signed: blob.signed }] : [];
          }
          const payload = payloadId(input);
          return payload === null ? [] : [{ organization, payload, signed: beginsSigned(input) }];
        }),
      }),
    sentFor(taskId) {
      const shares = tasks.get(taskId);
      return shares && new Map(shares.map((one) => [one.organization, one.payload]));
    },
    allSigned(taskId) {
      const shares = tasks.get(taskId) ?? [];
      return shares.length > 0 && shares.every(({ signed }) => signed);
    },
    async answered(answer, { taskId, resultId, organizationId }) {
      const before = answers.get(answer);
      if (before?.resultId === resultId && before?.organizationId === organizationId) return;
      await note({ answer, taskId, resultId, organizationId });
    },
    wantedIn: (blobId) => answers.get(blobId) ?? {},
  };
}
