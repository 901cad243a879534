-- Times are Unix milliseconds, but for chunks, whose numbers are slots / 240.

create table series (
    id integer primary key,
    service text not null,
    slo text not null,
    labels text not null,
    unique (service, slo, labels)
) strict;

-- What an SLO promised, from when on: rows are only ever added.
create table definitions (
    series integer not null references series (id),
    since integer not null,
    hash integer not null,
    objective_ppb integer not null check (objective_ppb > 0 and objective_ppb < 1000000000),
    every integer not null check (every > 0),
    primary key (series, since)
) without rowid, strict;

-- 240 slots each, packed.
create table chunks (
    series integer not null references series (id),
    every integer not null check (every > 0),
    chunk integer not null,
    data blob not null,
    primary key (series, every, chunk)
) without rowid, strict;

create table alerts (
    series integer not null references series (id),
    watch text not null,
    document text not null,
    primary key (series, watch)
) without rowid, strict;

create table incidents (
    id text primary key,
    key text not null unique,
    service text,
    slo text,
    source text,
    priority text not null check (priority in ('P1', 'P2', 'P3', 'P4', 'P5')),
    state text not null check (state in ('open', 'acknowledged', 'resolved')),
    opened_at integer not null,
    resolved_at integer,
    live integer not null check (live in (0, 1)),
    document text not null,
    check ((service is null) = (slo is null)),
    check ((service is null) != (source is null)),
    check ((state = 'resolved') = (resolved_at is not null))
) strict;
create index incidents_by_time on incidents (opened_at);
create index incidents_live on incidents (id) where live = 1;

create table timeline (
    id integer primary key,
    incident text not null references incidents (id),
    at integer not null,
    kind text not null,
    text text not null
) strict;
create index timeline_by_incident on timeline (incident, id);

create table deliveries (
    id integer primary key autoincrement,
    incident text references incidents (id),
    receiver text not null,
    event text not null check (event in ('trigger', 'acknowledge', 'resolve', 'update', 'digest', 'test')),
    priority text not null check (priority in ('P1', 'P2', 'P3', 'P4', 'P5')),
    state text not null check (state in ('queued', 'sending', 'retry', 'sent', 'dead', 'dropped')),
    dedup_key text not null,
    message text not null,
    attempts integer not null default 0,
    decided_at integer not null,
    next_at integer not null,
    lease_until integer,
    sent_at integer,
    last_error text,
    receipt text,
    fallback_told integer not null default 0 check (fallback_told in (0, 1)),
    check ((state = 'sent') = (sent_at is not null)),
    check ((state = 'sending') = (lease_until is not null))
) strict;
create index deliveries_pending on deliveries (receiver, incident, id) where state in ('queued', 'sending', 'retry');
create index deliveries_by_incident on deliveries (incident, receiver, id);
create index deliveries_failed on deliveries (id) where fallback_told = 0 and state = 'dead';
