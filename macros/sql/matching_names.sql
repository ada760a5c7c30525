{#-
    Which events fit which declared rows, as (type, name) pairs of the events: what a row asks of an
    event is a matter of these two, so each pair is held against the rows once.
-#}
{% macro matching_names(events, declared) -%}
    with

    names as (

        select
            event_type,
            event_name
        from {{ events }}
        group by event_type, event_name

    ),

    parsed_names as (

        {{ parse_event_name('names') | indent(4) }}

    )

    select
        declared.*,
        parsed_names.event_type as matched_type,
        parsed_names.event_name as matched_name
    from parsed_names
    inner join {{ declared }} as declared
        on
            {{ matches_cell('parsed_names.event_type', 'declared.event_type') }}
            and {{ matches_cell('parsed_names.event_name', 'declared.event_name') }}
            and {{ matches_cell('parsed_names.entity_type', 'declared.entity_type') }}
            and {{ matches_cell('parsed_names.entity_id', 'declared.entity_id') }}
            and {{ matches_cell(
                'parsed_names.interaction_status', 'declared.interaction_status'
            ) }}
            and (
                parsed_names.event_type = 'interaction'
                or coalesce(
                    declared.entity_type, declared.entity_id, declared.interaction_status
                ) is null
            )
{%- endmacro %}
