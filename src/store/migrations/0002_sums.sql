-- Chunks of one time lie together: live work writes the newest chunks of all series, and windows of one length leave the
-- same old chunk in all of them.
create table chunks_by_time (
    every integer not null check (every > 0),
    chunk integer not null,
    series integer not null references series (id),
    data blob not null,
    primary key (every, chunk, series)
) without rowid, strict;
insert into chunks_by_time (every, chunk, series, data)
    select every, chunk, series, data from chunks order by every, chunk, series;
drop table chunks;
alter table chunks_by_time rename to chunks;

-- Sums of all chunks of a series but the newest, packed. Written together with the chunks that they are of.
create table sums (
    series integer not null references series (id),
    every integer not null check (every > 0),
    newest integer not null,
    data blob not null,
    primary key (series, every)
) strict;
