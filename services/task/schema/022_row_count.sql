select keep_row_count('task', 'collaboration_id');
select keep_row_count('result', 'task_collaboration_id');
