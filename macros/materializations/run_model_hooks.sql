{#- Each is committed by itself: between two of them nothing is half done. -#}
{% macro run_model_hooks(hooks) %}
    {% for hook in hooks if render(hook.sql) | trim %}
        {% call statement() %}{{ render(hook.sql) }}{% endcall %}
        {% do adapter.commit() %}
    {% endfor %}
{% endmacro %}
