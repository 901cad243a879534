-- Annotations: what people say they did. A number is never given twice. `at` and `made_at` in Unix milliseconds.
create table annotations (
    id integer primary key autoincrement,
    at integer not null,
    kind text not null,
    text text not null check (length(text) between 1 and 200),
    url text check (length(url) between 1 and 2000),
    service text,
    made_by text not null check (length(made_by) between 1 and 200),
    made_at integer not null
) strict;
create index annotations_by_time on annotations (at);
