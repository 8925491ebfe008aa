-- What is withdrawn stays in the broker's list until the last credential for that key has ended (see broker/withdrawal.ts).
-- How long those were good for that are here already is not known; a day is the longest.
alter table node_broker_key
  add column expires_at timestamptz not null default now() + interval '1 day',
  add column withdrawn_at timestamptz;
update node_broker_key set expires_at = issued_at + interval '1 day';
create index node_broker_key_end on node_broker_key (expires_at);
create index node_broker_key_withdrawn on node_broker_key (withdrawn_at) where withdrawn_at is not null;

-- The broker's list knows keys, not nodes: one that asked for another one's key would have that withdrawn with its own.
delete from node_broker_key as later using node_broker_key as first
where later.public_key = first.public_key and (first.issued_at, first.node_id) < (later.issued_at, later.node_id);
create unique index node_broker_key_once on node_broker_key (public_key);
