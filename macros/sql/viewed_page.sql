{#- What a page view saw; NULL for other events. -#}
{% macro viewed_page() -%}
    case when event_type = 'page_view' then coalesce(pathname, hostname) end
{%- endmacro %}
