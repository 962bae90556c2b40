{% snapshot customers_history %}
{{ config(target_schema='dbt_shop', unique_key='id', strategy='check', check_cols=['round']) }}
SELECT * FROM {{ ref('latest') }}
{% endsnapshot %}
