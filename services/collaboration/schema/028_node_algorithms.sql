-- What may run at each node, as its agent tells. Each row is one node's word: nodes that tell the same algorithm are
-- put together when they are shown, and only where image, digest and description are all the same.
create table node_algorithm (
  node_id integer not null references node on delete cascade,
  image text not null,
  digest text not null,
  name text,
  version text,
  -- JSON as it came: jsonb would change the order of its arguments.
  description text,
  -- Of the description; empty where there is none.
  description_sha256 text not null,
  methods text[] not null,
  primary key (node_id, image)
);
create index node_algorithm_image on node_algorithm (image);

-- A new key is for an agent that has not spoken yet.
create function forget_algorithms() returns trigger language plpgsql as $$
begin
  delete from node_algorithm where node_id = new.id;
  return new;
end $$;
create trigger node_key_changed_algorithms after update of api_key_sha256 on node
  for each row execute function forget_algorithms();
