-- Budget corrections: rows are only ever added. `at` and `made_at` in Unix milliseconds.
create table corrections (
    id integer primary key,
    series integer not null references series (id),
    at integer not null,
    bad real not null,
    total real not null,
    reason text not null,
    made_by text not null,
    made_at integer not null
) strict;
create index corrections_by_series on corrections (series, at);
