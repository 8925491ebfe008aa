import assert from "node:assert/strict";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { createDescribeServices } from "./describe_services.ts";

function world() {
  const state = { asked: 0, at: 0, fails: false };
  const describe = () => {
    state.asked++;
    if (state.fails) return Promise.reject(new Error("identity does not answer"));
    return Promise.resolve({ paths: {}, schemas: {} });
  };
  const describeServices = createDescribeServices({ describe, now: () => state.at, keepMs: 1000 });
  return { state, describeServices };
}

Deno.test("createDescribeServices() asks each service once, and again when the answer is old", async () => {
  const { state, describeServices } = world();
  await Promise.all([describeServices(), describeServices()]);
  state.at = 999;
  await describeServices();
  assert.equal(state.asked, HUB_SERVICES.length);
  state.at = 1000;
  await describeServices();
  assert.equal(state.asked, 2 * HUB_SERVICES.length);
});

Deno.test("createDescribeServices() keeps nothing while a service does not answer", async () => {
  const { state, describeServices } = world();
  state.fails = true;
  await assert.rejects(describeServices(), /does not answer/);
  state.fails = false;
  assert.equal((await describeServices()).length, HUB_SERVICES.length);
});
