/**
 * Tables of who may do what: a row for each route of a service, with the status that each caller
 * gets for an object at each place. A route without a row fails the run.
 * @module
 */
import assert from "node:assert/strict";
import { routesOf } from "../../shared/contract/openapi.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { sendWhileTheRightEnds } from "./held_body.ts";
import { CALLERS, createWorld, type Place, PLACES, type World } from "./world.ts";

/** What is sent in one cell. */
export interface CellRequest {
  /** Below `/api`. */
  path: string;
  body?: unknown;
}

export interface Row {
  /** As the service declares it, below `/api`: `PATCH /organization/:id`. */
  route: string;
  /** What this row is about, when its route has several. */
  about?: string;
  /**
   * Makes what the cell needs, afresh, and the request about it. `caller` is one of
   * {@linkcode CALLERS}.
   */
  request: (
    world: World,
    place: Place,
    caller: string,
  ) => CellRequest | Promise<CellRequest>;
  /**
   * Callers, divided by commas, and what they get at own, same and foreign:
   * `"Viewer, Researcher": "200 401 401"`. `*` stands for all who are not named. Every caller must
   * be in it.
   */
  expect: Record<string, string>;
}

/** A route that needs no access token: what it answers to an empty request. */
export interface OpenRow {
  route: string;
  open: number;
}

/** The first who may do what the row is about, at their own organization. */
function callerWhoMay(row: Row): string {
  const own = (caller: string) => expectations(row).get(caller)![0]!;
  return CALLERS.find((one) => own(one) < 300) ?? CALLERS.find((one) => own(one) !== 401) ?? "Root";
}

function expectations({ route, expect }: Row): Map<string, number[]> {
  const cells = new Map<string, number[]>();
  const columns = Object.entries(expect).flatMap(([names, statuses]) =>
    names.split(",").map((name) => [name.trim(), statuses.split(" ").map(Number)] as const)
  );
  for (const [name, statuses] of columns) {
    assert.ok(name === "*" || CALLERS.includes(name), `${route}: who is "${name}"?`);
    assert.ok(!cells.has(name), `${route}: "${name}" stands there twice`);
    assert.equal(statuses.length, PLACES.length, `${route}: ${name} needs three statuses`);
    cells.set(name, statuses);
  }
  for (const caller of CALLERS) {
    const statuses = cells.get(caller) ?? cells.get("*");
    assert.ok(statuses, `${route}: nothing is expected of ${caller}`);
    cells.set(caller, statuses);
  }
  return cells;
}

/** Registers the tests of a service's table. */
export function testTable(service: HubService, rows: (Row | OpenRow)[]): void {
  let world: World;
  Deno.test.beforeAll(async () => {
    world = await createWorld();
  });
  Deno.test.afterAll(() => world?.hub.stop());

  Deno.test(`${service}: every route has its row in the table`, () => {
    const declared = routesOf(world.hub.apps[service])
      .filter(({ path }) => path.startsWith("/api/"))
      .map(({ method, path }) => `${method} ${path.replace(/^\/api/, "")}`);
    const named = [...new Set(rows.map(({ route }) => route))];
    assert.deepEqual(named.sort(), declared.sort());
  });

  for (const row of rows) {
    const [method, path] = row.route.split(" ") as [string, string];
    if ("open" in row) {
      Deno.test(`${row.route} needs no access token`, async () => {
        const body = method === "GET" ? undefined : {};
        assert.equal((await world.hub.call(method, path, { body })).status, row.open);
      });
      continue;
    }
    const about = row.about ? ` (${row.about})` : "";
    Deno.test(`${row.route}${about}: every role × {own, same collaboration, foreign}`, async () => {
      const expected = expectations(row);
      const wrong: string[] = [];
      for (const caller of CALLERS) {
        for (const [index, place] of PLACES.entries()) {
          if (caller === "a container") await world.newContainer();
          const { path, body } = await row.request(world, place, caller);
          const token = world.tokens[caller];
          const { status, body: answer } = await world.hub.call(method, path, { token, body });
          const wanted = expected.get(caller)![index];
          if (status !== wanted) {
            wrong.push(`${caller}, ${place}: ${status}, not ${wanted} (${answer.msg ?? "done"})`);
          }
        }
      }
      const request = await row.request(world, "own", "Root");
      const { status } = await world.hub.call(method, request.path, { body: request.body });
      if (status !== 401) wrong.push(`without a token: ${status}, not 401`);
      assert.deepEqual(wrong, []);
    });
    if (method === "GET") continue;
    Deno.test(`${row.route}${about}: a right that ends while the body is sent`, async () => {
      const answer = await sendWhileTheRightEnds(world, row, callerWhoMay(row));
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.text, /"code":"unauthenticated"/);
    });
  }
}
