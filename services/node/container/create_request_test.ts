import assert from "node:assert/strict";
import { withContainers } from "../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { createRequest } from "./create_request.ts";
import { missingLimits, podmanVersion } from "./engine.ts";
import { GpuError, gpuProblem, gpuRequests } from "./gpu.ts";

const testEngine = useTestEngine();

const INFO = {
  ServerVersion: "28.0",
  MemTotal: 0,
  NCPU: 4,
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  Rootless: false,
  CgroupVersion: "2",
};

Deno.test("createRequest() asks for exactly the walls, limits and devices of a run", () => {
  const body = createRequest({
    image: "sha256:1",
    env: ["A=ME======"],
    mounts: [{ source: "/a", target: "/b", readOnly: true }],
    labels: { x: "y" },
    limits: {
      timeoutSeconds: 1,
      memoryMiB: 1024,
      outputMiB: 1,
      pids: 64,
      cpus: 8,
      diskMiB: 1,
      logMiB: 1,
    },
    devices: gpuRequests(undefined),
  }, INFO);
  assert.deepEqual(body, {
    Image: "sha256:1",
    Env: ["A=ME======"],
    Labels: { x: "y" },
    Hostname: "algorithm",
    HostConfig: {
      NetworkMode: "none",
      Mounts: [{
        Type: "bind",
        Source: "/a",
        Target: "/b",
        ReadOnly: true,
        BindOptions: { Propagation: "rprivate" },
      }],
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      IpcMode: "private",
      ShmSize: 512 * 2 ** 20,
      Memory: 1024 * 2 ** 20,
      MemorySwap: 1024 * 2 ** 20,
      NanoCpus: 4e9,
      PidsLimit: 64,
      OomScoreAdj: 1000,
      LogConfig: { Type: "json-file", Config: { "max-size": "2m" } },
      RestartPolicy: { Name: "no" },
      DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }],
    },
  });
});

Deno.test("missingLimits() believes what engines say, but not a rootless one on cgroups v1", () => {
  assert.deepEqual(missingLimits(INFO), []);
  assert.deepEqual(missingLimits({ ...INFO, CgroupVersion: "1" }), []);
  assert.deepEqual(missingLimits({ ...INFO, Rootless: true }), []);
  assert.deepEqual(missingLimits({ ...INFO, MemoryLimit: false }), ["memory"]);
  const none = missingLimits({ ...INFO, Rootless: true, CgroupVersion: "1" });
  assert.deepEqual(none, ["memory", "number of processes"]);
});

Deno.test("gpuRequests() asks Podman by CDI, and refuses a Podman that would not listen", () => {
  for (const version of ["5.4.0", "5.10.1", "6.0.0-dev"]) {
    assert.deepEqual(gpuRequests(version), [{ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=all"] }]);
  }
  for (const version of ["4.3.1", "4.9.3", "5.3.9"]) {
    assert.throws(() => gpuRequests(version), GpuError);
    assert.match(gpuProblem(version)!, /5\.4/);
  }
});

Deno.test(
  containerTest("Containers do not start without the GPU that the owner gives them"),
  async () => {
    const version = await podmanVersion(testEngine().engine);
    assert.ok(version, "the engine of tests is a Podman");
    await withContainers(testEngine(), async ({ run }) => {
      const outcome = await run("true");
      assert.equal(outcome.status, "start failed");
      // A later Podman looks for the device, which there is not on a machine of tests.
      assert.match(outcome.reason!, gpuProblem(version) ? /ignores that/ : /nvidia\.com\/gpu/);
      assert.deepEqual(await testEngine().running(), []);
    }, { gpu: true });
  },
);
