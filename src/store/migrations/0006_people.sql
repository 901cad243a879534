-- Events of people's acts that came from outside, each taken once. `at` in Unix milliseconds.
create table source_events (
    source text not null check (length(source) between 1 and 200),
    event text not null check (length(event) between 1 and 300),
    incident text not null references incidents (id),
    what text not null check (what in ('acknowledge', 'unacknowledge', 'resolve', 'reopen', 'note')),
    made_by text not null check (length(made_by) <= 400),
    at integer not null,
    primary key (source, event, incident)
) without rowid, strict;
create index source_events_by_incident on source_events (incident);

-- Which of a pager's own incidents stand for which of our keys. An empty key: known not to be ours.
create table pager_incidents (
    receiver text not null,
    pager_id text not null check (length(pager_id) between 1 and 64),
    dedup_key text not null check (length(dedup_key) <= 300),
    -- The priority that was set there, once it was.
    priority text check (priority is null or priority in ('P1', 'P2', 'P3', 'P4', 'P5')),
    seen_at integer not null,
    primary key (receiver, pager_id, dedup_key)
) without rowid, strict;
create index pager_incidents_by_id on pager_incidents (pager_id);
create index pager_incidents_by_key on pager_incidents (dedup_key);

-- What a pager told of an incident whose key is still to be asked for.
create table pager_calls (
    receiver text not null,
    event text not null check (length(event) between 1 and 300),
    document text not null check (length(document) <= 65536),
    attempts integer not null default 0,
    kept_at integer not null,
    next_at integer not null,
    primary key (receiver, event)
) without rowid, strict;
create index pager_calls_due on pager_calls (receiver, next_at);
