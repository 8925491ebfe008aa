import {
  holdsAtLeast,
  mayOrganization,
  type Principal,
  type RuleName,
  scopesOf,
} from "../../../../shared/contract/permissions.ts";
import type { Role } from "../../../../shared/contract/role.ts";
import type { User } from "../../../../shared/contract/user.ts";
import { useAsked } from "../../parts/loading.tsx";
import { Plain } from "../../parts/plain.tsx";
import { When } from "../../parts/time.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, RecordLink, Text } from "../facts.tsx";
import {
  type FieldDescription,
  idOf,
  idsOf,
  type Option,
  textOf,
  type Values,
} from "../form_values.ts";
import { holding, organizationNames, organizationOptions } from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";
import { ruleWord } from "../rule_words.ts";

const words = administration.nouns.users;
const labels = words.fields;

type ShownUser = User & { organizationName: string };

async function withNames(users: User[], signal: AbortSignal): Promise<ShownUser[]> {
  const nameOf = await organizationNames(users.map((one) => one.organization.id), signal);
  return users.map((one) => ({ ...one, organizationName: nameOf(one.organization.id) }));
}

/**
 * The roles that users of an organization can have; which of them the asker may not give, and why.
 */
async function roleOptions(
  who: Principal,
  organizationId: number,
  signal: AbortSignal,
): Promise<Option[]> {
  const mayAsk = mayOrganization(who, "role:VIEW", organizationId);
  const filters = mayAsk
    ? { organization_id: [organizationId], include_root: true }
    : { include_root: true };
  const roles = await client.roles.list(filters, { signal }).all();
  return await Promise.all(
    roles.filter((role) => isForPeople(role) && isOf(role, organizationId)).map(async (role) => {
      const rules = await client.rules.list({ role_id: role.id }, { signal }).all();
      const missing = rules.filter((rule) =>
        !holdsAtLeast(who, `${rule.name}:${rule.operation}:${rule.scope}` as RuleName)
      );
      return {
        value: String(role.id),
        text: role.name,
        why: missing.length > 0 ? words.notYours(missing.slice(0, 3).map(ruleWord)) : undefined,
      };
    }),
  );
}

/** Not what the hub gives nodes and the algorithms that they run. */
function isForPeople({ is_default_role, name }: Role): boolean {
  return !(is_default_role && ["container", "node"].includes(name));
}

function isOf({ organization }: Role, organizationId: number): boolean {
  return organization === null || organization.id === organizationId;
}

const PERSON: FieldDescription[] = [
  { kind: "text", name: "firstname", label: labels.firstname },
  { kind: "text", name: "lastname", label: labels.lastname },
  { kind: "text", name: "email", label: labels.email, type: "email", required: true },
];

function personOf(values: Values) {
  return {
    firstname: textOf(values, "firstname"),
    lastname: textOf(values, "lastname"),
    email: textOf(values, "email"),
  };
}

function isSelf(who: Principal, { id }: User): boolean {
  return who.kind === "user" && who.id === id;
}

/** Where somebody may make users: their own organization, or others too. */
function makesElsewhere(who: Principal): boolean {
  const held = scopesOf(who, "user:CREATE");
  return held.has("GLOBAL") || held.has("COLLABORATION");
}

export const users: Noun<ShownUser> = {
  path: "users",
  words,
  isShown: () => may("user:VIEW"),
  titleOf: ({ username }) => username,
  async list({ page, search, filters, signal }) {
    const { items, ...rest } = await client.users.list({
      username: holding(search),
      organization_id: filters.organization_id,
      sort: "username",
    }, { signal, perPage: PER_PAGE }).page(page);
    return { items: await withNames(items, signal), ...rest };
  },
  async get(id, signal) {
    const [user] = await withNames(
      [await client.users.get(id, { permissions: true, signal })],
      signal,
    );
    return user!;
  },
  columns: [
    { label: labels.username, show: ({ username }) => <Plain text={username} /> },
    {
      label: words.person,
      show: ({ firstname, lastname }) => (
        <Text text={`${firstname ?? ""} ${lastname ?? ""}`.trim()} />
      ),
    },
    { label: labels.email, show: ({ email }) => <Text text={email} /> },
    {
      label: labels.organization_id,
      show: ({ organizationName }) => <Plain text={organizationName} />,
    },
    { label: words.lastSeen, show: ({ last_seen }) => <When at={last_seen} /> },
  ],
  filters: [{
    kind: "choice",
    name: "organization_id",
    label: labels.organization_id,
    options: async (_values, signal) => [
      { value: "", text: administration.list.all },
      ...await organizationOptions(signal),
    ],
  }],
  create: {
    may: (who) => scopesOf(who, "user:CREATE").size > 0,
    form: (who) => ({
      fields: [
        { kind: "text", name: "username", label: labels.username, required: true },
        { kind: "new password", name: "password", label: labels.password },
        ...PERSON,
        {
          kind: "choice",
          name: "organization_id",
          label: labels.organization_id,
          required: true,
          isShown: () => makesElsewhere(who),
          options: async (_values, signal) =>
            (await organizationOptions(signal)).filter(({ value }) =>
              mayOrganization(who, "user:CREATE", Number(value))
            ),
        },
        {
          kind: "choices",
          name: "roles",
          label: labels.roles,
          help: words.rolesHelp,
          dependsOn: ["organization_id"],
          options: (values, signal) =>
            roleOptions(who, idOf(values, "organization_id") ?? who.organization_id, signal),
        },
      ],
      initial: { organization_id: String(who.organization_id) },
      send: async (values, idempotencyKey) =>
        (await client.users.create({
          ...personOf(values),
          username: textOf(values, "username"),
          password: textOf(values, "password"),
          organization_id: idOf(values, "organization_id"),
          roles: idsOf(values, "roles"),
        }, { idempotencyKey })).id,
    }),
  },
  change: {
    may: (who, item) =>
      (isSelf(who, item) && who.rules.includes("user:EDIT:OWN")) ||
      mayOrganization(who, "user:EDIT", item.organization.id),
    form: (who, before) => ({
      fields: [
        ...PERSON,
        {
          kind: "text",
          name: "current_password",
          label: labels.current_password,
          help: words.currentPasswordHelp,
          type: "password",
          autoComplete: "current-password",
          isShown: (values) =>
            isSelf(who, before) && textOf(values, "email") !== (before.email ?? ""),
        },
        {
          kind: "choices",
          name: "roles",
          label: labels.roles,
          help: words.rolesHelp,
          isShown: () => !isSelf(who, before),
          options: (_values, signal) => roleOptions(who, before.organization.id, signal),
        },
      ],
      initial: {
        firstname: before.firstname ?? "",
        lastname: before.lastname ?? "",
        email: before.email ?? "",
        roles: before.permissions?.roles ?? [],
      },
      async send(values) {
        const roles = idsOf(values, "roles");
        const had = before.permissions?.roles ?? [];
        const isChanged = roles.length !== had.length || roles.some((id) => !had.includes(id));
        const password = textOf(values, "current_password");
        await client.users.change(before.id, {
          ...personOf(values),
          ...(isChanged ? { roles } : {}),
          ...(password === "" ? {} : { current_password: password }),
        });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, item) =>
      !isSelf(who, item) && mayOrganization(who, "user:DELETE", item.organization.id),
    send: ({ id }, { dependents }) => client.users.delete(id, { dependents }),
  },
  Details: ({ item }) => (
    <>
      <Facts>
        <Fact label={words.person}>
          <Text text={`${item.firstname ?? ""} ${item.lastname ?? ""}`.trim()} />
        </Fact>
        <Fact label={labels.email}>
          <Text text={item.email} />
        </Fact>
        <Fact label={labels.organization_id}>
          <RecordLink path="organizations" id={item.organization.id} name={item.organizationName} />
        </Fact>
        <Fact label={words.lastSeen}>
          <When at={item.last_seen} />
        </Fact>
      </Facts>
      <RolesOf id={item.id} />
    </>
  ),
};

/** Nothing where the reader may not see them: the hub says so. */
function RolesOf({ id }: { id: number }) {
  const asked = useAsked((signal) => client.roles.list({ user_id: id }, { signal }).all(), [id]);
  if (!asked.value) return null;
  return (
    <section class="card">
      <h2>{labels.roles}</h2>
      {asked.value.length === 0 && <p>{words.noRoles}</p>}
      <ul class="members">
        {asked.value.map(({ id, name }) => (
          <li key={id}>
            <RecordLink path="roles" id={id} name={name} />
          </li>
        ))}
      </ul>
    </section>
  );
}
