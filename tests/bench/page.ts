import type { Page } from "playwright-core";
import { subjects } from "../../shared/broker/subjects.ts";
import { logIn, noBrowser, startBrowser } from "../support/browser.ts";
import type { Site } from "../site.ts";
import type { TestStack } from "../harness.ts";
import { connectAsTask, openTaskDatabase, trustOf } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { makeNodes, postToAll } from "./fan_out.ts";
import { percentile, report } from "./measure.ts";

const NODES = 1_000;
const TASKS = 10_000;
const EVENTS_PER_SECOND = 200;
const SECONDS = 10;
/** The promises. */
const GOAL = { firstContentMs: 1_000, framesPerSecond: 30, firstViewKiB: 150, stallMs: 100 };

/**
 * The page of a hub with 1,000 nodes and 10,000 tasks, in a real browser: until the list is there,
 * while a task over all of them scrolls, and while 200 events come each second. The floor is an
 * empty document of the same gateway in the same browser.
 */
export async function benchPage({ stack, quick }: BenchContext): Promise<void> {
  if (noBrowser) {
    console.log("page: there is no Chromium here (apt install chromium), so nothing is measured");
    return;
  }
  const nodes = quick ? NODES / 10 : NODES;
  const { site, nodes: made } = await makeNodes(stack, nodes);
  await addTasks(stack, site, quick ? TASKS / 10 : TASKS);
  const task = await postToAll(site, made);
  const browser = await startBrowser();
  try {
    const { page } = await browser.open(stack.gatewayUrl);
    await logIn(page, site.login);
    await page.getByRole("heading", { name: "Work" }).waitFor();
    report("the first view", {
      "KiB transferred": await transferred(page) / 1024,
      "goal KiB": GOAL.firstViewKiB,
    });
    await measureList(page, stack.gatewayUrl);
    await page.evaluate((id) => location.hash = `#/tasks/${id}`, task.id);
    await page.locator(".line-window").waitFor();
    const frames = await framesWhileScrolling(page);
    report(`a task over ${nodes.toLocaleString("en")} organizations scrolls`, {
      "frames/s": frames,
      "frames/s of an idle page": await framesPerSecond(page),
      "goal frames/s": GOAL.framesPerSecond,
    });
    await measureEvents(page, { stack, site, taskId: task.id });
  } finally {
    await browser.close();
  }
}

/** Tasks that are over, each with one result. */
async function addTasks(stack: TestStack, site: Site, count: number): Promise<void> {
  const sql = openTaskDatabase(stack, 1);
  const [member] = site.members;
  const { id } = (await site.admin.get(`/user?username=${site.login.username}`)).data[0];
  await sql.begin(async (tx) => {
    await tx`
      insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      select 'page ' || n, '', 'deno:slow@1.0.0', nextval('run_id_seq'), ${site.collaborationId},
        ${member!.id}, ${id} from generate_series(1, ${count}::int) n`;
    await tx`
      insert into result (task_id, organization_id, node_id, status, input, result, log,
        started_at, finished_at)
      select id, ${member!.id}, ${member!.nodeId}, 'completed', 'e30=', 'e30=', '', now(), now()
      from task where not exists (select from result where task_id = task.id)`;
  });
  await sql`vacuum analyze`;
  await sql.end();
}

/** Bytes that came over the wire since the document was opened. */
function transferred(page: Page): Promise<number> {
  return page.evaluate(`
    [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")]
      .reduce((sum, { transferSize }) => sum + transferSize, 0)`);
}

async function measureList(page: Page, url: string): Promise<void> {
  const samples: number[] = [];
  const floor: number[] = [];
  for (let n = 0; n < 5; n++) {
    let began = performance.now();
    await page.goto(`${url}/api/version`);
    floor.push(performance.now() - began);
    began = performance.now();
    await page.goto(`${url}/#/tasks`);
    await page.locator("main").getByRole("link", { name: /page \d+/ }).first().waitFor();
    samples.push(performance.now() - began);
  }
  report("reload of the list of tasks, to its first row", {
    "p50 ms": percentile(samples, 0.5),
    "document alone p50 ms": percentile(floor, 0.5),
    "goal ms": GOAL.firstContentMs,
  });
}

/** The picture of the task is scrolled from its top to its bottom, and again. */
function framesWhileScrolling(page: Page): Promise<number> {
  return framesPerSecond(
    page,
    `const area = document.querySelector(".line-window");
    area.scrollTop = (area.scrollTop + 60) % Math.max(1, area.scrollHeight - area.clientHeight);`,
  );
}

/** The frames that the browser draws in five seconds, each after `work`: code of the page. */
function framesPerSecond(page: Page, work = ""): Promise<number> {
  return page.evaluate(`(async () => {
    const began = performance.now();
    let frames = 0;
    for (; performance.now() - began < 5000; frames++) {
      await new Promise(requestAnimationFrame);
      ${work}
    }
    return frames / 5;
  })()`);
}

/** Statuses of the task's results, told by the broker as the task service tells them. */
async function measureEvents(
  page: Page,
  { stack, site, taskId }: { stack: TestStack; site: Site; taskId: number },
): Promise<void> {
  const sql = openTaskDatabase(stack, 1);
  const results = await sql<{ id: number; organization_id: number; job_id: number }[]>`
    select result.id, organization_id, job_id from result join task on task.id = task_id
    where task_id = ${taskId}`;
  const { id: userId } = (await site.admin.get(`/user?username=${site.login.username}`)).data[0];
  await sql.end();
  const nc = await connectAsTask(stack.natsUrl, await trustOf(stack));
  await page.evaluate(() => {
    const stalls: number[] = [];
    Object.assign(globalThis, { stalls });
    new PerformanceObserver((list) =>
      stalls.push(...list.getEntries().map(({ duration }) => duration))
    ).observe({ type: "longtask" });
  });
  let seen = 0;
  for (let second = 0; second < SECONDS; second++) {
    const next = new Promise((resolve) => setTimeout(resolve, 1000));
    for (let n = 0; n < EVENTS_PER_SECOND; n++) {
      const one = results[(second * EVENTS_PER_SECOND + n) % results.length]!;
      nc.publish(
        subjects.event("result", "status"),
        JSON.stringify({
          at: new Date().toISOString(),
          data: {
            result_id: one.id,
            task_id: taskId,
            run_id: one.job_id,
            parent_id: null,
            collaboration_id: site.collaborationId,
            organization_id: one.organization_id,
            init_org_id: site.members[0]!.id,
            init_user_id: userId,
            status: "active",
            task_status: "active",
            attempt: 1,
          },
        }),
      );
    }
    await next;
    // The hub, when it is asked again, knows nothing of what was told here.
    const buttons = await page.locator("main button").allTextContents();
    if (buttons.some((text) => /active/.test(text))) seen++;
  }
  const stalls: number[] = await page.evaluate(() => (globalThis as { stalls?: number[] }).stalls!);
  report(`${EVENTS_PER_SECOND} events a second for ${SECONDS} s`, {
    "seconds in which the page showed them": seen,
    "longest stall ms": Math.max(0, ...stalls),
    "stalls above 50 ms": stalls.length,
    "goal ms": GOAL.stallMs,
  });
  await nc.close();
}
