-- Nodes accept work by a report; nobody keeps a dispatch for a node that does not hear it. Null: the node has not accepted
-- the current attempt, so it is handed out when the node asks.
alter table result add column accepted_at timestamptz;
alter table result drop column dispatches;
create index result_unaccepted on result (node_id, id)
  where status = 'pending' and accepted_at is null and dispatched_at is not null;
-- Messages for a stream that is no more.
delete from outbox where subject like 'dispatch.%';
