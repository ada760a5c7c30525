{#-
    Fill the table of a seed as dbt-duckdb does it, but with its quotes said. DuckDB guesses them from
    the first 20,480 rows: it takes single quotes around each cell for no part of it, and knows no
    others where the first cell with a comma comes later. In strict mode, the lines of a file that two
    editors wrote could not end differently.
-#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {% set sql %}
        copy {{ this.render() }} from {{ quoted_list([adapter.get_seed_file_path(model)]) }}
        (
            format csv, header true, delimiter ',', quote '"', escape '"',
            auto_detect false, strict_mode false
        )
    {% endset %}
    {% do adapter.add_query(sql, abridge_sql_log=True) %}
    {{ return(sql) }}
{% endmacro %}
