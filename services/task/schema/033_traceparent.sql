-- The span of a trace in whose course a task was made: what is dispatched of it belongs there, also
-- when it is sent again, by another process.
alter table task add column traceparent text;
