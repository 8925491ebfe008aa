/**
 * All models, in the order in which `db.help()` lists them.
 * @module
 */
import type { Description } from "./description.ts";
import { collaboration } from "./models/collaboration.ts";
import { node } from "./models/node.ts";
import { organization } from "./models/organization.ts";
import { result } from "./models/result.ts";
import { role, rule } from "./models/role.ts";
import { study } from "./models/study.ts";
import { task } from "./models/task.ts";
import { user } from "./models/user.ts";

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
