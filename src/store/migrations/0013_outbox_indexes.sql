-- What is looked at every second, and at every scrape, without reading the messages of a year.
create index deliveries_pages on deliveries (id)
    where fallback_told = 0 and event = 'trigger' and priority in ('P1', 'P2') and state in ('queued', 'sending', 'retry');
create index deliveries_sent on deliveries (receiver, sent_at) where state = 'sent';
create index deliveries_refused on deliveries (receiver, id) where last_error is not null and state != 'sent';
create index deliveries_missed on deliveries (id) where fallback_told = 0 and state = 'dropped' and last_error is not null;
