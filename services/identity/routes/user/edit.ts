import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import {
  demand,
  holdsAtLeast,
  mayOrganization,
  type Principal,
} from "../../../../shared/contract/permissions.ts";
import { user, userChanges } from "../../../../shared/contract/user.ts";
import { body, found, pathId } from "../../../../shared/contract/validate.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import type { Tx } from "../../../../shared/storage/db.ts";
import { logInRefused } from "../../accounts/accounts.ts";
import { updateUser } from "../../changes/user.ts";
import type { IdentityDeps } from "../../deps.ts";
import { worksInOtherCollaborations } from "../../rights/other_collaborations.ts";
import {
  changedIds,
  isSelf,
  requireHoldsAll,
  requireMayGive,
  requireOwnRoles,
  rulesToGive,
} from "../../rules.ts";
import { showUser } from "../../show.ts";
import { rolesByIds } from "../../store/role.ts";
import { ruleNamesByIds, ruleNamesOfRoles, ruleNamesOfUser, rulesByIds } from "../../store/rule.ts";
import type { LoginRow } from "../../store/account.ts";
import {
  lockUser,
  roleIdsOfUser,
  ruleIdsOfUser,
  userById,
  type UserRow,
} from "../../store/user.ts";

export function editUser(
  app: Hono<AppEnv>,
  { db, outbox, ask, accounts }: IdentityDeps,
): void {
  app.patch(
    "/user/:id",
    allow(["user"], "user:EDIT"),
    body(userChanges),
    answers(user, {
      does: "Changes what is given; `roles` and `rules` replace those there were. Nobody changes " +
        "their own, or gives or takes what they do not hold themselves. One's own e-mail address is " +
        "changed with `current_password` only: whoever reads its mail can recover the account.",
    }),
    async function editUser(c) {
      const principal = c.get("principal");
      const id = pathId(c.req.param("id"));
      const before = found(await userById(db, id), "user", id);
      const self = isSelf(principal, id);
      const allowed = (self && principal.rules.includes("user:EDIT:OWN")) ||
        mayOrganization(principal, "user:EDIT", before.organization_id);
      demand(allowed, `edit user ${id}`);
      const { username, firstname, lastname, email, current_password, roles, rules } = c.req
        .valid("json");
      if (!self && username !== undefined && username !== before.username) {
        throw new SextantError("invalid_request", "Only users themselves may change a user name.");
      }
      if (self && (roles || rules)) {
        throw new SextantError("forbidden", "You cannot change your own roles and rules.");
      }
      const newAddress = email !== undefined && email !== before.email;
      const proven = self && newAddress
        ? await demandPassword(accounts, id, current_password)
        : undefined;
      const worksInOthers = (newAddress || roles !== undefined || rules !== undefined) &&
        await worksInOtherCollaborations(ask, principal, before.organization_id);
      const row = await outbox.change(async (change) => {
        // What is decided on here must not be changed by another request meanwhile.
        found(await lockUser(change.tx, id), "user", id);
        if (proven) await accounts.demandStillProven(change.tx, proven);
        const wanted = { roles, rules };
        if (roles || rules) {
          await requireMayGrant(change.tx, { principal, user: before, wanted, worksInOthers });
        }
        const held = rulesToGive(principal, await ruleNamesOfUser(change.tx, id), {
          organizationId: before.organization_id,
          worksInOthers,
        });
        // Whoever reads the mail can recover the account: an address set by somebody with fewer
        // rights is not trusted.
        const recoverable = self || held.every((rule) => holdsAtLeast(principal, rule));
        return await updateUser(change, id, {
          username,
          firstname,
          lastname,
          email,
          ...wanted,
          ...(newAddress ? { recoverable } : {}),
        });
      });
      return c.json(showUser(row));
    },
  );
}

/**
 * A token that was stolen must not become the account: its owner alone can change where mail goes.
 */
async function demandPassword(
  accounts: IdentityDeps["accounts"],
  id: number,
  password: string | undefined,
): Promise<LoginRow> {
  if (password === undefined) {
    throw new SextantError(
      "invalid_request",
      "Cannot change your e-mail address without your password, because whoever reads its mail can " +
        "recover the account. Send the password along as current_password, in PATCH /api/user/" +
        `${id}; a client that cannot do so (v6's is one) leaves it to an administrator.`,
    );
  }
  const user = await accounts.checkPassword({ id }, password);
  if (!user) throw logInRefused();
  return user;
}

interface Granting {
  principal: Principal;
  user: UserRow;
  wanted: { roles: number[] | undefined; rules: number[] | undefined };
  /** Whether the user's organization works in collaborations that the caller's does not. */
  worksInOthers: boolean;
}

/** Throws unless the caller may turn the present roles and rules of a user into the wanted ones. */
async function requireMayGrant(
  tx: Tx,
  { principal, user, wanted, worksInOthers }: Granting,
): Promise<void> {
  const { roles = [], rules = [] } = wanted;
  const knownRoles = await rolesByIds(tx, roles);
  requireKnown("role", roles, knownRoles);
  requireKnown("rule", rules, await rulesByIds(tx, rules));
  requireOwnRoles(knownRoles, user.organization_id);
  const before = {
    roles: await roleIdsOfUser(tx, user.id),
    rules: await ruleIdsOfUser(tx, user.id),
  };
  requireHoldsAll(principal, [
    ...await ruleNamesOfRoles(tx, wanted.roles ? changedIds(before.roles, roles) : []),
    ...await ruleNamesByIds(tx, wanted.rules ? changedIds(before.rules, rules) : []),
  ]);
  const added = [
    ...await ruleNamesOfRoles(tx, roles.filter((id) => !before.roles.includes(id))),
    ...await ruleNamesByIds(tx, rules.filter((id) => !before.rules.includes(id))),
  ];
  requireMayGive(principal, {
    rules: added,
    organizationId: user.organization_id,
    worksInOthers,
  });
}

function requireKnown(noun: string, given: number[], known: { id: number }[]): void {
  const missing = given.find((id) => !known.some((row) => row.id === id));
  if (missing !== undefined) found(undefined, noun, missing);
}
