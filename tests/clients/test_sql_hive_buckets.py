"""Bucketed Hive tables: rows go into the bucket of Hive's hash, and queries read the buckets they need."""
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_sql_hive import lake, metastore, refused, s3, sql  # noqa: F401 (fixtures)

trino = pytest.importorskip("trino")


def java_hash(text):
    """String.hashCode() of the UTF-8 bytes, as Hive's first version has it."""
    value = 0
    for byte in text.encode():
        value = (31 * value + (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return value


def murmur(data):
    """Murmur3 with Hive's seed; bytes of the last word are signed."""
    mask = 0xFFFFFFFF

    def mixed(word):
        word = word * 0xCC9E2D51 & mask
        return ((word << 15 | word >> 17) & mask) * 0x1B873593 & mask
    value = 104729
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        value ^= mixed(int.from_bytes(data[i:i + 4], "little"))
        value = ((value << 13 | value >> 19) * 5 + 0xE6546B64) & mask
    tail = 0
    for i, byte in enumerate(data[whole:]):
        tail ^= ((byte - 256 if byte > 127 else byte) << 8 * i) & mask
    if data[whole:]:
        value ^= mixed(tail)
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & mask
    value = (value ^ value >> 13) * 0xC2B2AE35 & mask
    return value ^ value >> 16


def bucket(value, count):
    return (value & 0x7FFFFFFF) % count


def buckets_of(lake, table, column="id"):
    return {row[0]: row[1] for row in lake.rows(table, f'{column}, "$bucket"')}


@pytest.mark.parametrize("version", [1, 2])
def test_rows_lie_where_the_hash_says(lake, version):
    table = f"b{version}"
    lake.sql(f"CREATE TABLE hive.{lake.name}.{table} (id bigint, name varchar) WITH (bucketed_by = ARRAY['name'], bucket_count = 7"
             f"{', bucketing_version = 2' if version == 2 else ''})")
    names = [f"näme {i}" for i in range(200)]
    values = ", ".join(f"({i}, '{name}')" for i, name in enumerate(names))
    lake.sql(f"INSERT INTO hive.{lake.name}.{table} VALUES {values}, (-1, NULL)")
    hashed = java_hash if version == 1 else lambda text: murmur(text.encode())
    found = buckets_of(lake, table)
    assert found == {-1: 0, **{i: bucket(hashed(name), 7) for i, name in enumerate(names)}}
    # One file a bucket, named as Hive and Trino name them; its rows are what is said of it.
    keys = lake.keys(f"db/{table}/")
    assert sorted(int(key.rsplit("/", 1)[1][:6]) for key in keys) == sorted(set(found.values()))
    assert all(key.rsplit("/", 1)[1][6:9] == "_0_" for key in keys)
    for key in keys:
        body = lake.s3.get_object(Bucket=lake.name, Key=key)["Body"].read()
        number = int(key.rsplit("/", 1)[1][:6])
        assert all(found[row["id"]] == number for row in pq.read_table(io.BytesIO(body)).to_pylist())
    # Queries by the column read one file; by $bucket likewise.
    assert lake.rows(table, 'id, count(DISTINCT "$path")', "WHERE name = 'näme 17' GROUP BY 1") == [[17, 1]]
    for number in range(7):
        expected = sorted(i for i, b in found.items() if b == number)
        assert [row[0] for row in lake.rows(table, "id", f'WHERE "$bucket" = {number} ORDER BY id')] == expected
    # More rows: more files of the same buckets.
    lake.sql(f"INSERT INTO hive.{lake.name}.{table} VALUES (1000, 'näme 17')")
    assert lake.rows(table, "id", "WHERE name = 'näme 17' ORDER BY id") == [[17], [1000]]
    assert lake.rows(table, "count(*)") == [[202]]
    stored = lake.table(table)
    assert stored.sd.numBuckets == 7 and stored.sd.bucketCols == ["name"]
    assert stored.parameters["bucketing_version"] == str(version)
    shown = lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.{table}")[0][0]
    assert "bucket_count = 7" in shown and "bucketed_by = ARRAY['name']" in shown and f"bucketing_version = {version}" in shown


def test_pruned_files_are_not_read(lake):
    lake.sql(f"CREATE TABLE hive.{lake.name}.pr (id integer) WITH (bucketed_by = ARRAY['id'], bucket_count = 4)")
    lake.sql(f"INSERT INTO hive.{lake.name}.pr SELECT CAST(n AS integer) FROM UNNEST(sequence(0, 99)) t(n)")
    # Whoever reads these three files fails.
    for key in lake.keys("db/pr/"):
        if not key.rsplit("/", 1)[1].startswith("000002"):
            lake.put(key, b"PAR1 is damaged PAR1")
    assert lake.rows("pr", "count(*), min(id), max(id)", 'WHERE "$bucket" = 2') == [[25, 2, 98]]
    assert lake.rows("pr", "id", "WHERE id IN (6, 10) ORDER BY id") == [[6], [10]]
    with pytest.raises(trino.exceptions.TrinoQueryError):
        lake.rows("pr", "id", "WHERE id IN (6, 11)")


def test_types_and_partitions(lake):
    lake.sql(f"CREATE TABLE hive.{lake.name}.ty (id bigint, b boolean, t tinyint, s smallint, d date, x double, v varchar(5), "
             "a array(integer), m map(varchar, bigint), p varchar) WITH (bucketed_by = ARRAY['b','t','s','d','x','v','a','m'], "
             "bucket_count = 16, bucketing_version = 2, partitioned_by = ARRAY['p'], format = 'JSON')")
    lake.sql(f"INSERT INTO hive.{lake.name}.ty SELECT n, n % 2 = 0, CAST(n AS tinyint), CAST(n * 100 AS smallint), DATE '2024-01-01' + "
             "n * INTERVAL '1' DAY, n / 4e0, CAST(n AS varchar(5)), ARRAY[CAST(n AS integer)], MAP(ARRAY['k'], ARRAY[n]), "
             "IF(n > 50, 'high', NULL) FROM UNNEST(sequence(1, 100)) t(n)")
    assert lake.rows("ty", 'count(*), count(DISTINCT "$bucket") > 8, min("$bucket") >= 0, max("$bucket") < 16', "WHERE p = 'high'") == [
        [50, True, True, True]]
    assert lake.rows("ty", "sum(id)") == [[5050]]

    def folded(hashes):
        value = 0
        for one in hashes:
            value = (31 * value + one) & 0xFFFFFFFF
        return value
    import struct
    n = 60
    day = 19723 + n
    entry = murmur(b"k") ^ n  # values of maps are hashed as in version 1
    expected = bucket(folded([1, n, murmur(struct.pack(">h", n * 100)), murmur(struct.pack(">i", day)), murmur(struct.pack(">d", float(struct.unpack(">q", struct.pack(">d", n / 4))[0]))),
                              murmur(b"60"), murmur(struct.pack(">i", n)), entry]), 16)
    assert lake.rows("ty", '"$bucket"', f"WHERE id = {n}") == [[expected]]


def test_sorted_files(lake):
    lake.sql(f"CREATE TABLE hive.{lake.name}.so WITH (bucketed_by = ARRAY['g'], bucket_count = 3, sorted_by = ARRAY['v DESC', 'id']) AS "
             "SELECT n AS id, n % 10 AS g, IF(n % 97 = 0, NULL, n * 7919 % 1000) AS v FROM UNNEST(sequence(1, 10000)) a(k) "
             "CROSS JOIN UNNEST(sequence(1, 3)) b(r) CROSS JOIN UNNEST(ARRAY[k * 3 + r]) c(n)")
    total = 0
    for key in lake.keys("db/so/"):
        rows = lake.parquet(key)
        total += len(rows)
        order = [(row["v"] is None, -(row["v"] or 0), row["id"]) for row in rows]
        assert order == sorted(order), key
    assert total == 30000
    assert lake.table("so").sd.sortCols[0].col == "v" and lake.table("so").sd.sortCols[0].order == 0
    assert "sorted_by = ARRAY['v DESC','id']" in lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.so")[0][0]


def test_names_of_others(lake):
    lake.create("oth", "parquet", [("id", "int")])
    with lake.metastore._client as client:
        table = client.get_table(dbname=lake.name, tbl_name="oth")
        table.sd.numBuckets, table.sd.bucketCols = 2, ["id"]
        client.alter_table(lake.name, "oth", table)
    lake.put_parquet("oth/000000_0", pa.table({"id": pa.array([2, 4], pa.int32())}))
    lake.put_parquet("oth/20240101_000000_00001_abcde_bucket-00001", pa.table({"id": pa.array([1, 3], pa.int32())}))
    assert buckets_of(lake, "oth") == {2: 0, 4: 0, 1: 1, 3: 1}
    assert lake.rows("oth", "id", "WHERE id = 3") == [[3]]
    lake.sql(f"INSERT INTO hive.{lake.name}.oth VALUES 5, 6")
    assert buckets_of(lake, "oth") == {2: 0, 4: 0, 6: 0, 1: 1, 3: 1, 5: 1}
    # A file of which nobody knows the bucket: all of them are read, and $bucket is refused.
    lake.put_parquet("oth/part-0.parquet", pa.table({"id": pa.array([7], pa.int32())}))
    assert lake.rows("oth", "id", "WHERE id = 7") == [[7]]
    refused(lake, 'SELECT "$bucket" FROM {s}.oth', "HIVE_INVALID_BUCKET_FILES", "do not match the bucketing declaration")


def test_tables_of_other_kinds(lake):
    """Spark's own buckets are not Hive's."""
    lake.create("spark", "parquet", [("id", "int")], properties={
        "spark.sql.sources.provider": "parquet", "spark.sql.sources.schema.numBuckets": "2"})
    lake.put_parquet("spark/part-00000-x_00001.c000", pa.table({"id": pa.array([2, 3], pa.int32())}))
    assert lake.rows("spark", "id", "WHERE id = 3") == [[3]]
    refused(lake, "INSERT INTO {s}.spark VALUES 1", "NOT_SUPPORTED", "Spark bucketed tables")


def test_refusals(lake):
    def bad(properties, words):
        refused(lake, f"CREATE TABLE {{s}}.bad (id bigint, p varchar) WITH ({properties})", "INVALID_TABLE_PROPERTY", words)

    bad("bucket_count = 3", "bucketed_by and bucket_count must be specified together")
    bad("bucketed_by = ARRAY['id']", "bucketed_by and bucket_count must be specified together")
    bad("bucketed_by = ARRAY['id'], bucket_count = -1", "bucket_count must be greater than zero")
    bad("bucketed_by = ARRAY['id'], bucket_count = 1000001", "no more than 1000000")
    bad("bucketed_by = ARRAY['nope'], bucket_count = 2", "Bucketing columns [nope] not present in schema")
    bad("bucketed_by = ARRAY['p'], bucket_count = 2, partitioned_by = ARRAY['p']", "Bucketing columns [p] not present")
    bad("bucketed_by = ARRAY['id'], bucket_count = 2, sorted_by = ARRAY['x']", "Sorting columns [x] not present in schema")
    bad("bucketed_by = ARRAY['id'], bucket_count = 2, sorted_by = ARRAY['id up']", "Invalid sorting column")
    bad("sorted_by = ARRAY['id']", "sorted_by may be specified only when bucketed_by is specified")
    bad("bucketed_by = ARRAY['id'], bucket_count = 2, bucketing_version = 3", "bucketing_version must be between 1 and 2")
    lake.sql(f"CREATE TABLE hive.{lake.name}.ts (at timestamp(3), id bigint) WITH (bucketed_by = ARRAY['at'], bucket_count = 2)")
    refused(lake, "INSERT INTO {s}.ts VALUES (NULL, 1)", "NOT_SUPPORTED", "bucketed on timestamp not supported")
    refused(lake, "ALTER TABLE {s}.ts DROP COLUMN at", "NOT_SUPPORTED", "Cannot drop bucketing")
    refused(lake, "ALTER TABLE {s}.ts RENAME COLUMN at TO t", "NOT_SUPPORTED", "Renaming bucketing")
    # A partition that was divided otherwise is not added to.
    lake.sql(f"CREATE TABLE hive.{lake.name}.mix (id bigint, p varchar) WITH (bucketed_by = ARRAY['id'], bucket_count = 2, "
             "partitioned_by = ARRAY['p'])")
    lake.partition("mix", "parquet", [("id", "bigint")], ["x"], "elsewhere")
    refused(lake, "INSERT INTO {s}.mix VALUES (1, 'x')", "HIVE_PARTITION_SCHEMA_MISMATCH", "other buckets than its table")
    assert not lake.keys("elsewhere") and not lake.keys("db/mix/")
    # A failed insert leaves nothing.
    refused(lake, "INSERT INTO {s}.mix SELECT n / (n - 500), 'y' FROM UNNEST(sequence(1, 1000)) t(n)", "DIVISION_BY_ZERO", "")
    assert not lake.keys("db/mix/")
