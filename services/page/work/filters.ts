/**
 * The filters of the list of tasks, as they stand in the address and as the API takes them.
 * @module
 */

export interface WorkFilters {
  search: string;
  status: string;
  /** An id; empty for all. */
  collaboration: string;
  ownOnly: boolean;
  /** Days, `2026-03-24`, in the reader's zone; empty where there is no bound. */
  from: string;
  till: string;
  subtasks: boolean;
  page: number;
}

export function readFilters(query: URLSearchParams): WorkFilters {
  const text = (name: string) => query.get(name) ?? "";
  const matching = (name: string, form: RegExp) => form.test(text(name)) ? text(name) : "";
  return {
    search: text("search"),
    status: text("status"),
    collaboration: matching("collaboration", /^\d{1,9}$/),
    ownOnly: text("whose") === "own",
    from: matching("from", DAY),
    till: matching("till", DAY),
    subtasks: text("subtasks") === "yes",
    page: Number(matching("page", /^[1-9]\d{0,6}$/) || 1),
  };
}

/** For `withQuery`: what is as usual is left out. */
export function writeFilters(filters: WorkFilters): Record<string, string | undefined> {
  return {
    search: filters.search,
    status: filters.status,
    collaboration: filters.collaboration,
    whose: filters.ownOnly ? "own" : undefined,
    from: filters.from,
    till: filters.till,
    subtasks: filters.subtasks ? "yes" : undefined,
    page: filters.page > 1 ? String(filters.page) : undefined,
  };
}

/** As `GET /task` takes them; `userId` is the reader's. */
export function apiFilters(filters: WorkFilters, userId: number) {
  const { search, status, collaboration, ownOnly, from, till, subtasks } = filters;
  return {
    ...(search ? { search } : {}),
    ...(status ? { status } : {}),
    ...(collaboration ? { collaboration_id: Number(collaboration) } : {}),
    ...(ownOnly ? { init_user_id: userId } : {}),
    ...(from ? { created_from: startOfDay(from).toISOString() } : {}),
    ...(till ? { created_till: new Date(startOfDay(till, 1).getTime() - 1).toISOString() } : {}),
    ...(subtasks ? {} : { is_user_created: 1 }),
  };
}

export function areUsual(filters: WorkFilters): boolean {
  const { page: _, ...rest } = filters;
  return Object.values(rest).every((value) => value === "" || value === false);
}

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

function startOfDay(day: string, later = 0): Date {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year!, month! - 1, date! + later);
}
