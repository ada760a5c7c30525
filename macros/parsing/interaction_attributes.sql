{#- The documented attributes of each entity type. Adding an entity type is adding a line here. -#}
{% macro interaction_attributes() %}
    {{ return({
        'survey_module': [
            'feedback', 'interaction_id', 'is_dismissed', 'parent_id', 'status', 'survey_question',
            'variant',
        ],
        'checklist': ['interaction_id', 'is_dismissed', 'parent_id', 'status'],
        'checklist_task': ['interaction_id', 'is_dismissed', 'parent_id', 'status'],
        'resource_center': [
            'article_title', 'article_url', 'interaction_id', 'is_dismissed', 'parent_id', 'status',
        ],
        'resource_center_article': [
            'article_title', 'article_url', 'interaction_id', 'is_dismissed', 'parent_id', 'status',
        ],
        'nps': [
            'feedback', 'follow_up_question', 'interaction_id', 'score', 'status', 'submission_id',
            'survey_question',
        ],
        'experience': ['interaction_id', 'is_dismissed', 'status', 'total_dismissed'],
        'experience_step': [
            'interaction_id', 'is_dismissed', 'parent_id', 'status', 'total_dismissed',
        ],
        'experiment': [
            'interaction_id', 'is_dismissed', 'never_show_again', 'status', 'total_dismissed',
            'variant',
        ],
    }) }}
{% endmacro %}

{% macro interaction_attribute_names() %}
    {{ return(interaction_attributes().values() | sum(start=[]) | unique | sort) }}
{% endmacro %}
