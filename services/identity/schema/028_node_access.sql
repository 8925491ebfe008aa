-- What a node may have: it is locked by whoever gives a credential, and by whoever shuts the node out.
create table node_access (
  node_id integer primary key,
  -- Nothing that was given for an API key of an earlier generation is good.
  least_generation integer not null default 0,
  -- Since when the node does not exist any more.
  gone_at timestamptz
);
create index node_access_gone on node_access (gone_at) where gone_at is not null;

-- The generation of the API key that the last credential was given for. Of those that are here already it is not known:
-- they end with the next API key, whichever that is.
alter table node_broker_key add column key_generation integer not null default 0;
