import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { type BlobHub, digestOf, startBlobHub } from "../../../tests/support/blob_hub.ts";
import {
  inputLabel,
  PART,
  payloadsOf,
  sealBlob,
  signedSeal,
  unsignedSeal,
} from "../../../tests/support/payloads.ts";
import { createPlainPayloads } from "../encryption/payloads.ts";
import { type Format, sealText } from "../encryption/sealed.ts";
import { openKnownNames } from "../policy/known_names.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { ContentFile } from "../payload/pieces.ts";
import type { Policy } from "../policy/policy.ts";
import { CannotStart } from "./cannot_start.ts";
import { createGate } from "./gate.ts";
import { type Input, type Inputs, MAX_READ_BYTES, openInputs } from "./input.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const signal = new AbortController().signal;
const encoder = new TextEncoder();

const small = encoder.encode('{"method":"central","kwargs":{"column":"älter"}}');
const large = encoder.encode(
  JSON.stringify({ method: "central", args: ["x".repeat(MAX_READ_BYTES)] }),
);

function sealed(content: Bytes, format: Format): Bytes {
  return sealBlob(content, format === "field" ? unsignedSeal(4) : signedSeal(inputLabel()));
}

interface Place {
  it: BlobHub;
  inputs: Inputs;
  /** Receives a stored blob as the input of an attempt. */
  receive(stored: Bytes, options?: { digest?: string }): Promise<Input>;
  forget(): Promise<void>;
  files(): Promise<string[]>;
}

async function withInputs(
  { encrypted = false, policy = {} }: { encrypted?: boolean; policy?: Policy },
  use: (place: Place) => Promise<void>,
): Promise<void> {
  const it = startBlobHub();
  const folder = await temporaryFolder();
  const payloads = encrypted
    ? payloadsOf(4)
    : createPlainPayloads({ record: () => Promise.resolve() });
  const names = await openKnownNames({
    folder: folder.path,
    policy,
    audit: { record: () => Promise.resolve() },
    log: silentLogger,
  });
  // No call is decided by a store.
  const approval = { decide: () => Promise.reject(new Error("no store is asked")) };
  const gate = createGate({ policy, hub: it.hub, names, approval, onDecision() {} }).call;
  const options = {
    folder: folder.path,
    hub: it.hub,
    isThere: () => true,
    payloads,
    gate,
    patienceMs: 500,
  };
  await Deno.mkdir(`${folder.path}/inputs`);
  await Deno.writeTextFile(`${folder.path}/inputs/1-1.stored`, "half of one that an agent died on");
  const inputs = await openInputs(options);
  const dispatch = { ...PART, result_id: 11, attempt: 2, image: "i" } as Dispatch;
  try {
    await use({
      it,
      inputs,
      async receive(stored, { digest = digestOf(stored) } = {}) {
        const id = it.add(stored);
        it.answer = (_, path) => {
          if (path === "/run/11") return Response.json({ input: id, blob_storage_used: true });
          const data = [{ organization: { id: 3 } }];
          return Response.json({ data });
        };
        return await inputs.receive({ ...dispatch, input_sha256: digest }, null, signal);
      },
      forget: () => inputs.forget(dispatch),
      files: async () =>
        (await Array.fromAsync(Deno.readDir(`${folder.path}/inputs`))).map(({ name }) => name),
    });
  } finally {
    await it.stop();
    await folder.remove();
  }
}

const cannotStart = (reason: RegExp, status = "start failed") => (error: unknown) => {
  assert.ok(error instanceof CannotStart, String(error));
  assert.match(error.message, reason);
  assert.equal(error.status, status);
  return true;
};

Deno.test("an input that cannot be had though the hub is there ends its run, and names nothing of the network", async () => {
  await withInputs({}, async ({ it, receive }) => {
    const given: RegExp = /^The input could not be fetched for 0 minutes, in which the hub took/;
    // The list is refused: nothing of the blob is asked.
    const refusing = receive(small);
    it.answer = () => Response.json({ msg: "no room" }, { status: 503 });
    await assert.rejects(refusing, cannotStart(given));
    // The blob breaks off, without a byte more each time.
    it.breaks = Array(100).fill(0);
    await assert.rejects(receive(small), cannotStart(given));
    it.breaks = [5, 5];
    // It came at last, and is no base64.
    await assert.rejects(receive(small), cannotStart(/^The input cannot be read/));
  });
});

const FORMS: [encrypted: boolean, store: (content: Bytes) => Bytes][] = [
  [false, (content) => encoder.encode(content.toBase64())],
  [true, (content) => sealed(content, "field")],
  [true, (content) => sealed(content, "authenticated")],
];

Deno.test("a large input comes through broken connections into a file, a small one is read", async () => {
  for (const [encrypted, store] of FORMS) {
    await withInputs({ encrypted }, async ({ it, receive, files, forget }) => {
      assert.deepEqual(await files(), [], "what an earlier agent left is gone");
      const { call } = await receive(store(small));
      assert.deepEqual(call, { method: "central", args: [], kwargs: { column: "älter" } });

      it.breaks = [3_000_000, 0, 2_000_000];
      const { content, call: unread } = await receive(store(large));
      assert.equal(unread, null);
      const file = content as ContentFile;
      assert.deepEqual([file.size, file.sha256], [large.length, digestOf(large)]);
      assert.ok(digestOf(await Deno.readFile(file.path)) === digestOf(large));
      assert.equal((await Deno.stat(file.path)).mode! & 0o777, 0o600);
      assert.ok(it.asked.filter((one) => one.includes("bytes=")).length === 3);
      await forget();
      assert.deepEqual(await files(), []);
    });
  }
});

Deno.test("a large input that comes as a text lies in a file and is not read", async () => {
  const texts: [encrypted: boolean, text: string][] = [
    [false, large.toBase64()],
    [true, sealText(large, unsignedSeal(4))],
    [true, sealText(large, signedSeal(inputLabel()))],
  ];
  for (const [encrypted, input] of texts) {
    await withInputs({ encrypted }, async ({ it, inputs, files, forget }) => {
      it.answer = () => Response.json({ input });
      const dispatch = {
        ...PART,
        result_id: 11,
        attempt: 2,
        image: "i",
        input_sha256: digestOf(encoder.encode(input)),
      } as Dispatch;
      const { content, call } = await inputs.receive(dispatch, null, signal);
      assert.equal(call, null);
      const file = content as ContentFile;
      assert.deepEqual([file.size, file.sha256], [large.length, digestOf(large)]);
      assert.ok(digestOf(await Deno.readFile(file.path)) === digestOf(large));
      await forget();
      assert.deepEqual(await files(), []);
      const other = { ...dispatch, input_sha256: "0" };
      await assert.rejects(
        inputs.receive(other, null, signal),
        cannotStart(/not the one that it signed/),
      );
    });
  }
});

Deno.test("an answer with an input that no hub could have taken is not read to its end", async () => {
  await withInputs({}, async ({ it, inputs }) => {
    it.answer = () => Response.json({ input: "x".repeat(73 * 2 ** 20) });
    const dispatch = { ...PART, result_id: 11, attempt: 2, image: "i" } as Dispatch;
    await assert.rejects(inputs.receive(dispatch, null, signal), /larger than 72 MiB/);
  });
});

Deno.test("an input that is not the one that the hub signed is used for nothing", async () => {
  for (const [encrypted, store] of FORMS) {
    await withInputs({ encrypted }, async ({ receive, forget, files }) => {
      for (const content of [small, large]) {
        await assert.rejects(
          receive(store(content), { digest: digestOf(store(small).slice(1)) }),
          cannotStart(/not the one that it signed/),
        );
      }
      await forget();
      assert.deepEqual(await files(), []);
    });
  }
});

Deno.test("an input that was tampered with before the hub signed it is used for nothing", async () => {
  await withInputs({ encrypted: true }, async ({ receive, files, forget }) => {
    for (const content of [small, large]) {
      const stored = sealed(content, "authenticated");
      stored[stored.length - 20]! ^= 1;
      await assert.rejects(receive(stored), cannotStart(/was damaged, or encrypted for another/));
    }
    assert.ok(!(await files()).includes("11-2"), "nothing that could be taken for the input");
    await forget();
    assert.deepEqual(await files(), []);
  });
  await withInputs({}, async ({ receive }) => {
    const stored = encoder.encode(`${large.toBase64()}!`);
    await assert.rejects(receive(stored), cannotStart(/must be JSON in base64/));
  });
});

Deno.test("a browser's base64 within the encryption is taken off a small input", async () => {
  await withInputs({ encrypted: true }, async ({ receive }) => {
    const { call } = await receive(sealed(encoder.encode(small.toBase64()), "field"));
    assert.equal(call!.method, "central");
  });
});

Deno.test("an input with numbers that JSON does not have is read, and handed on as it is", async () => {
  const content = encoder.encode('{"method":"m","kwargs":{"upper":Infinity,"lower":[NaN]}}');
  for (const [encrypted, store] of FORMS) {
    await withInputs({ encrypted }, async ({ receive }) => {
      const { origin, ...input } = await receive(store(content));
      assert.deepEqual(input, {
        content,
        call: { method: "m", args: [], kwargs: { upper: Infinity, lower: [NaN] } },
        isJson: false,
        isExact: true,
      });
      assert.equal(origin === null, !encrypted);
    });
  }
  const rule = { arguments: { upper: [1] } };
  const policy = { algorithms: [{ name: "i", methods: { m: rule } }] };
  await withInputs({ policy }, async ({ receive }) => {
    await assert.rejects(
      receive(encoder.encode(content.toBase64())),
      cannotStart(/value of the argument "upper"/, "not allowed"),
    );
  });
});

Deno.test("a whole number of many digits is no other one for the owner's rules", async () => {
  const policy = { algorithms: [{ name: "i", methods: { m: { arguments: { id: [2 ** 53] } } } }] };
  await withInputs({ policy }, async ({ receive }) => {
    const input = (id: string) => encoder.encode(btoa(`{"method":"m","kwargs":{"id":${id}}}`));
    assert.equal((await receive(input("9007199254740992"))).call!.kwargs.id, 2 ** 53);
    await assert.rejects(
      receive(input("9007199254740993")),
      cannotStart(/value of the argument "id"/, "not allowed"),
    );
  });
});

Deno.test("an argument named __proto__ is one for the owner's rules", async () => {
  const policy = { algorithms: [{ name: "i", methods: { m: { arguments: { id: [1] } } } }] };
  await withInputs({ policy }, async ({ receive }) => {
    const kwargs = '{"id":1,"__proto__":{"id":2}}';
    await assert.rejects(
      receive(encoder.encode(btoa(`{"method":"m","kwargs":${kwargs}}`))),
      cannotStart(/argument "__proto__" .* is not listed/, "not allowed"),
    );
  });
  await withInputs({}, async ({ receive }) => {
    for (const kwargs of ["[]", "null", "1"]) {
      const input = encoder.encode(btoa(`{"method":"m","kwargs":${kwargs}}`));
      await assert.rejects(receive(input), cannotStart(/must be an object with method/));
    }
  });
});

Deno.test("a large input is refused where the owner's rules would have to read it, and only there", async () => {
  const stored = encoder.encode(large.toBase64());
  const rule = (methods?: Record<string, object>) => ({ algorithms: [{ name: "i", methods }] });
  const refused: [Policy, RegExp][] = [
    [rule({ central: {} }), /does not allow an input of more than 8 MiB/],
    [{ minimumOrganizations: 2 }, /minimum_organizations of 2/],
  ];
  for (const [policy, reason] of refused) {
    await withInputs({ policy }, async ({ receive }) => {
      await assert.rejects(receive(stored), cannotStart(reason, "not allowed"));
    });
  }
  for (const policy of [rule(), { ...rule(), minimumOrganizations: 1 }]) {
    await withInputs({ policy }, async ({ receive }) => {
      assert.equal((await receive(stored)).call, null);
    });
  }
});
