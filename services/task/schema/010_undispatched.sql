-- Results that an operator stores by hand belong to no node, and were never dispatched (see services/shell).
alter table result alter column node_id drop not null;
alter table result alter column dispatched_at drop not null;
