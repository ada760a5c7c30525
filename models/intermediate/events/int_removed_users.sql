-- one row per (app_token, user_id) whose events no mart counts
{{ config(materialized='table', meta={'is_input': true}) }}
{% set patterns = var('excluded_users') %}
-- depends_on: {{ ref('stg_userpilot__events') }}
with

erased_users as (

    select * from {{ ref('erased_users') }}

),

{% if patterns -%}
events as (

    select * from {{ ref('stg_userpilot__events') }}
    where user_id is not null

),

named_users as (

    select
        app_token,
        user_id,
        lower(identified_email) as email
    from events
    group by app_token, user_id, lower(identified_email)

),

excluded_users as (

    select
        app_token,
        user_id,
        min(
            case
                {%- for pattern in patterns %}
                when
                    {{ matches_wildcard('user_id', quoted_list([pattern])) }}
                    or {{ matches_wildcard('email', quoted_list([pattern | lower])) }}
                    then {{ quoted_list([pattern]) }}
                {%- endfor %}
            end
        ) as rule
    from named_users
    group by app_token, user_id

),

{% endif -%}
final as (

    select
        app_token,
        user_id,
        'erased_user' as reason,
        cast(null as varchar) as rule
    from erased_users
    {%- if patterns %}
    union all
    select
        excluded_users.app_token,
        excluded_users.user_id,
        'excluded_user' as reason,
        excluded_users.rule
    from excluded_users
    left join erased_users
        on
            excluded_users.app_token = erased_users.app_token
            and excluded_users.user_id = erased_users.user_id
    where excluded_users.rule is not null and erased_users.user_id is null
    {%- endif %}

)

select * from final
