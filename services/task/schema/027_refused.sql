-- How often something was not taken, by what it was: kept here, since several replicas count it.
create table refused_count (
  kind text primary key,
  count bigint not null
);
