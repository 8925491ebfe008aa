-- The last report of how each node is; older ones are for those who collect them.
create table node_metrics (
  node_id integer primary key references node on delete cascade,
  reported_at timestamptz not null,
  metrics jsonb not null
);
