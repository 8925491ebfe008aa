/**
 * All models, in the order in which `db.help()` lists them.
 * @module
 */
import { collaboration } from "./collaboration.ts";
import type { Description } from "./description.ts";
import { node } from "./node.ts";
import { organization } from "./organization.ts";
import { result } from "./result.ts";
import { role } from "./role.ts";
import { rule } from "./rule.ts";
import { study } from "./study.ts";
import { task } from "./task.ts";
import { user } from "./user.ts";

export const DESCRIPTIONS: readonly Description[] = [
  organization,
  user,
  role,
  rule,
  collaboration,
  study,
  node,
  task,
  result,
];
