/** What a dishonest hub could give a node to read, and what comes of it. */
import assert from "node:assert/strict";
import {
  CENTRAL,
  inputLabel,
  PART,
  payloadsOf,
  sealBlob,
  signedSeal,
  type TestPayloads,
  unsignedSeal,
} from "../../../tests/support/payloads.ts";
import { createCorrespondence } from "../subtasks/correspondence.ts";
import { beginsSigned } from "../../../shared/payload/form.ts";
import { payloadId } from "./payload_id.ts";
import { GREATEST_AGE_DAYS, type InputLabel, type Label } from "../../../shared/payload/label.ts";
import { sealText } from "./sealed.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";

const encoder = new TextEncoder();
const CALL = encoder.encode('{"method":"partial"}');
const OUTPUT = encoder.encode('{"sum":53}');
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** It is refused, and the audit log says why. */
async function refused(
  payloads: TestPayloads,
  open: Promise<unknown>,
  reason: RegExp,
): Promise<void> {
  await assert.rejects(open, (error) => {
    assert.ok(error instanceof UnreadableError, String(error));
    assert.match(error.message, reason);
    return true;
  });
  const { event, reason: noted } = payloads.audited.at(-1)!;
  assert.equal(event, "payload refused");
  assert.match(String(noted), reason);
}

Deno.test("the input of a subtask is read where it was written for, and nowhere else", async () => {
  const day = 86_400_000;
  const places: [changes: object, reason: RegExp][] = [
    [{ collaboration_id: 1 }, /written in collaboration 1/],
    [{ to: [5] }, /damaged, or encrypted for another key/],
    [{ run_id: 2 }, /for a subtask of task 5 of run 2, not of task 5 of run 1/],
    [{ parent_id: 6 }, /for a subtask of task 6 of run 1, not of task 5/],
    [{ from: 5 }, /organization 5 has written it, not organization 3/],
    [{ at: new Date(Date.now() - (GREATEST_AGE_DAYS + 1) * day).toISOString() }, /too long ago/],
    [{ at: new Date(Date.now() + 2 * day).toISOString() }, /which is to come/],
    [
      { is: "result", task_id: 9, result_id: 21, answers: "a".repeat(64) },
      /written as the result of a task, not as an input/,
    ],
  ];
  for (const betweenNodes of ["announced", "authenticated"] as const) {
    const node = payloadsOf(4, { betweenNodes });
    const { content, origin } = await node.openInput(
      sealText(CALL, signedSeal(inputLabel())),
      PART,
    );
    assert.equal(text(content), text(CALL));
    assert.equal(origin!.signed, true);
    for (const [changes, reason] of places) {
      const stored = sealText(CALL, signedSeal(inputLabel(changes)));
      await refused(node, node.openInput(stored, PART), reason);
    }
    const top = { ...PART, parent_id: null };
    const stored = sealText(CALL, signedSeal(inputLabel()));
    await refused(node, node.openInput(stored, top), /not of a user/);
  }
});

Deno.test("an input that organization 3 has not signed is refused, whoever had its public key", async () => {
  const node = payloadsOf(4);
  const forged = sealText(CALL, signedSeal(inputLabel(), 5));
  await refused(node, node.openInput(forged, PART), /organization 3 has not signed it/);
});

Deno.test("the label of a payload cannot be taken for another's", async () => {
  const node = payloadsOf(4);
  const partsOf = (label: Label) => sealText(CALL, signedSeal(label)).split("$");
  const good = partsOf(inputLabel());
  const other = partsOf(inputLabel({ parent_id: 6 }));
  const mixtures = [
    [good[0], good[1], other[2]],
    [good[0], other[1], other[2]],
  ];
  for (const parts of mixtures) {
    await refused(node, node.openInput(parts.join("$"), PART), /damaged/);
  }
  const wrapped = Uint8Array.fromBase64(other[0]!);
  const at = text(wrapped).indexOf('"parent_id":6') + '"parent_id":'.length;
  wrapped[at] = "5".charCodeAt(0);
  const edited = [wrapped.toBase64(), other[1], other[2]].join("$");
  await refused(node, node.openInput(edited, PART), /damaged/);
});

Deno.test("an input once computed on is no input of another result, but of another attempt", async () => {
  const node = payloadsOf(4);
  const stored = sealText(CALL, signedSeal(inputLabel()));
  await node.openInput(stored, PART);
  await node.openInput(stored, { ...PART, attempt: 2 });
  const again = { ...PART, task_id: 10, result_id: 22 };
  const reason = /it is the input of result 21, given once more as that of result 22/;
  await refused(node, node.openInput(stored, again), reason);
  // As a blob it is the same.
  const opener = node.inputOpener(again);
  const header = stored.slice(0, stored.lastIndexOf("$") + 1);
  opener.update(encoder.encode(header));
  opener.update(Uint8Array.fromBase64(stored.slice(header.length)));
  await refused(node, opener.final(), reason);
});

Deno.test("who insists on authenticated payloads reads v6's format from users alone", async () => {
  const strict = payloadsOf(4, { betweenNodes: "authenticated" });
  const stored = sealText(CALL, unsignedSeal(4));
  await refused(strict, strict.openInput(stored, PART), /it is in v6's format/);
  assert.equal(
    text((await strict.openInput(stored, { ...PART, parent_id: null })).content),
    text(CALL),
  );
  const { origin } = await payloadsOf(4).openInput(stored, PART);
  assert.equal(origin!.signed, false);
});

/** The label of a person's input for organization 4, in a task of organization 3. */
function requestLabel(changes: object = {}): Label {
  const { run_id: _, parent_id: __, ...common } = inputLabel() as InputLabel;
  return { ...common, is: "request", image: PART.image, ...changes } as Label;
}

Deno.test("a person's signed input is read for its task's organization and algorithm, once", async () => {
  const top = { ...PART, parent_id: null };
  const cases: [object, object, RegExp][] = [
    [{ collaboration_id: 8 }, {}, /written in collaboration 8/],
    [{ to: [5] }, {}, /damaged, or encrypted for another key/],
    [{ from: 5 }, {}, /organization 5 has written it, not organization 3/],
    [{ image: "deno:other@1.0.0" }, {}, /written for deno:other@1\.0\.0, not for deno:average/],
    [{ image: "deno:average" }, { image: "deno:average@sha256:00" }, /written for deno:average/],
    [{ image: "a/b:1" }, { image: "a/bc@sha256:00" }, /written for a\/b:1/],
    [{ at: "2020-01-01T00:00:00Z" }, {}, /too long ago/],
    [{}, { parent_id: 5 }, /written as the request of a task, not as an input/],
  ];
  for (const [label, run, reason] of cases) {
    const node = payloadsOf(4);
    const stored = sealText(CALL, signedSeal(requestLabel(label)));
    await refused(node, node.openInput(stored, { ...top, ...run }), reason);
  }
  const node = payloadsOf(4);
  const stored = sealText(CALL, signedSeal(requestLabel()));
  const { origin } = await node.openInput(stored, top);
  assert.equal(origin!.signed, true);
  await refused(node, node.openInput(stored, { ...top, result_id: 22 }), /given once more/);
  const pinned = sealText(CALL, signedSeal(requestLabel({ image: "r.example:5000/a/b:1" })));
  await node.openInput(pinned, { ...top, image: "r.example:5000/a/b@sha256:00" });
  const answer = sealText(OUTPUT, (await node.seal(top, origin))!);
  assert.ok(beginsSigned(answer), "who has signed reads what is signed");
  const { origin: unsigned } = await node.openInput(sealText(CALL, unsignedSeal(4)), top);
  assert.ok(!beginsSigned(sealText(OUTPUT, (await node.seal(top, unsigned))!)));
});

/** Organization 3's central part, which has asked 4 and 5 in task 9, and 4 once more in task 10. */
async function asked(options: Parameters<typeof payloadsOf>[1] = {}) {
  const node = payloadsOf(3, options);
  const correspondence = createCorrespondence();
  const codec = node.codecOf(CENTRAL, correspondence);
  const input = async (id: number) => ({ id, input: await codec.encode(CALL.toBase64(), id) });
  const shares = [await input(4), await input(5)];
  const later = [await input(4)];
  await correspondence.asked(9, shares);
  await correspondence.asked(10, later);

  /** What the node of an organization answers to an input. */
  async function answer(
    of: number,
    { input, ...changes }: { input: string } & Partial<typeof PART>,
  ): Promise<string> {
    const seal = await payloadsOf(of).seal({ ...PART, ...changes }, {
      id: payloadId(input)!,
      signed: beginsSigned(input),
    });
    return sealText(OUTPUT, seal!);
  }

  return { node, codec, shares, later, answer };
}

Deno.test("a result is read as what it is: whose, of which task, in answer to which input", async () => {
  for (const betweenNodes of ["announced", "authenticated"] as const) {
    const { node, codec, shares, later, answer } = await asked({ betweenNodes });
    const [four, five] = shares.map(({ input }) => input) as [string, string];
    const good = await answer(4, { input: four });
    const wanted = { taskId: 9, resultId: 21, organizationId: 4 };
    assert.equal(atob(await codec.decode(good, wanted)), text(OUTPUT));
    assert.equal(atob(await codec.decode(good, {})), text(OUTPUT));

    const others: [stored: string, reason: RegExp][] = [
      [await answer(5, { input: five, result_id: 22 }), /it is result 22, not result 21/],
      [await answer(5, { input: five }), /it is organization 5's result, not organization 4's/],
      [await answer(4, { input: four, task_id: 10 }), /it is a result of task 10, not of task 9/],
      [await answer(4, { input: later[0]!.input }), /it answers another input than the one/],
      [await answer(4, { input: four, parent_id: 6 }), /for a subtask of task 6/],
      [await answer(4, { input: four, run_id: 2 }), /of run 2/],
      [sealText(OUTPUT, unsignedSeal(3)), /it is in v6's format/],
      [good.slice(0, -8) + "AAAAAAA=", /damaged/],
      [four, /damaged, or encrypted for another key/],
    ];
    for (const [stored, reason] of others) {
      await refused(node, codec.decode(stored, wanted), reason);
    }
    const fromStranger = await answer(4, { input: four, task_id: 77 });
    await refused(node, codec.decode(fromStranger, {}), /task 77 is no subtask of this run/);
  }
});

Deno.test("a result that another organization has signed in the name of the one asked is refused", async () => {
  const { node, codec, shares } = await asked();
  const label = inputLabel({
    is: "result",
    from: 4,
    to: [3],
    task_id: 9,
    result_id: 21,
    answers: payloadId(shares[0]!.input),
  }) as Label;
  const forged = sealBlob(OUTPUT, signedSeal(label, 5));
  await refused(node, codec.decode(forged, {}), /organization 4 has not signed it/);
  const opener = codec.opener({});
  opener.update(forged);
  await refused(node, opener.final(), /organization 4 has not signed it/);
});

Deno.test("where an input had to be in v6's format, so may its result be, unless the owner insists", async () => {
  const { codec } = await asked({ format: "field" });
  const stored = sealText(OUTPUT, unsignedSeal(3));
  assert.equal(atob(await codec.decode(stored, { taskId: 9 })), text(OUTPUT));
  const { node, codec: strict } = await asked({ format: "field", betweenNodes: "authenticated" });
  await refused(node, strict.decode(stored, { taskId: 9 }), /it is in v6's format/);
});

Deno.test("an input that leaves stands in the audit log with the key that it is encrypted with", async () => {
  const { node, shares } = await asked();
  const [left] = node.audited.filter(({ event }) => event === "subtask input leaves");
  assert.equal(left!.organization_id, 4);
  assert.match(String(left!.key), /^sha256:[0-9a-f]{64}$/);
  assert.equal(left!.bytes, shares[0]!.input.length);
  assert.equal(left!.result_id, CENTRAL.result_id);
});

Deno.test("a key that is not to be used refuses what is signed with it", async () => {
  const { KeyError } = await import("./keys.ts");
  const node = payloadsOf(4, {
    keys: {
      check: () => Promise.reject(new KeyError("another one is pinned")),
      ofReader: () => Promise.reject(new KeyError("another one is pinned")),
      ofSigner: () => Promise.reject(new KeyError("another one is pinned")),
    },
  });
  const stored = sealText(CALL, signedSeal(inputLabel()));
  await refused(node, node.openInput(stored, PART), /another one is pinned/);
  await assert.rejects(node.openInput(stored, PART), RefusedPayloadError);
});
