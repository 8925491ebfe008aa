-- The task's own collaboration at each result, for lists of results; the task is gone already when its results go with
-- it. (The counts that this made too, 021 and 022 make.)
alter table result add column task_collaboration_id integer;
update result set task_collaboration_id = task.collaboration_id from task where task.id = task_id;
create function copy_collaboration() returns trigger language plpgsql set search_path from current as $$
begin
  select collaboration_id into new.task_collaboration_id from task where id = new.task_id;
  return new;
end $$;
create trigger result_collaboration before insert on result
  for each row execute function copy_collaboration();
alter table result alter column task_collaboration_id set not null;
create index result_collaboration on result (task_collaboration_id, id);
