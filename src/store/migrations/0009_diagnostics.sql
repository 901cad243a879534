-- What was looked at when incidents opened. `look` counts from 1, `place` is the order of the configuration.
create table diagnostics (
    incident text not null references incidents (id) on delete cascade,
    look integer not null check (look between 1 and 5),
    place integer not null check (place between 0 and 49),
    at integer not null,
    document text not null check (length(document) <= 65536),
    primary key (incident, look, place)
) without rowid, strict;

-- Each attempt to deliver a message, written with its outcome; of many, the first and the last.
create table attempts (
    delivery integer not null references deliveries (id) on delete cascade,
    number integer not null check (number > 0),
    started_at integer not null,
    ended_at integer not null,
    outcome text not null check (outcome in ('accepted', 'retry', 'dead', 'taken-over')),
    next_at integer,
    error text check (length(error) <= 2000),
    receipt text check (length(receipt) <= 2000),
    primary key (delivery, number)
) without rowid, strict;
