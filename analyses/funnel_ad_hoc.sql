-- one row per (funnel, app_token, step) of a funnel that stands in no seed
{% set steps = [
    {'step_name': 'Viewed a page', 'event_type': 'page_view'},
    {'step_name': 'Made or shared a report', 'event_type': 'track', 'event_name': 'Report: %'},
    {'step_name': 'Answered the NPS', 'entity_type': 'nps', 'interaction_status': 'SUBMITTED_%'},
    {'event_type': 'track', 'event_name': 'Checkout: Cancelled', 'is_exclusion': true},
] %}
with

final as (

    {{ funnel(steps, window_seconds=7 * 24 * 60 * 60, name='reports to NPS') }}

)

select * from final
order by app_token, step
