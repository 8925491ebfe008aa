import { useEffect, useState } from "preact/hooks";
import type { Node } from "../../../../shared/contract/node.ts";
import { type Principal, scopesOf } from "../../../../shared/contract/permissions.ts";
import { mayNode, type NodePlace } from "../../../../shared/contract/place_permissions.ts";
import { Plain } from "../../parts/plain.tsx";
import { When } from "../../parts/time.tsx";
import { visible } from "../../parts/visible.ts";
import { client, may } from "../../session/session.ts";
import { administration } from "../../texts/administration.ts";
import { Confirm } from "../confirm.tsx";
import { Fact, Facts, RecordLink, Text } from "../facts.tsx";
import { type FieldDescription, givenText, idOf, textOf } from "../form_values.ts";
import {
  collaborationNames,
  collaborationOptions,
  holding,
  membersOf,
  optionsOf,
  organizationNames,
  organizationOptions,
} from "../names.ts";
import { NewKey } from "../new_key.tsx";
import { type Noun, PER_PAGE } from "../noun.ts";
import { Presence } from "../presence.tsx";
import { usePresence } from "../use_presence.ts";

const words = administration.nouns.nodes;
const labels = words.fields;

type ShownNode = Node & { organizationName: string; collaborationName: string };

async function withNames(nodes: Node[], signal: AbortSignal): Promise<ShownNode[]> {
  const [organization, collaboration] = await Promise.all([
    organizationNames(nodes.map((node) => node.organization.id), signal),
    collaborationNames(signal),
  ]);
  return nodes.map((node) => ({
    ...node,
    organizationName: organization(node.organization.id),
    collaborationName: collaboration(node.collaboration.id),
  }));
}

function placeOf({ organization, collaboration }: Node): NodePlace {
  return { organization_id: organization.id, collaboration_id: collaboration.id };
}

function choice(
  name: "organization_id" | "collaboration_id",
  options: (signal: AbortSignal) => Promise<{ value: string; text: string }[]>,
): FieldDescription {
  return {
    kind: "choice",
    name,
    label: labels[name],
    options: async (_values, signal) => [
      { value: "", text: administration.list.all },
      ...await options(signal),
    ],
  };
}

/** The members of a collaboration for which somebody may make a node. */
async function organizationsFor(
  who: Principal,
  collaboration_id: number | undefined,
  signal: AbortSignal,
) {
  if (collaboration_id === undefined) return [];
  const one = await client.collaborations.get(collaboration_id, { organizations: true, signal });
  return optionsOf(
    membersOf(one).filter(({ id }) =>
      mayNode(who, "node:CREATE", { organization_id: id, collaboration_id })
    ),
  );
}

export const nodes: Noun<ShownNode> = {
  path: "nodes",
  words,
  isShown: () => may("node:VIEW"),
  titleOf: ({ name }) => name,
  async list({ page, search, filters, signal }) {
    const { items, ...rest } = await client.nodes.list({
      name: holding(search),
      organization_id: filters.organization_id,
      collaboration_id: filters.collaboration_id,
      status: filters.status,
      sort: "name",
    }, { signal, perPage: PER_PAGE }).page(page);
    return { items: await withNames(items, signal), ...rest };
  },
  async get(id, signal) {
    return (await withNames([await client.nodes.get(id, { signal })], signal))[0]!;
  },
  useChanges({ items, set, again }) {
    usePresence(
      (told) => set(items.map((node) => ({ ...node, status: told.get(node.id) ?? node.status }))),
      again,
    );
  },
  columns: [
    { label: labels.name, show: ({ name }) => <Plain text={name} /> },
    { label: words.status, show: ({ status }) => <Presence status={status} /> },
    {
      label: labels.organization_id,
      show: ({ organizationName }) => <Plain text={organizationName} />,
    },
    {
      label: labels.collaboration_id,
      show: ({ collaborationName }) => <Plain text={collaborationName} />,
    },
    { label: words.lastSeen, show: ({ last_seen }) => <When at={last_seen} /> },
  ],
  filters: [
    choice("organization_id", organizationOptions),
    choice("collaboration_id", collaborationOptions),
    {
      kind: "choice",
      name: "status",
      label: words.status,
      options: [
        { value: "", text: administration.list.all },
        { value: "online", text: words.online },
        { value: "offline", text: words.offline },
      ],
    },
  ],
  create: {
    may: (who) => scopesOf(who, "node:CREATE").size > 0,
    form: (who) => ({
      fields: [
        {
          kind: "choice",
          name: "collaboration_id",
          label: labels.collaboration_id,
          required: true,
          options: (_values, signal) => collaborationOptions(signal),
        },
        {
          kind: "choice",
          name: "organization_id",
          label: labels.organization_id,
          required: true,
          dependsOn: ["collaboration_id"],
          options: (values, signal) =>
            organizationsFor(who, idOf(values, "collaboration_id"), signal),
        },
        { kind: "text", name: "name", label: labels.name, help: words.nameHelp },
      ],
      initial: {},
      async send(values, idempotencyKey) {
        const { id, name, api_key } = await client.nodes.create({
          collaboration_id: idOf(values, "collaboration_id")!,
          organization_id: idOf(values, "organization_id"),
          name: givenText(values, "name"),
        }, { idempotencyKey });
        return { id, show: (done) => <NewKey name={name} apiKey={api_key} onDone={done} /> };
      },
    }),
  },
  change: {
    may: (who, node) => mayNode(who, "node:EDIT", placeOf(node)),
    form: (_who, before) => ({
      fields: [{ kind: "text", name: "name", label: labels.name, required: true }],
      initial: { name: before.name },
      async send(values) {
        await client.nodes.change(before.id, { name: textOf(values, "name") });
        return before.id;
      },
    }),
  },
  remove: {
    may: (who, node) => mayNode(who, "node:DELETE", placeOf(node)),
    send: ({ id }) => client.nodes.delete(id),
  },
  Details: ({ item, who, again }) => {
    const [status, setStatus] = useState(item.status);
    useEffect(() => setStatus(item.status), [item]);
    usePresence((told) => setStatus((before) => told.get(item.id) ?? before), again);
    return (
      <>
        <Facts>
          <Fact label={words.status}>
            <Presence status={status} />
          </Fact>
          <Fact label={words.lastSeen}>
            <When at={item.last_seen} />
          </Fact>
          <Fact label={labels.organization_id}>
            <RecordLink
              path="organizations"
              id={item.organization.id}
              name={item.organizationName}
            />
          </Fact>
          <Fact label={labels.collaboration_id}>
            <RecordLink
              path="collaborations"
              id={item.collaboration.id}
              name={item.collaborationName}
            />
          </Fact>
          <Fact label={labels.ip}>
            <Text text={item.ip} />
          </Fact>
          {item.config.map(({ key, value }) => (
            <Fact key={`${key} ${value}`} label={words.shared(visible(key))}>
              <Plain text={value} />
            </Fact>
          ))}
        </Facts>
        {mayNode(who, "node:EDIT", placeOf(item)) && <Key node={item} />}
      </>
    );
  },
};

/** Another key for a node that has lost its own, or whose key others may know. */
function Key({ node }: { node: ShownNode }) {
  const [asking, setAsking] = useState(false);
  const [apiKey, setApiKey] = useState<string>();
  if (apiKey !== undefined) {
    return <NewKey name={node.name} apiKey={apiKey} onDone={() => setApiKey(undefined)} />;
  }
  return (
    <section class="card">
      <h2>{words.key}</h2>
      <p>{words.keyHelp}</p>
      <button type="button" onClick={() => setAsking(true)}>{words.resetKey}</button>
      {asking && (
        <Confirm
          title={words.resetKeyTitle(node.name)}
          text={words.resetKeyText}
          button={words.resetKey}
          act={async () => setApiKey((await client.nodes.resetKey(node.id)).api_key)}
          onDone={() => setAsking(false)}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
}
