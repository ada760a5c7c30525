{#- The values that Userpilot documents; audit.unknown_values shows what else an export holds. -#}
{% macro documented_values() %}
    {{ return({
        'event_type': [
            'identify_user', 'identify_company', 'interaction', 'track', 'track_feature',
            'page_view', 'session_start',
        ],
        'source': [
            'web-client', 'backend-http', 'backend-hubspot', 'backend-salesforce',
            'backend-segment',
        ],
        'entity_type': interaction_attributes().keys() | list,
        'interaction_status': [
            'SEEN', 'ENGAGED', 'COMPLETED', 'DISMISSED', 'SUBMITTED_SCORE', 'SUBMITTED_FEEDBACK',
        ],
    }) }}
{% endmacro %}
