-- An incident is put on record once: a second row for its decision log cannot be.
create unique index deliveries_records on deliveries (incident) where substr(receiver, 1, 13) = 'decision-log:';
