/**
 * The lines of the picture: the shares of a task, below each the subtasks that it made, with
 * theirs.
 * @module
 */
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import type { Family } from "./family.ts";

export type Line =
  | { is: "run"; run: RunWithTask; depth: number }
  | { is: "task"; task: Task; depth: number };

export function linesOf({ task, tasks, runs }: Family): Line[] {
  const runsOf = Map.groupBy(runs.values(), (run) => run.task.id);
  const children = [...tasks.values()].filter((one) => one.id !== task.id);
  const childrenOf = Map.groupBy(children, madeBy);
  const lines: Line[] = [];
  const shown = new Set<number>();

  function addShares(of: Task, depth: number): void {
    const shares = (runsOf.get(of.id) ?? [])
      .toSorted((one, other) => one.organization.id - other.organization.id);
    for (const run of shares) {
      lines.push({ is: "run", run, depth });
      for (const child of childrenOf.get(`${of.id} ${run.organization.id}`) ?? []) {
        addSubtask(child, depth + 1);
      }
    }
  }

  function addSubtask(child: Task, depth: number): void {
    shown.add(child.id);
    lines.push({ is: "task", task: child, depth });
    addShares(child, depth);
  }

  addShares(task, 0);
  // Made by nobody who has a share; there is no such way, but what there is, is shown.
  for (const child of children) if (!shown.has(child.id)) addSubtask(child, 1);
  return lines;
}

function madeBy({ parent, init_org }: Task): string {
  return `${parent?.id} ${init_org.id}`;
}
