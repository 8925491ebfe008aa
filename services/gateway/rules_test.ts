import assert from "node:assert/strict";
import type { SextantEvent } from "../../shared/messages/events.ts";
import {
  changesSight,
  requestIdOf,
  serviceOf,
  skipsAuthentication,
  takesStoreTokens,
} from "./rules.ts";

Deno.test("serviceOf() goes by the first part of the path", () => {
  assert.equal(serviceOf("/api/organization"), "identity");
  assert.equal(serviceOf("/api/collaboration/3/organization"), "collaboration");
  assert.equal(serviceOf("/api/kill/task"), "task");
  assert.equal(serviceOf("/api/metrics"), "collaboration");
  for (
    const path of ["/api/constructor", "/api/__proto__", "/api/nothing", "/organization", "/api/"]
  ) {
    assert.equal(serviceOf(path), undefined, path);
  }
});

Deno.test("skipsAuthentication() only where nobody can have an access token yet", () => {
  assert.equal(skipsAuthentication("/api/token/user"), true);
  assert.equal(skipsAuthentication("/api/token/container"), false);
  assert.equal(skipsAuthentication("/api/token/user/validate"), false);
});

Deno.test("takesStoreTokens() only where a store asks whose its token is", () => {
  for (const path of ["/api/token/user/validate", "/api/token/node/validate"]) {
    assert.equal(takesStoreTokens(path), true);
  }
  for (const path of ["/api/token/store", "/api/user", "/api/token/user/validate/"]) {
    assert.equal(takesStoreTokens(path), false);
  }
});

Deno.test("changesSight() of a watcher whose log-in has ended, too", () => {
  for (const name of ["user.changed", "session.ended", "role.deleted"] as const) {
    assert.equal(changesSight({ name } as SextantEvent), true);
  }
  assert.equal(changesSight({ name: "result.status" } as SextantEvent), false);
});

Deno.test("requestIdOf() keeps a caller's id only when it is fit for a log", () => {
  assert.equal(requestIdOf("abcdef-123", () => "new"), "abcdef-123");
  for (const bad of [null, "short", 'x"y\nzzzzzz', "x".repeat(65)]) {
    assert.equal(requestIdOf(bad, () => "new"), "new");
  }
});
