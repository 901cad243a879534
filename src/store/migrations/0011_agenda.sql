-- What runs on a crontab, and up to when it has been looked after: a new entry begins from now on.
create table agenda (
    entry text primary key check (length(entry) between 3 and 100),
    schedule text not null check (length(schedule) <= 400),
    since integer not null
) without rowid, strict;

-- Every time that an entry ran: written with its messages, or not at all.
create table occurrences (
    entry text not null check (length(entry) between 3 and 100),
    at integer not null,
    made_at integer not null,
    missed integer not null check (missed between 0 and 10000),
    primary key (entry, at)
) without rowid, strict;

-- When slod was last alive, and the time it was away that nobody has been told of yet.
create table life (
    id integer primary key check (id = 1),
    seen_at integer not null,
    away_from integer,
    away_to integer,
    check ((away_from is null) = (away_to is null)),
    check (away_from is null or away_from <= away_to)
) strict;
