-- Which slots of an SLO are still to be asked about, as a document.
create table histories (
    service text not null,
    slo text not null,
    document text not null,
    primary key (service, slo)
) without rowid, strict;
