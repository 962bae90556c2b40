{{ config(materialized='table', properties={"partitioning": "ARRAY['day']"}) }}
SELECT orderkey AS id, orderkey % 3 + 1 AS customer_id, totalprice, orderdate AS day
FROM tpch.tiny.orders WHERE orderkey < 1000
