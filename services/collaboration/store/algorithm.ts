/**
 * The SQL of what nodes tell of the algorithms that may run there.
 * @module
 */
import {
  all,
  type Db,
  type Fragment,
  type PageRequest,
  selectPage,
  type Tx,
} from "../../../shared/storage/db.ts";
import type { WholeList } from "../../../shared/storage/row_list.ts";

/** What one node tells of one algorithm. */
export interface ToldRow {
  image: string;
  digest: string;
  name: string | null;
  version: string | null;
  /** JSON. */
  description: string | null;
  description_sha256: string;
  methods: string[];
}

/** An algorithm that several nodes tell in the same words. */
export type AlgorithmRow = Pick<ToldRow, "image" | "digest" | "description_sha256">;

/** A node that tells it. */
export interface TellingNode extends AlgorithmRow {
  id: number;
  node_name: string;
  organization_id: number;
  collaboration_id: number;
  status: string;
  methods: string[];
}

/** What the node has told so far; locks the node, so that one telling follows the other. */
export async function toldByNode(tx: Tx, nodeId: number): Promise<ToldRow[]> {
  await tx`select from node where id = ${nodeId} for update`;
  return await tx<ToldRow[]>`
    select image, digest, name, version, description, description_sha256, methods
    from node_algorithm where node_id = ${nodeId} order by image`;
}

/** Replaces what the node has told. */
export async function replaceTold(tx: Tx, nodeId: number, told: ToldRow[]): Promise<void> {
  await tx`delete from node_algorithm where node_id = ${nodeId}`;
  if (told.length === 0) return;
  await tx`
    insert into node_algorithm
      (node_id, image, digest, name, version, description, description_sha256, methods)
    select ${nodeId}, image, digest, name, version, description, description_sha256, methods
    from jsonb_to_recordset(${tx.json(told.map((row) => ({ ...row })))})
      as told(image text, digest text, name text, version text, description text,
        description_sha256 text, methods text[])`;
}

const telling = (tx: Tx) => tx`node_algorithm as told join node on node.id = node_id`;

/** Algorithms that are shown at once, each with all of its nodes. */
const BATCH = 50;

/** The algorithms that some of the nodes tell; `where` is about both tables. */
export function algorithmRows(db: Db) {
  function page({ where, ...request }: PageRequest) {
    return selectPage<AlgorithmRow>(
      db,
      db`image, digest, description_sha256`,
      db`(
        select image, digest, description_sha256, min(told.name) as name, min(version) as version
        from ${telling(db)} where ${all(db, where)}
        group by image, digest, description_sha256) as algorithm`,
      { ...request, where: [] },
    );
  }
  return {
    page,
    /** These rows are short; what is long of an algorithm is read batch by batch. */
    async all(request: Omit<PageRequest, "window">): Promise<WholeList<AlgorithmRow>> {
      const list = await page({ ...request, window: { limit: undefined, offset: 0 } });
      const { rows, total } = list;
      async function* batches() {
        for (let at = 0; at < total; at += BATCH) yield rows.slice(at, at + BATCH);
      }
      return total > BATCH ? { batches: batches(), total } : list;
    },
  };
}

/** What is told of these algorithms, and by which of the nodes. */
export async function toldOf(
  tx: Tx,
  rows: AlgorithmRow[],
  where: Fragment[],
): Promise<{ told: ToldRow[]; nodes: TellingNode[] }> {
  const images = rows.map(({ image }) => image);
  const nodes = await tx<TellingNode[]>`
    select image, digest, description_sha256, methods, node.id, node.name as node_name,
      organization_id, collaboration_id, status
    from ${telling(tx)} where ${all(tx, where)} and image = any(${images}) order by node.id`;
  const firsts = new Map(nodes.toReversed().map((node) => [keyOf(node), node]));
  const wanted = rows.map((row) => firsts.get(keyOf(row))).filter((one) => one !== undefined);
  const told = await tx<ToldRow[]>`
    select told.image, digest, name, version, description, description_sha256, methods
    from node_algorithm as told join unnest(
      ${wanted.map(({ id }) => id)}::integer[], ${wanted.map(({ image }) => image)}::text[]
    ) as wanted(node_id, image) on told.node_id = wanted.node_id and told.image = wanted.image`;
  return { told: [...told], nodes: [...nodes] };
}

/** The same for all that is one algorithm. */
export function keyOf({ image, digest, description_sha256 }: AlgorithmRow): string {
  return `${image}\n${digest}\n${description_sha256}`;
}
