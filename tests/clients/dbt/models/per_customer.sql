{{ config(materialized='view') }}
SELECT c.id, c.name, count(*) AS orders, sum(o.totalprice) AS total
FROM {{ ref('customers') }} c JOIN {{ ref('orders') }} o ON o.customer_id = c.id GROUP BY c.id, c.name
