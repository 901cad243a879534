create table traffic (name text primary key, bad bigint not null, total bigint not null);
insert into traffic values
  ('availability', 0, 1), ('response-time', 900, 1200), ('queue-latency', 40, 60), ('refunds', 0, 0), ('results', 1, 400),
  ('quiet', 90, 100);
create table regions (region text primary key, bad bigint not null, total bigint not null);
insert into regions values ('eu-central', 0, 900), ('us-east', 500, 1400), ('ap-south', 0, 300);
create table freshness (seconds float8 not null);
insert into freshness values (240);
create table actions (id int, queued_at timestamptz, what text);
insert into actions values (7, now() - interval '41 minutes', 'reorder'), (9, now() - interval '38 minutes', 'recount');
create table paths (path text primary key, bad bigint not null, total bigint not null);
create table hostile (name text, value text);
create function broken() returns bigint language plpgsql as $$
begin raise exception '<script>alert(1)</script> "><img src=x onerror=alert(1)>'; end $$;
