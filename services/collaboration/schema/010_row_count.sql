-- For names given as a pattern. (The counts that this made too, 021 and 022 make.)
create index collaboration_name_pattern on collaboration (name text_pattern_ops);
create index node_name_pattern on node (name text_pattern_ops);
