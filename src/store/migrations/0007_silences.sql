-- Silences: rows are only ever added; an early end is written beside them. Times in Unix milliseconds.
create table silences (
    id text primary key,
    service text not null,
    slo text,
    policy text,
    labels text not null check (json_valid(labels)),
    made_by text not null check (length(made_by) between 1 and 200),
    reason text not null check (length(reason) between 1 and 1000),
    starts_at integer not null,
    ends_at integer not null,
    expired_at integer,
    expired_by text check (length(expired_by) between 1 and 200),
    check (ends_at >= starts_at and ends_at - starts_at <= 604800000),
    check ((expired_at is null) = (expired_by is null))
) strict;
create index silences_by_end on silences (ends_at);
