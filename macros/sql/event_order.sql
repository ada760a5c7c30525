{#- A total order of the events of one app: the moment, then all that makes up an event's key. -#}
{% macro event_order(relation=none) %}
    {% set prefix = relation ~ '.' if relation else '' %}
    {% set order = [prefix ~ 'occurred_at'] %}
    {% for column in ['internal_event_id', 'event_name', 'event_type', 'user_id', 'company_id'] %}
        {% do order.append('coalesce(' ~ prefix ~ column ~ ", '')") %}
    {% endfor %}
    {{ return(order) }}
{% endmacro %}

{#- The same of interactions, which hold the key. -#}
{% macro interaction_order() %}
    {{ return(event_order()[:3] + ['event_key']) }}
{% endmacro %}
