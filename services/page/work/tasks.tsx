/**
 * The tasks that one may see, with how far each organization is.
 * @module
 */
import type { Task } from "../../../shared/contract/task.ts";
import { named } from "../parts/visible.ts";
import { useLive } from "../live/use_live.ts";
import { collaborationNames, organizationNames } from "../names/names.ts";
import { Show } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { StatusMark } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { place, to, withQuery } from "../routes.ts";
import { client, may, me } from "../session/session.ts";
import { texts } from "../texts.ts";
import { FilterForm } from "./filter_form.tsx";
import { apiFilters, areUsual, readFilters, type WorkFilters, writeFilters } from "./filters.ts";
import { Shares } from "./shares.tsx";
import { foldPage, isPageStale, type WorkPage } from "./work_page.ts";

const words = texts.work;
const PER_PAGE = 50;
/** Beside what a person asks for, no more often than this, whatever happens at the hub. */
const PAUSE_MS = 2000;

export function Screen() {
  const filters = readFilters(place.value.query);
  const asked = useLive<WorkPage>({
    ask: (signal) => askForPage(filters, signal),
    fold: (page, events) => foldPage(page, events, filters),
    isStale: (_, events) => isPageStale(events, filters),
    pauseMs: PAUSE_MS,
    inputs: [JSON.stringify(filters)],
  });
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <FilterForm filters={filters} />
      <Show asked={asked}>
        {(page) => <TaskTable page={page} filters={filters} />}
      </Show>
    </>
  );
}

async function askForPage(filters: WorkFilters, signal: AbortSignal): Promise<WorkPage> {
  const who = me.value as { id: number };
  const list = client.tasks.list({
    ...apiFilters(filters, who.id),
    sort: "-id",
    ...(may("run:VIEW") ? { include: "shares" } : {}),
  }, { signal, perPage: PER_PAGE });
  const { items, pages, total } = await list.page(filters.page);
  return { tasks: items, pages, total, came: 0 };
}

function TaskTable({ page, filters }: { page: WorkPage; filters: WorkFilters }) {
  const { tasks, came } = page;
  const isFirst = filters.page === 1;
  return (
    <>
      <div role="status">
        {came > 0 && !isFirst && (
          <p class="notice">
            {words.came(came)}{" "}
            <a href={withQuery(writeFilters({ ...filters, page: 1 }))}>{words.showNew}</a>
          </p>
        )}
        {tasks.length === 0 && (
          <p>{areUsual(filters) && isFirst ? words.nothingYet : words.nothing}</p>
        )}
      </div>
      {tasks.length > 0 && (
        <div class="scroll card tasks" tabIndex={0} role="region" aria-label={words.caption}>
          <table>
            <caption class="unseen">{words.caption}</caption>
            <thead>
              <tr>
                <th scope="col">{words.task}</th>
                <th scope="col">{words.status}</th>
                <th scope="col">{words.organizations}</th>
                <th scope="col" class="wide">{words.collaboration}</th>
                <th scope="col" class="wide">{words.begun}</th>
              </tr>
            </thead>
            <tbody>
              {tasks.map((task) => <Row key={task.id} task={task} />)}
            </tbody>
          </table>
        </div>
      )}
      <Pages of={page} filters={filters} />
    </>
  );
}

/**
 * Drawn again only when its task is another object, or names have come: components that read
 * signals are left alone while their properties stay the same.
 */
function Row({ task }: { task: Task }) {
  return (
    <tr>
      <th scope="row">
        <a href={to("tasks", task.id)}>
          <Plain text={named(task.name, texts.names.task(task.id))} />
        </a>
        <span class="below">
          <span class="mono">
            <Plain text={task.image} />
          </span>{" "}
          <span class="narrow">
            <When at={task.created_at} />
          </span>
        </span>
      </th>
      <td>
        <StatusMark status={task.status} />
      </td>
      <td>{task.shares && <Shares shares={task.shares} />}</td>
      <td class="wide">
        <Plain text={collaborationNames.of(task.collaboration.id)} />
      </td>
      <td class="wide">
        <When at={task.created_at} />
        <span class="below">
          <Plain text={organizationNames.of(task.init_org.id)} />
        </span>
      </td>
    </tr>
  );
}

function Pages({ of: { pages, total }, filters }: { of: WorkPage; filters: WorkFilters }) {
  const { page } = filters;
  if (pages <= 1 && page === 1) {
    return total > 0 ? <p class="quiet">{texts.parts.inAll(total)}</p> : null;
  }
  const at = (number: number) => withQuery(writeFilters({ ...filters, page: number }));
  return (
    <div class="buttons" role="group" aria-label={words.pages}>
      {page > 1 && <a class="button" href={at(page - 1)}>{words.newer}</a>}
      <span>{texts.parts.pageOf({ page, pages, total })}</span>
      {page < pages && <a class="button" href={at(page + 1)}>{words.older}</a>}
    </div>
  );
}
