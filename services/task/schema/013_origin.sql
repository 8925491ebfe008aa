-- What nodes are told of where a task comes from, since their owners' rules name users and algorithm stores. As it was when
-- the task was made; a subtask has its parent's. Null for tasks from before this was kept.
alter table task
  add column init_username text,
  add column algorithm_store_url text;
