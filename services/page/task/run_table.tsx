/**
 * What the picture shows, as a table; a page of it at a time.
 * @module
 */
import { useState } from "preact/hooks";
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { organizationNames } from "../names/names.ts";
import { durationText, momentOf } from "../parts/moment.ts";
import { Plain } from "../parts/plain.tsx";
import { StatusMark } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { named, visible } from "../parts/visible.ts";
import { texts } from "../texts.ts";
import type { Family } from "./family.ts";

const words = texts.task;
const PER_PAGE = 50;

interface RunTableProps {
  runs: readonly RunWithTask[];
  family: Family;
  now: number;
  openLog: (runId: number) => void;
}

export function RunTable({ runs, family, now, openLog }: RunTableProps) {
  const [wanted, setPage] = useState(1);
  const pages = Math.max(1, Math.ceil(runs.length / PER_PAGE));
  const page = Math.min(wanted, pages);
  const hasSubtasks = family.tasks.size > 1;
  return (
    <>
      <div class="scroll run-table" tabIndex={0} role="region" aria-label={words.tableCaption}>
        <table>
          <caption class="unseen">{words.tableCaption}</caption>
          <thead>
            <tr>
              <th scope="col">{words.organization}</th>
              {hasSubtasks && <th scope="col">{texts.work.task}</th>}
              <th scope="col">{words.status}</th>
              <th scope="col" class="number">{words.attempts}</th>
              <th scope="col">{words.assigned}</th>
              <th scope="col">{words.started}</th>
              <th scope="col">{words.ended}</th>
              <th scope="col" class="number">{words.took}</th>
              <th scope="col">{words.node}</th>
              <th scope="col">{words.log}</th>
            </tr>
          </thead>
          <tbody>
            {runs.slice((page - 1) * PER_PAGE, page * PER_PAGE).map((run) => (
              <tr key={run.id}>
                <th scope="row">
                  <Plain text={organizationNames.of(run.organization.id)} />
                </th>
                {hasSubtasks && (
                  <td>
                    <Plain
                      text={named(family.tasks.get(run.task.id)?.name ?? "", String(run.task.id))}
                    />
                  </td>
                )}
                <td>
                  <StatusMark status={run.status} />
                  {run.held_since && (
                    <>
                      , {words.held} {words.since} <When at={run.held_since} />
                    </>
                  )}
                </td>
                <td class="number">{run.attempt}</td>
                <td>
                  <When at={run.assigned_at} />
                </td>
                <td>
                  <When at={run.started_at} />
                </td>
                <td>
                  <When at={run.finished_at} />
                </td>
                <td class="number">{tookText(run, now)}</td>
                <td>
                  <Plain text={run.node.name ?? texts.parts.never} />
                </td>
                <td>
                  <button
                    type="button"
                    aria-label={`${words.logOf} ${
                      visible(organizationNames.of(run.organization.id))
                    }`}
                    onClick={() => openLog(run.id)}
                  >
                    {words.openLog}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 && (
        <div class="buttons">
          <button type="button" disabled={page === 1} onClick={() => setPage(page - 1)}>
            {words.before}
          </button>
          <span>{texts.parts.pageOf({ page, pages, total: runs.length })}</span>
          <button type="button" disabled={page === pages} onClick={() => setPage(page + 1)}>
            {words.next}
          </button>
        </div>
      )}
    </>
  );
}

function tookText({ started_at, finished_at }: RunWithTask, now: number): string {
  if (!started_at) return texts.parts.never;
  return durationText((finished_at ? momentOf(finished_at) : now) - momentOf(started_at));
}
