{#-
    A select of a relation's rows, each with the company that its user was in at the time, and the
    traits that user and company had then.
-#}
{% macro join_as_of(relation, at='occurred_at') -%}
    select
        rows_with_company.*,
        user_traits_history.traits as user_traits_then,
        company_traits_history.traits as company_traits_then
    from (
        select
            as_given.*,
            user_companies.company_id as company_id_then
        from {{ relation }} as as_given
        left join {{ ref('user_companies') }} as user_companies
            on {{ valid_at('user_companies', 'as_given', at) | indent(12) }}
    ) as rows_with_company
    left join {{ ref('user_traits_history') }} as user_traits_history
        on {{ valid_at('user_traits_history', 'rows_with_company', at) }}
    left join {{ ref('company_traits_history') }} as company_traits_history
        on {{ valid_at(
            'company_traits_history', 'rows_with_company', at, 'company_id', 'company_id_then'
        ) }}
{%- endmacro %}
