{#- Each is committed by itself: between two of them nothing is half done. -#}
{% macro run_model_hooks(hooks) %}
    {% for hook in hooks %}
        {% set sql = render(hook.sql) | trim %}
        {% if sql %}
            {% call statement() %}{{ sql }}{% endcall %}
            {% do adapter.commit() %}
        {% endif %}
    {% endfor %}
{% endmacro %}
