-- Whether the decider has heard what became of a post to a public status page; null for all other messages.
alter table deliveries add column page_told integer check (page_told in (0, 1));
create index deliveries_page_news on deliveries (id) where page_told = 0;

-- The digest that tells of this message, if it was joined with others. Until the digest has arrived, such a message is
-- `dropped`; then it is `sent` or `dead` as the digest is.
alter table deliveries add column digest integer;
create index deliveries_joined on deliveries (receiver, incident, id) where digest is not null and state = 'dropped';
create index deliveries_of_digest on deliveries (digest) where digest is not null;
-- How many messages a receiver got lately.
create index deliveries_sent_alone on deliveries (receiver, sent_at) where state = 'sent' and digest is null;

-- Written before each heartbeat: whether the store can be written at all.
create table pulse (
    id integer primary key check (id = 1),
    at integer not null
) strict;
