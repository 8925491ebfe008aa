import assert from "node:assert/strict";
import { ApiError } from "../../client/mod.ts";
import { type FieldDescription, fieldErrors, withValue } from "./form_values.ts";

Deno.test("fieldErrors() gathers what is said of a field and of its parts", () => {
  const body = {
    msg: "The body is invalid",
    errors: { name: ["is missing"], "ids.0": ["must be an id"], "ids.2": ["must be unique"] },
  };
  assert.deepEqual(fieldErrors(new ApiError("POST /x", 400, body)), {
    name: "is missing",
    ids: "must be an id; must be unique",
  });
  assert.deepEqual(fieldErrors(new Error("no answer")), {});
});

Deno.test("withValue() drops what was chosen under another value of a field", () => {
  const [collaboration, members, name]: FieldDescription[] = [
    { kind: "choice", name: "collaboration_id", label: "", options: [] },
    {
      kind: "choices",
      name: "organization_ids",
      label: "",
      options: [],
      dependsOn: ["collaboration_id"],
    },
    { kind: "text", name: "name", label: "" },
  ];
  const fields = [collaboration!, members!, name!];
  const before = { collaboration_id: "1", organization_ids: [2, 3], name: "A" };
  assert.deepEqual(withValue(before, { fields, field: collaboration!, value: "2" }), {
    collaboration_id: "2",
    organization_ids: [],
    name: "A",
  });
  assert.deepEqual(withValue(before, { fields, field: name!, value: "B" }), {
    ...before,
    name: "B",
  });
});
