import assert from "node:assert/strict";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { whyNotThisDispatch, whyNotThisKill } from "./addressed.ts";

const NOW = Date.parse("2026-03-04T12:00:00Z");
const place = { organization: { id: 3 }, collaboration: { id: 2 } };
const dispatch = {
  organization_id: 3,
  collaboration_id: 2,
  issued_at: "2026-03-04T11:59:00.000Z",
} as Dispatch;

Deno.test("a dispatch is taken by the node that it names, within a day", () => {
  const why = (change: Partial<Dispatch>) =>
    whyNotThisDispatch({ ...dispatch, ...change }, place, NOW);
  assert.equal(why({}), undefined);
  assert.match(why({ organization_id: 4 })!, /for organization 4/);
  assert.match(why({ collaboration_id: 1 })!, /of collaboration 1/);
  assert.match(why({ issued_at: "2026-03-03T11:59:00.000Z" })!, /issued at 2026-03-03/);
  assert.match(why({ issued_at: "2026-03-05T12:01:00.000Z" })!, /issued at 2026-03-05/);
  assert.match(why({ issued_at: "long ago" })!, /issued at long ago/);
});

Deno.test("a kill is followed within a day; hubs of the version before say no time", () => {
  const kill = { result_id: 1, attempt: null };
  assert.equal(whyNotThisKill(kill, NOW), undefined);
  assert.equal(whyNotThisKill({ ...kill, issued_at: dispatch.issued_at }, NOW), undefined);
  const old = { ...kill, issued_at: "2026-03-03T11:00:00.000Z" };
  assert.match(whyNotThisKill(old, NOW)!, /issued at 2026-03-03/);
});
