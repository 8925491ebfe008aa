import assert from "node:assert/strict";
import { createEvaluator, type Evaluator } from "./evaluator.ts";

async function inEvaluator(work: (evaluator: Evaluator) => Promise<void>): Promise<void> {
  const evaluator = await createEvaluator();
  try {
    await work(evaluator);
  } finally {
    evaluator.close();
  }
}

async function value(evaluator: Evaluator, code: string): Promise<unknown> {
  const outcome = await evaluator.evaluate(code);
  if (outcome.kind !== "value") throw new Error(`${code}: ${JSON.stringify(outcome)}`);
  return outcome.value;
}

Deno.test("evaluate() gives values themselves, of every kind", async () => {
  await inEvaluator(async (evaluator) => {
    assert.equal(await value(evaluator, "1 + 1"), 2);
    assert.equal(await value(evaluator, "10n ** 30n"), 10n ** 30n);
    assert.ok(Number.isNaN(await value(evaluator, "0 / 0")));
    assert.ok(Object.is(await value(evaluator, "-0"), -0));
    assert.equal(await value(evaluator, "undefined"), undefined);
    assert.equal(await value(evaluator, "null"), null);
    assert.deepEqual(await value(evaluator, "{ a: 1, b: [2] }"), { a: 1, b: [2] });
    assert.ok(await value(evaluator, "new Map([[1, 2]])") instanceof Map);
  });
});

Deno.test("evaluate() keeps declarations, lets them be made again, and awaits", async () => {
  await inEvaluator(async (evaluator) => {
    await value(evaluator, "const kept: number = await Promise.resolve(3)");
    assert.equal(await value(evaluator, "kept"), 3);
    await value(evaluator, "const kept = 4");
    assert.equal(await value(evaluator, "kept"), 4);
    assert.ok((await evaluator.declared()).includes("kept"));
  });
});

Deno.test("evaluate() tells what is thrown from what is written wrongly, and from what goes on", async () => {
  await inEvaluator(async (evaluator) => {
    const kindOf = async (code: string) => (await evaluator.evaluate(code)).kind;
    assert.equal(await kindOf("throw new RangeError('far')"), "error");
    assert.equal(await kindOf("await Promise.reject(3)"), "error");
    assert.equal(await kindOf("JSON.parse('{')"), "error");
    assert.equal(await kindOf("a b"), "error");
    assert.equal(await kindOf("f({name: )"), "error");
    for (
      const code of [
        "f(1,",
        "const a = {",
        "`text",
        "function f(a: number) {",
        "1 +",
        "const n: number[] = [",
      ]
    ) {
      assert.equal(await kindOf(code), "incomplete", code);
    }
  });
});

Deno.test("peek() runs nothing", async () => {
  await inEvaluator(async (evaluator) => {
    await value(
      evaluator,
      "globalThis.ran = 0; const trap = { get fires() { return ++globalThis.ran } }",
    );
    assert.equal(await evaluator.peek("trap.fires"), undefined);
    assert.equal(await value(evaluator, "globalThis.ran"), 0);
    assert.equal(typeof await evaluator.peek("trap"), "object");
  });
});
