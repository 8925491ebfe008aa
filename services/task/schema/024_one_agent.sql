-- The process of an agent that speaks for a node, by the public key it made at its start; and the last other one with
-- the same API key that wanted to.
create table node_speaker (
  node_id integer primary key,
  public_key text not null,
  since timestamptz not null,
  second_key text,
  second_address text,
  second_seen_at timestamptz,
  second_told_at timestamptz
);
