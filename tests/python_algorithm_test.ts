/**
 * An algorithm built on the field's published tools, unmodified, on the whole system.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack } from "./harness.ts";
import { createSite } from "./site.ts";
import { useTestEngine } from "./support/container_engine.ts";
import { importPythonImage, PYTHON_IMAGE, pythonTest } from "./support/python_image.ts";

const stack = useTestStack();
const engine = useTestEngine();

Deno.test(
  pythonTest("an image with vantage6-algorithm-tools computes a federated average"),
  async () => {
    await importPythonImage(engine());
    const { members, startNode, post, outcome } = await createSite(stack(), {
      data: ["age,name\n20,a\n40,b\n", "age,name\n60,c\n"],
      node: {
        container: { socket: engine().socket },
        policies: { allowed_algorithms: [PYTHON_IMAGE], require_algorithm_pull: false },
      },
    });
    for (const member of members) await startNode(member);
    const task = await post({ image: PYTHON_IMAGE, method: "central", kwargs: { column: "age" } });
    const { status, runs, results } = await outcome(task.id, 120_000);
    assert.equal(status, "completed", JSON.stringify(runs));
    assert.deepEqual(results, [{ average: 40, parts: 2 }]);
  },
);
