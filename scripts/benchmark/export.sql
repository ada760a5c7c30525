-- Who uses the product, and when: the tables from which export.py writes the lines of each day.
-- Every draw is a hash of (seed, topic, number), so the same seed tells the same story.
create macro draw(topic, number, sides) as
cast(hash(getvariable('seed'), topic, number) % sides as integer);

create macro pick(topic, number, options) as options[1 + draw(topic, number, len(options))];

create table people as
select
    person,
    'usr_' || (10000 + person) as user_id,
    draw('company', person, greatest(getvariable('users') // 20, 1)) as company,
    substr(md5('company ' || company), 1, 20) as company_id,
    substr(md5('company ' || (company + 1)), 1, 20) as next_company_id,
    pick('first', person, getvariable('first_names'))
    || ' ' || pick('last', person, getvariable('last_names')) as person_name,
    pick('plan', person, ['free', 'free', 'trial', 'pro', 'pro', 'enterprise']) as plan,
    pick('role', person, ['admin', 'analyst', 'manager', 'viewer']) as role,
    pick('two', person, ['A', 'B']) as two_arms,
    if(two_arms = 'A', '1', '2') as flow,
    pick('three', person, ['A', 'B', 'C']) as three_arms,
    pick('device', person, getvariable('devices')) as device
from range(getvariable('users')) as numbers (person);

-- Visits in the order of time; a user's first is the sign-up.
create table visits as
select
    *,
    row_number() over (partition by person order by visit) as session,
    min(day) over (partition by person) as signup_day
from (
    select
        visit,
        draw('person', visit, getvariable('users')) as person,
        visit * getvariable('days') // getvariable('visits') as day,
        draw('start', visit, 84000) as start_second,
        4 + draw('length', visit, 13) as length
    from range(getvariable('visits')) as numbers (visit)
);

-- Every visit is delivered with its day, 1 % of them once more, some days later.
create table deliveries as
select
    visit,
    day as folder_day,
    false as is_copy
from visits
union all
select
    visit,
    day + 1 + draw('lag', visit, 5) as folder_day,
    true as is_copy
from visits
where draw('copied', visit, 100) = 0;

create table slots as
select
    row_number() over (order by scene_number, repetition) - 1 as slot,
    event_type,
    event_name,
    metadata,
    source
from (select *, unnest(range(weight)) as repetition from scenes);

set variable slot_count = (select count(*) from slots);

-- One row a line of one day's folder.
create macro lines_of(folder) as table
with

moments as (
    select
        *,
        draw('moment', visit * 16 + position, 1000000000) as luck,
        make_timestamp(
            epoch_us(cast(getvariable('first_day') as timestamp))
            + day * 86400000000
            + (start_second + position * 45) * 1000000
            + draw('micros', visit * 16 + position, 30000000)
        ) as inserted_at
    from (
        select
            deliveries.is_copy,
            visits.*,
            unnest(range(visits.length)) as position
        from deliveries
        inner join visits on deliveries.visit = visits.visit
        where deliveries.folder_day = folder
    )
),

played as (
    select
        moments.*,
        people.* exclude (person, company_id),
        -- 1 % of the users change their company.
        if(
            moments.person % 100 = 0 and moments.session > 3,
            people.next_company_id,
            people.company_id
        ) as company_id,
        case
            when cues.session is not null then cues.event_type
            when moments.position = 0 then 'session_start'
            else slots.event_type
        end as event_type,
        case
            when cues.session is not null then cues.event_name
            when moments.position = 0 then ''
            else slots.event_name
        end as event_name,
        case
            when cues.session is not null then cues.metadata
            when moments.position = 0 then '{}'
            else slots.metadata
        end as metadata,
        case
            when cues.session is not null or moments.position = 0 then 'web-client'
            else slots.source
        end as source
    from moments
    inner join people on moments.person = people.person
    left join cues
        on
            moments.session = cues.session
            and moments.position = cues.position
            and draw('chance', moments.person, 100) < cues.chance
    inner join slots on moments.luck % getvariable('slot_count') = slots.slot
),

written as (
    select
        visit,
        position,
        is_copy,
        inserted_at,
        concat(
            '{"app_token":"NX-44A1B2C3","event_type":"', event_type,
            '","event_name":"', replace(event_name, '$flow', flow),
            '","source":"', source,
            '","user_id":"', if(event_type = 'identify_company', '', user_id),
            '","company_id":"', company_id,
            '","inserted_at":"', strftime(inserted_at, '%Y-%m-%dT%H:%M:%S.%fZ'),
            '","internal_event_id":"',
            hash(getvariable('seed'), 'id', visit * 16 + position),
            if(
                source = 'web-client',
                concat(
                    '","hostname":"app.acme-reports.example","pathname":"',
                    pick('page', visit * 16 + position, getvariable('pages')),
                    '",', device, ',"session":"', session, '","metadata":'
                ),
                '","metadata":'
            ),
            if(
                contains(metadata, '$'),
                metadata
                .replace('$user', user_id)
                .replace('$name', person_name)
                .replace('$plan', plan)
                .replace('$role', role)
                .replace('$count', cast(session as varchar))
                .replace(
                    '$signup',
                    cast(getvariable('first_day') + cast(signup_day as integer) as varchar)
                )
                .replace('$company_name', 'Company ' || company)
                .replace(
                    '$industry',
                    pick('industry', company, ['Software', 'Health', 'Retail', 'Finance'])
                )
                .replace('$flow', flow)
                .replace('$two', two_arms)
                .replace('$three', three_arms)
                .replace('$date', cast(cast(inserted_at as date) as varchar))
                -- A score may have been corrected before it is sent again.
                .replace('$score', cast((
                    pick('score', person * 8 + session, [10, 9, 9, 10, 8, 7, 9, 6, 3, 0])
                    + if(is_copy, 1, 0)
                ) % 11 as varchar)),
                metadata
            ),
            '}'
        ) as line
    from played
)

-- A few lines are no events: cut short, a log's text, or without their app. They are cut inside a
-- text, since after a line that is cut behind a colon DuckDB 1.5.5 loses the next one too.
select
    case flaw
        when 0 then left(line, position('internal_event_id' in line) + 24)
        when 1 then '-- export interrupted, see log --'
        when 2 then replace(line, '"app_token"', '"token"')
        else line
    end as line
from (
    select
        *,
        if(
            visit < 3 and position = 0, visit, draw('flaw', visit * 16 + position, 10000)
        ) as flaw
    from written
)
order by inserted_at, visit, position, is_copy;
