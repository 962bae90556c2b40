"""Partition projection: partitions made up from a table's properties, as Athena and Trino's Hive connector have it."""
import datetime

import pyarrow as pa
import pytest
from test_sql_hive import lake, metastore, refused, s3, sql  # noqa: F401 (fixtures)

trino = pytest.importorskip("trino")


def made(lake, table, keys, *, data="id bigint", enabled="partition_projection_enabled = true", more="", by=None):
    names = by or [key.split()[0] for key in keys]
    lake.sql(f"CREATE TABLE hive.{lake.name}.{table} ({', '.join([data, *keys])}) WITH (partitioned_by = "
             f"ARRAY[{', '.join(repr(n) for n in names)}]{', ' + enabled if enabled else ''}{more})")


def one(lake, key, number):
    lake.put_parquet(key, pa.table({"id": [number]}))


def test_enum_and_integer(lake):
    made(lake, "ei", ["region varchar WITH (partition_projection_type = 'enum', partition_projection_values = ARRAY['eu', 'us'])",
                      "n varchar WITH (partition_projection_type = 'INTEGER', partition_projection_range = ARRAY['0', '20'], "
                      "partition_projection_interval = 5, partition_projection_digits = 3)"])
    for number, path in enumerate(["region=eu/n=000", "region=us/n=010", "region=us/n=007", "region=asia/n=005"]):
        one(lake, f"db/ei/{path}/f.parquet", number)
    assert lake.partition_names("ei") == []
    # 007 is between the steps, asia is no value.
    assert lake.rows("ei", "region, n, id", "ORDER BY id") == [["eu", "000", 0], ["us", "010", 1]]
    assert lake.rows("ei", "id", "WHERE region = 'us' AND n = '010'") == [[1]]
    assert lake.rows("ei", "id", "WHERE n IN ('007', '7', '010', '10')") == [[1]]
    assert lake.rows("ei", "count(*)", "WHERE region = 'asia'") == [[0]]
    assert lake.rows("ei", '"$partition"', "WHERE n > '005'") == [["region=us/n=010"]]
    assert len(lake.rows('"ei$partitions"')) == 10
    shown = lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.ei")[0][0]
    assert "partition_projection_enabled = true" in shown
    assert ("n varchar WITH ( partition_projection_digits = 3, partition_projection_interval = 5, "
            "partition_projection_range = ARRAY['0','20'], partition_projection_type = 'INTEGER' )") in shown
    kept = lake.table("ei").parameters
    assert kept["projection.enabled"] == "true" and kept["projection.region.values"] == "eu,us"
    assert kept["projection.n.type"] == "integer" and kept["projection.n.digits"] == "3"
    # What is shown makes the same table again.
    lake.sql(shown.replace(".ei (", ".ei_again ("))
    assert {k: v for k, v in lake.table("ei_again").parameters.items() if k.startswith("projection")} == {
        k: v for k, v in kept.items() if k.startswith("projection")}
    lake.sql(f"CREATE TABLE hive.{lake.name}.ei_like (LIKE hive.{lake.name}.ei INCLUDING PROPERTIES)")
    assert lake.table("ei_like").parameters["projection.n.interval"] == "5"
    lake.sql(f"CREATE TABLE hive.{lake.name}.ei_plain (LIKE hive.{lake.name}.ei)")
    assert "projection" not in lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.ei_plain")[0][0]


def test_dates_and_now(lake):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    made(lake, "d", ["day date WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd', "
                     "partition_projection_range = ARRAY['NOW-3DAYS', 'NOW'])"])
    for back in (0, 2, 30):
        one(lake, f"db/d/day={today - datetime.timedelta(days=back)}/f.parquet", back)
    found = lake.rows("d", "id", "ORDER BY id")
    assert found == [[0], [2]], "thirty days ago is before the range"
    assert lake.rows("d", "id", f"WHERE day = DATE '{today}'") == [[0]]
    assert lake.rows("d", "id", f"WHERE day < DATE '{today}'") == [[2]]
    # Finer than days: the unit must be said. The text of the format is the value.
    hour = ("hour varchar WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy/MM/dd/HH', "
            "partition_projection_range = ARRAY['2024/01/01/00', '2024/01/02/23']{})")
    refused(lake, "CREATE TABLE {s}.h (id bigint, " + hour.format("") + ") WITH (partitioned_by = ARRAY['hour'], "
            "partition_projection_enabled = true)", "INVALID_COLUMN_PROPERTY", "partition_projection_interval_unit")
    made(lake, "h", [hour.format(", partition_projection_interval = 6, partition_projection_interval_unit = 'HOURS'")],
         more=f", partition_projection_location_template = 's3://{lake.name}/logs/${{hour}}/'")
    one(lake, "logs/2024/01/01/06/f.parquet", 6)
    one(lake, "logs/2024/01/01/07/f.parquet", 7)
    assert lake.rows("h", "hour, id") == [["2024/01/01/06", 6]]
    assert lake.rows("h", "id", "WHERE hour = '2024/01/01/06'") == [[6]]
    assert len(lake.rows('"h$partitions"')) == 8


def test_injected(lake):
    made(lake, "inj", ["device varchar WITH (partition_projection_type = 'injected')",
                       "n integer WITH (partition_projection_type = 'integer', partition_projection_range = ARRAY['1', '3'])"],
         more=f", partition_projection_location_template = 's3://{lake.name}/devices/${{device}}/${{n}}'")
    one(lake, "devices/a b/2/f.parquet", 7)
    one(lake, "devices/c/3/f.parquet", 8)
    assert lake.rows("inj", "device, n, id", "WHERE device = 'a b'") == [["a b", 2, 7]]
    assert lake.rows("inj", "id", "WHERE device IN ('a b', 'c') AND n >= 3") == [[8]]
    for rest in ("", " WHERE device LIKE 'a%'", " WHERE n = 2"):
        refused(lake, "SELECT * FROM {s}.inj" + rest, "INVALID_COLUMN_PROPERTY",
                "Injected projection requires single predicate for it's column in where clause")


def test_tables_of_athena(lake):
    """The Metastore's parameters, as another program wrote them."""
    lake.create("ath", "parquet", [("id", "bigint")], keys=[("dt", "string")], properties={
        "projection.enabled": "TRUE", "projection.dt.type": "date", "projection.dt.format": "yyyyMMdd",
        "projection.dt.range": "20240101, 20240110", "projection.dt.interval": "1", "projection.dt.interval.unit": "DAYS",
        "storage.location.template": f"s3://{lake.name}/athena/${{dt}}"})
    one(lake, "athena/20240103/f.parquet", 3)
    one(lake, "athena/20240111/f.parquet", 11)
    assert lake.rows("ath", "dt, id") == [["20240103", 3]]
    assert lake.rows("ath", "id", "WHERE dt BETWEEN '20240102' AND '20240104'") == [[3]]
    shown = lake.sql(f"SHOW CREATE TABLE hive.{lake.name}.ath")[0][0]
    assert "partition_projection_interval_unit = 'DAYS'" in shown and "partition_projection_location_template = 's3://" in shown
    # Trino's own switch: Athena projects, here the Metastore's partitions count.
    lake.create("ign", "parquet", [("id", "bigint")], keys=[("dt", "string")], properties={
        "projection.enabled": "true", "trino.partition_projection.ignore": "true", "projection.dt.type": "injected"})
    assert lake.rows("ign") == []
    # Wrong parameters are told when the table is read; it can be described before.
    lake.create("wrong", "parquet", [("id", "bigint")], keys=[("dt", "string")],
                properties={"projection.enabled": "true", "projection.dt.type": "sometimes"})
    assert lake.sql(f"DESCRIBE hive.{lake.name}.wrong")[1][0] == "dt"
    refused(lake, "SELECT * FROM {s}.wrong", "INVALID_COLUMN_PROPERTY", "Column projection for column 'dt' failed")


def test_inserts(lake):
    made(lake, "ins", ["day date WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd', "
                       "partition_projection_range = ARRAY['2024-01-01', '2024-01-31'])"])
    lake.sql(f"INSERT INTO hive.{lake.name}.ins VALUES (1, DATE '2024-01-05'), (2, DATE '2024-01-06')")
    lake.sql(f"INSERT INTO hive.{lake.name}.ins VALUES (3, DATE '2024-01-05')")
    assert lake.rows("ins", "id", "WHERE day = DATE '2024-01-05' ORDER BY id") == [[1], [3]]
    assert lake.partition_names("ins") == []
    assert {key.split("/")[2] for key in lake.keys("db/ins/")} == {"day=2024-01-05", "day=2024-01-06"}
    before = lake.keys("db/ins/")
    for value in ("DATE '2024-02-01'", "NULL"):
        refused(lake, f"INSERT INTO {{s}}.ins VALUES (4, DATE '2024-01-05'), (5, {value})", "HIVE_INVALID_PARTITION_VALUE",
                "is not in its projection")
    assert lake.keys("db/ins/") == before
    refused(lake, "DELETE FROM {s}.ins WHERE day = DATE '2024-01-05'", "NOT_SUPPORTED", "projected")
    # A template in Hive's layout takes rows, another one does not.
    number = "n integer WITH (partition_projection_type = 'integer', partition_projection_range = ARRAY['1', '9'])"
    made(lake, "there", [number], more=f", partition_projection_location_template = 's3://{lake.name}/else/n=${{n}}/'")
    lake.sql(f"INSERT INTO hive.{lake.name}.there VALUES (1, 5)")
    assert lake.rows("there") == [[1, 5]] and lake.keys("else/n=5/")
    made(lake, "nowhere", [number], more=f", partition_projection_location_template = 's3://{lake.name}/other/${{n}}'")
    refused(lake, "INSERT INTO {s}.nowhere VALUES (1, 5)", "NOT_SUPPORTED", "is not compatible with Hive")
    assert not lake.keys("other/") and not lake.keys("db/nowhere/")
    made(lake, "odd", ["day date WITH (partition_projection_type = 'date', partition_projection_format = 'dd.MM.yyyy', "
                       "partition_projection_range = ARRAY['01.01.2024', '31.01.2024'])"])
    refused(lake, "INSERT INTO {s}.odd VALUES (1, DATE '2024-01-05')", "NOT_SUPPORTED",
            "Writing to date partition projection column 'day' with format 'dd.MM.yyyy' is not supported")
    one(lake, "db/odd/day=05.01.2024/f.parquet", 9)
    assert lake.rows("odd") == [[9, datetime.date(2024, 1, 5)]]


def test_too_many(lake):
    made(lake, "many", [f"{name} integer WITH (partition_projection_type = 'integer', partition_projection_range = "
                        "ARRAY['0', '2000000000'])" for name in ("a", "b")])
    refused(lake, "SELECT * FROM {s}.many", "HIVE_EXCEEDED_PARTITION_LIMIT", "more predicates on it are needed")
    refused(lake, "SELECT * FROM {s}.many WHERE a < 1000 AND b < 1000", "HIVE_EXCEEDED_PARTITION_LIMIT",
            "can potentially read more than 100000 partitions")
    one(lake, "db/many/a=1999999999/b=7/f.parquet", 4)
    assert lake.rows("many", "id", "WHERE a = 1999999999 AND b BETWEEN 5 AND 9") == [[4]]
    assert lake.rows("many", "id", "WHERE a >= 1999999999 AND b IN (7, -1)") == [[4]]


def test_bad_properties(lake):
    def bad(column, words, name="INVALID_COLUMN_PROPERTY", more=", partition_projection_enabled = true", data="id bigint"):
        refused(lake, f"CREATE TABLE {{s}}.bad ({data}, {column}) WITH (partitioned_by = ARRAY['k']{more})", name, words)

    bad("k varchar", "Projection type property missing")
    bad("k varchar WITH (partition_projection_type = 'sometimes')", "failed")
    bad("k varchar WITH (partition_projection_type = 'enum')", "Missing required property: 'partition_projection_values'")
    bad("k integer WITH (partition_projection_type = 'enum', partition_projection_values = ARRAY['a'])", "Unsupported column type: integer")
    bad("k integer WITH (partition_projection_type = 'integer')", "Missing required property: 'partition_projection_range'")
    bad("k integer WITH (partition_projection_type = 'integer', partition_projection_range = ARRAY['1'])", "needs to be list of 2 integers")
    bad("k integer WITH (partition_projection_type = 'integer', partition_projection_range = ARRAY['1', '2'], "
        "partition_projection_interval = 0)", "partition_projection_interval")
    bad("k integer WITH (partition_projection_interval = 'x')", "integer")
    bad("k date WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd', "
        "partition_projection_range = ARRAY['2024-02-01', '2024-01-01'])", "that are sequential")
    bad("k date WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd', "
        "partition_projection_range = ARRAY['2024-02-31', 'NOW'])", "could not be parsed")
    bad("k varchar WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd QQ', "
        "partition_projection_range = ARRAY['NOW-1DAY', 'NOW'])", "'QQ' is not supported")
    bad("k varchar WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM', "
        "partition_projection_range = ARRAY['NOW-1DAY', 'NOW'])", "Available options: [Days, Hours, Minutes, Seconds]")
    bad("k varchar WITH (partition_projection_type = 'injected')", "when 'partition_projection_enabled' is not set", more="")
    bad("k varchar WITH (partition_projection_type = 'injected')", "missing partition column: 'k' placeholder",
        more=", partition_projection_enabled = true, partition_projection_location_template = 's3://b/x'")
    bad("k varchar WITH (partition_projection_type = 'injected')", "non-partition column: 'id'",
        data="id bigint WITH (partition_projection_type = 'injected')")
    bad("k varchar WITH (nonsense = 1)", "Catalog 'hive' column property 'nonsense' does not exist")
    bad("k varchar", "boolean", "INVALID_TABLE_PROPERTY", more=", partition_projection_enabled = 'perhaps'")
    refused(lake, "CREATE TABLE {s}.bad (id bigint) WITH (partition_projection_enabled = true)", "INVALID_COLUMN_PROPERTY",
            "a table that is not partitioned")
    lake.sql(f"CREATE TABLE hive.{lake.name}.plain (id bigint)")
    refused(lake, "ALTER TABLE {s}.plain ADD COLUMN x varchar WITH (partition_projection_type = 'injected')",
            "INVALID_COLUMN_PROPERTY", "non-partition column: 'x'")
    with pytest.raises(trino.exceptions.TrinoQueryError, match="column property 'nonsense' does not exist"):
        lake.sql(f"CREATE TABLE iceberg.{lake.name}.x (a integer WITH (nonsense = 1))")
    names = [row[0] for row in lake.sql("SELECT property_name FROM system.metadata.column_properties WHERE catalog_name = 'hive'")]
    assert len(names) == 7 and "partition_projection_range" in names
