import assert from "node:assert/strict";
import { join } from "node:path";
import { readArgs, typedPath, UsageError, wholeNumber } from "./read_args.ts";

const options = { port: { type: "string" } } as const;

Deno.test("readArgs() says in one sentence what is wrong", () => {
  const complaint = (args: string[], allowPositionals: boolean) => {
    try {
      readArgs({ args, options, allowPositionals });
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.message;
    }
  };
  assert.equal(complaint(["--prot", "1"], true), "Unknown option '--prot'");
  assert.equal(complaint(["1"], false), "Unexpected argument '1'");
  assert.equal(complaint(["--port"], true), "Option '--port <value>' argument missing");
  assert.equal(complaint(["--port", "-1"], true), "Option '--port' argument is ambiguous");
  assert.equal(complaint(["--port", "1"], true), undefined);
});

Deno.test("wholeNumber() takes digits within its bounds alone", () => {
  assert.equal(wholeNumber("port", "80", 1, 65535), 80);
  for (const text of ["", "0", "x", "1.5", "1e3", "-1", "65536"]) {
    assert.throws(() => wholeNumber("port", text, 1, 65535), /--port must be a number from 1 to/);
  }
});

Deno.test("typedPath() starts where the command was typed", () => {
  const before = Deno.env.get("INIT_CWD");
  try {
    Deno.env.set("INIT_CWD", "/somewhere");
    assert.equal(typedPath("node.yaml"), "/somewhere/node.yaml");
    assert.equal(typedPath("/else/node.yaml"), "/else/node.yaml");
    Deno.env.delete("INIT_CWD");
    assert.equal(typedPath("node.yaml"), join(Deno.cwd(), "node.yaml"));
  } finally {
    if (before !== undefined) Deno.env.set("INIT_CWD", before);
  }
});
