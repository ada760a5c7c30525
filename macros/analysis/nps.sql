{#-
    A select of the Net Promoter Score for each group of scored responses. With `latest_per` only the
    last response of each one counts within its group.
-#}
{% macro nps(responses=none, by=['app_token'], latest_per=none) -%}
    {%- set groups = (['app_token'] + ([by] if by is string else by)) | unique | list -%}
    {%- set counts = ['promoters', 'detractors', 'responses'] -%}
    with

    scored_responses as (

        select * from {{ ref('nps_responses') if responses is none else responses }}
        where score is not null

    ),

    counting_responses as (

        {{ latest_nps_responses('scored_responses', groups + [latest_per]) | indent(4)
            if latest_per else 'select * from scored_responses' }}

    ),

    counted_responses as (

        select
            {{ groups | join(',\n            ') }},
            count(*) as responses,
            count(case when category = 'promoter' then 1 end) as promoters,
            count(case when category = 'passive' then 1 end) as passives,
            count(case when category = 'detractor' then 1 end) as detractors,
            avg(score) as average_score
        from counting_responses
        group by {{ groups | join(', ') }}

    )

    select
        {{ groups | join(',\n        ') }},
        responses,
        promoters,
        passives,
        detractors,
        {{ net_promoter_score(*counts) | indent(4) }} as nps,
        {{ nps_margin_of_error_95(*counts) | indent(4) }} as margin_of_error_95,
        average_score
    from counted_responses
{%- endmacro %}

{#- Of several at the same moment the last by submission counts, then by survey and user. -#}
{% macro latest_nps_responses(responses, per) -%}
    with

    ranked_responses as (

        select
            *,
            row_number() over (
                partition by {{ per | unique | join(', ') }}
                order by responded_at desc, submission_id desc, nps_id desc, user_id desc
            ) as recency
        from {{ responses }}

    )

    select * from ranked_responses
    where recency = 1
{%- endmacro %}
