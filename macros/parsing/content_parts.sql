{#- What content is made of: the entity type of each part, and that of the whole it belongs to. -#}
{% macro content_parts() %}
    {{ return({
        'experience_step': 'experience',
        'checklist_task': 'checklist',
        'survey_module': 'survey',
        'resource_center_article': 'resource_center',
    }) }}
{% endmacro %}
