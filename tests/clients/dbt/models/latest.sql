{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }}
SELECT id, name, {{ var('round', 1) }} AS round FROM {{ ref('customers') }}
{% if is_incremental() %} WHERE id > 1 {% endif %}
