import type { LifeTable } from "../kernels/life_table.ts";
import { countRows, mergeLifeTables } from "../kernels/life_table.ts";
import { chiSquaredAbove } from "./distributions.ts";
import { solveTransposed, triangleOf } from "./triangle.ts";

/** Whether groups survive alike (Mantel 1966). Null where no time has events and two groups. */
export function logRank(groups: LifeTable[]) {
  const all = mergeLifeTables(groups);
  const places = groups.map(({ times }) => new Map(times.map((time, i) => [time, i])));
  const atRisk = groups.map((group) => countRows(group).n);
  const size = groups.length - 1;
  const above = new Array<number>(size).fill(0);
  const variance = above.map(() => above.map(() => 0));
  for (const [i, time] of all.times.entries()) {
    const events = all.events[i]!;
    const n = atRisk.reduce((sum, count) => sum + count, 0);
    if (events > 0) {
      const spread = n > 1 ? events * (n - events) / (n - 1) : 0;
      for (let j = 0; j < size; j++) {
        const share = atRisk[j]! / n;
        above[j]! += (groups[j]!.events[places[j]!.get(time) ?? -1] ?? 0) - events * share;
        for (let k = 0; k < size; k++) {
          variance[j]![k]! += spread * share * ((j === k ? 1 : 0) - atRisk[k]! / n);
        }
      }
    }
    for (const [j, group] of groups.entries()) {
      const place = places[j]!.get(time);
      if (place !== undefined) atRisk[j]! -= group.events[place]! + group.censored[place]!;
    }
  }
  const half = solveTransposed(triangleOf(variance), above);
  const statistic = half.reduce((sum, value) => sum + value * value, 0);
  if (!Number.isFinite(statistic)) return null;
  return { statistic, degrees_of_freedom: size, p: chiSquaredAbove(statistic, size) };
}
