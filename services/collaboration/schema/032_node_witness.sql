-- What each node last stated to have seen of the hub's audit record, for the others of its
-- collaboration; signed by the node, and read by them alone.
create table node_witness (
  node_id integer primary key references node on delete cascade,
  told_at timestamptz not null,
  statement jsonb not null
);
