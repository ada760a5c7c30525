-- Tables of the loader. Everything in them is a pure function of the files loaded, except surrogate
-- numbers (event_no, file_id, load_id) and loaded_at.

create schema if not exists raw;

-- one row per run of the loader that changed something
create table if not exists raw.loads (
    load_id bigint,
    started_at timestamp,
    finished_at timestamp,
    status varchar,
    source varchar,
    file_count bigint,
    line_count bigint,
    event_line_count bigint,
    rejected_line_count bigint,
    error varchar,
    changed_events bigint,
    changed_records bigint
);

-- one row per file version; physical_lines = blank_lines + rejected_lines + event_lines
create table if not exists raw.files (
    file_id bigint,
    load_id bigint,
    path varchar,
    kind varchar,
    sync_id varchar,
    app_token varchar,
    folder_date date,
    size_bytes bigint,
    fingerprint varchar,
    modified varchar,
    status varchar,
    physical_lines bigint,
    blank_lines bigint,
    rejected_lines bigint,
    event_lines bigint,
    loaded_at timestamp,
    error varchar
);

-- one row per distinct content of an event; (file_id, line_number) is its best copy, changed_in the
-- load that last changed what the row tells of an event that counts, or counted before
create table if not exists raw.events (
    event_no bigint,
    file_id bigint,
    line_number bigint,
    is_superseded boolean,
    app_token varchar,
    event_type varchar,
    event_name varchar,
    user_id varchar,
    company_id varchar,
    source varchar,
    inserted_at timestamp,
    internal_event_id varchar,
    hostname varchar,
    pathname varchar,
    screen_width varchar,
    screen_height varchar,
    device_type varchar,
    user_agent varchar,
    operating_system varchar,
    browser varchar,
    browser_language varchar,
    session varchar,
    country_code varchar,
    metadata json,
    attributes json,
    extra json,
    changed_in bigint
);

-- one row per content that counted before a load, changed_in, took it out: no file holds it now
create table if not exists raw.former_events (
    event_no bigint,
    app_token varchar,
    event_type varchar,
    event_name varchar,
    user_id varchar,
    company_id varchar,
    session varchar,
    inserted_at timestamp,
    internal_event_id varchar,
    changed_in bigint
);

-- one row per further line with the same content; the JSON texts only where the line writes them in
-- another way (order of keys, say) than its row in raw.events
create table if not exists raw.event_copies (
    event_no bigint,
    file_id bigint,
    line_number bigint,
    metadata json,
    attributes json,
    extra json
);

-- one row per line that is not an event; line_bytes only where the line is not UTF-8
create table if not exists raw.rejected_lines (
    file_id bigint,
    path varchar,
    line_number bigint,
    reason varchar,
    line varchar,
    line_bytes blob
);

-- one row per line of the files that are not events
create table if not exists raw.all_users (file_id bigint, line_number bigint, record json);
create table if not exists raw.all_companies (file_id bigint, line_number bigint, record json);
create table if not exists raw.feature_tags_definitions (
    file_id bigint, line_number bigint, record json
);
create table if not exists raw.feature_tags_breakdown (
    file_id bigint, line_number bigint, record json
);

-- what warehouses of earlier versions lack
alter table raw.events add column if not exists changed_in bigint default 0;
alter table raw.loads add column if not exists changed_events bigint default 0;
alter table raw.loads add column if not exists changed_records bigint default 0;
