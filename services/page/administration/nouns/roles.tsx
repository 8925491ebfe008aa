import {
  mayOrganization,
  type Principal,
  scopesOf,
} from "../../../../shared/contract/permissions.ts";
import type { Role } from "../../../../shared/contract/role.ts";
import { Show, useAsked } from "../../parts/loading.tsx";
import { Plain } from "../../parts/plain.tsx";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Fact, Facts, RecordLink, Text } from "../facts.tsx";
import {
  type FieldDescription,
  idOf,
  idsOf,
  type OwnControl,
  textOf,
  type Values,
} from "../form_values.ts";
import { holding, organizationNames, organizationOptions } from "../names.ts";
import { type Noun, PER_PAGE } from "../noun.ts";
import { RuleTable } from "../rules.tsx";

const words = administration.nouns.roles;
const labels = words.fields;

type ShownRole = Role & { organizationName: string | undefined; ruleIds: number[] };

async function withNames(roles: Role[], signal: AbortSignal): Promise<ShownRole[]> {
  const ids = roles.flatMap(({ organization }) => organization ? [organization.id] : []);
  const nameOf = await organizationNames(ids, signal);
  return roles.map((role) => ({
    ...role,
    organizationName: role.organization ? nameOf(role.organization.id) : undefined,
    ruleIds: [],
  }));
}

function makesElsewhere(who: Principal): boolean {
  const held = scopesOf(who, "role:CREATE");
  return held.has("GLOBAL") || held.has("COLLABORATION");
}

function fieldsFor(who: Principal, before: readonly number[]): FieldDescription[] {
  return [
    { kind: "text", name: "name", label: labels.name, required: true },
    { kind: "text", name: "description", label: labels.description },
    {
      kind: "own",
      name: "rules",
      label: labels.rules,
      help: administration.rules.beyond,
      Control: (control) => <Rules {...control} who={who} before={before} />,
    },
  ];
}

function Rules({ value, onValue, who, before }: OwnControl & {
  who: Principal;
  before: readonly number[];
}) {
  const asked = useAsked((signal) => client.rules.list({}, { signal }).all(), []);
  const held = Array.isArray(value) ? value : [];
  return (
    <Show asked={asked}>
      {(rules) => (
        <RuleTable
          rules={rules}
          held={held}
          editing={{ who, before, onHeld: onValue }}
        />
      )}
    </Show>
  );
}

function bodyOf(values: Values) {
  return {
    name: textOf(values, "name"),
    description: textOf(values, "description"),
    rules: idsOf(values, "rules"),
  };
}

export const roles: Noun<ShownRole> = {
  path: "roles",
  words,
  isShown: () => may("role:VIEW"),
  titleOf: ({ name }) => name,
  async list({ page, search, signal }) {
    const pattern = holding(search);
    const { items, ...rest } = await client.roles
      .list({ ...(pattern === undefined ? {} : { name: pattern }), sort: "id" }, {
        signal,
        perPage: PER_PAGE,
      }).page(page);
    return { items: await withNames(items, signal), ...rest };
  },
  async get(id, signal) {
    const [[role], rules] = await Promise.all([
      withNames([await client.roles.get(id, { signal })], signal),
      client.rules.list({ role_id: id }, { signal }).all(),
    ]);
    return { ...role!, ruleIds: rules.map((rule) => rule.id) };
  },
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    { label: labels.description, show: ({ description }) => <Text text={description} /> },
    {
      label: labels.organization_id,
      show: (role) => <OrganizationOf role={role} />,
    },
  ],
  create: {
    may: (who) => scopesOf(who, "role:CREATE").size > 0,
    form: (who) => {
      const [name, description, rules] = fieldsFor(who, []);
      return {
        fields: [name!, description!, {
          kind: "choice",
          name: "organization_id",
          label: labels.organization_id,
          required: true,
          isShown: () => makesElsewhere(who),
          options: async (_values, signal) =>
            (await organizationOptions(signal)).filter(({ value }) =>
              mayOrganization(who, "role:CREATE", Number(value))
            ),
        }, rules!],
        initial: { organization_id: String(who.organization_id), rules: [] },
        send: async (values, idempotencyKey) =>
          (await client.roles.create({
            ...bodyOf(values),
            organization_id: idOf(values, "organization_id"),
          }, { idempotencyKey })).id,
      };
    },
  },
  change: {
    may: (who, role) => mayChange(who, "role:EDIT", role),
    form: (who, before) => ({
      fields: fieldsFor(who, before.ruleIds),
      initial: { name: before.name, description: before.description, rules: before.ruleIds },
      async send(values) {
        await client.roles.change(before.id, bodyOf(values));
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, role) => mayChange(who, "role:DELETE", role),
    send: ({ id }, { dependents }) => client.roles.delete(id, { dependents }),
  },
  Details: ({ item }) => {
    const asked = useAsked((signal) => client.rules.list({}, { signal }).all(), []);
    return (
      <>
        <Facts>
          <Fact label={labels.description}>
            <Text text={item.description} />
          </Fact>
          <Fact label={labels.organization_id}>
            {item.organization
              ? (
                <RecordLink
                  path="organizations"
                  id={item.organization.id}
                  name={item.organizationName ?? ""}
                />
              )
              : <OrganizationOf role={item} />}
          </Fact>
        </Facts>
        <section class="card">
          <h2>{labels.rules}</h2>
          <Show asked={asked}>
            {(rules) => <RuleTable rules={rules} held={item.ruleIds} />}
          </Show>
        </section>
      </>
    );
  },
};

function mayChange(who: Principal, permission: "role:EDIT" | "role:DELETE", role: Role): boolean {
  return !role.is_default_role &&
    mayOrganization(who, permission, role.organization?.id ?? null);
}

function OrganizationOf({ role }: { role: ShownRole }) {
  if (role.is_default_role) return <>{words.isDefault}</>;
  return role.organizationName === undefined
    ? <>{words.everybodys}</>
    : <Plain text={role.organizationName} />;
}
