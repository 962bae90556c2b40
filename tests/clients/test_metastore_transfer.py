"""`aichemy metastore import|export` with a Hive Metastore's database in a real PostgreSQL."""
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hive_metastore.ttypes import (ColumnStatistics, ColumnStatisticsData, ColumnStatisticsDesc, ColumnStatisticsObj, Database,
                                   Decimal, DecimalColumnStatsData, FieldSchema, Function, LongColumnStatsData, Order,
                                   Partition, ResourceUri, SerDeInfo, StorageDescriptor, StringColumnStatsData, Table)
from pyiceberg.catalog import load_catalog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import hive_schema  # noqa: E402
from postgresql import PostgreSQL  # noqa: E402


@pytest.fixture(scope="module")
def server():
    with PostgreSQL() as running:
        yield running


class Metastore:
    """A Hive Metastore's database."""

    def __init__(self, server, name, version):
        server.query(f"CREATE DATABASE {name}")
        self.server, self.uri = server, server.uri.replace("/postgres?", f"/{name}?")
        self.query(hive_schema.statements(version))

    def query(self, sql):
        return self.server._command("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.uri, "-c", sql).strip()

    def rows(self):
        """Everything but ids, which are each metastore's own."""
        out = {}
        for table, columns in hive_schema.TABLES.items():
            kept = [c for c in columns if not c.endswith("_ID") and table not in ("SEQUENCE_TABLE", "VERSION", "CTLGS")]
            if kept:
                names = ", ".join(f'"{c}"' for c in kept)
                out[table] = sorted(self.query(f'SELECT {names} FROM "{table}"').splitlines())
        return out


def storage(location, *columns):
    return StorageDescriptor(
        cols=[FieldSchema(name, kind, comment) for name, kind, comment in columns], location=location,
        inputFormat="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        outputFormat="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat", compressed=False, numBuckets=4,
        serdeInfo=SerDeInfo(serializationLib="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                            parameters={"serialization.format": "1"}),
        bucketCols=["id"], sortCols=[Order("id", 1)], parameters={"of": "storage"})


def client_of(platform):
    return load_catalog("hms", type="hive", uri=platform.ready["metastore"]["thrift"])._client


COLUMNS = [("id", "bigint", "the key"), ("name", "string", None), ("price", "decimal(10,2)", None)]


def statistics(partition):
    about = ColumnStatisticsDesc(partition is None, "shop", "sales", partition, 1700000000)
    return ColumnStatistics(about, [
        ColumnStatisticsObj("id", "bigint", ColumnStatisticsData(longStats=LongColumnStatsData(-5, 99, 1, 50))),
        ColumnStatisticsObj("name", "string", ColumnStatisticsData(stringStats=StringColumnStatsData(9, 3.5, 2, 40))),
        ColumnStatisticsObj("price", "decimal(10,2)", ColumnStatisticsData(decimalStats=DecimalColumnStatsData(
            Decimal(scale=2, unscaled=b"\xff\x38"), Decimal(scale=2, unscaled=b"\x00\xff"), 0, 7)))])


def fill(platform):
    with client_of(platform) as client:
        client.create_database(Database("shop", "what is sold", "s3://elsewhere/shop", {"k": "v"}, ownerName="ann", ownerType=1))
        client.create_table(Table(
            tableName="sales", dbName="shop", owner="ann", sd=storage("s3://elsewhere/sales", *COLUMNS),
            partitionKeys=[FieldSchema("ds", "string", "day"), FieldSchema("h", "int", None)],
            parameters={"EXTERNAL": "TRUE", "note": "ünï"}, tableType="EXTERNAL_TABLE"))
        partitions = [Partition([f"2024-01-0{i}", str(i)], "shop", "sales", sd=storage(f"s3://elsewhere/sales/{i}", *COLUMNS),
                                parameters={"numRows": str(i)}) for i in range(1, 6)]
        partitions[4].sd.cols.append(FieldSchema("later", "int", None))
        client.add_partitions(partitions)
        client.update_table_column_statistics(statistics(None))
        client.update_partition_column_statistics(statistics("ds=2024-01-02/h=2"))
        client.create_table(Table(tableName="seen", dbName="shop", owner="ann", sd=storage(None, *COLUMNS), partitionKeys=[],
                                  parameters={}, viewOriginalText="select 1", viewExpandedText="select 1",
                                  tableType="VIRTUAL_VIEW"))
        client.create_function(Function("twice", "shop", "org.example.Twice", "ann", 1, 0, 1,
                                        [ResourceUri(1, "s3://elsewhere/twice.jar")]))
    store = platform.ready["s3"]
    rest = load_catalog("rest", type="rest", uri=platform.ready["iceberg_rest"]["uri"], **{
        "s3.endpoint": store["endpoint"], "s3.region": store["region"],
        "s3.access-key-id": store["access_key"], "s3.secret-access-key": store["secret_key"]})
    rows = pa.table({"id": [1, 2, 3]})
    rest.create_table("shop.lake", rows.schema, location="s3://warehouse/lake").append(rows)


def names_of(platform):
    """What a Metastore client sees."""
    with client_of(platform) as client:
        tables = {name: client.get_table("shop", name) for name in client.get_all_tables("shop")}
        return {
            "database": client.get_database("shop"), "tables": tables,
            "partitions": client.get_partitions("shop", "sales", -1),
            "statistics": [client.get_table_column_statistics("shop", "sales", column[0]).statsObj for column in COLUMNS],
            "of partition": client.get_partition_column_statistics("shop", "sales", "ds=2024-01-02/h=2", "price").statsObj,
            "function": client.get_function("shop", "twice"),
        }


def run(data, *arguments, code=0):
    import os
    import subprocess
    program = os.environ.get("AICHEMY", Path(__file__).resolve().parents[2] / "build/release/aichemy")
    done = subprocess.run([str(program), "metastore", "--data", str(data), *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def counts(text):
    rows = [line.split() for line in text.splitlines() if " added " in line]
    return {row[0]: tuple(int(row[i]) for i in (1, 3, 5)) for row in rows}


@pytest.mark.parametrize("version", ["3.1.0", "4.0.0"])
def test_names_go_there_and_back(server, own_platform, version):
    fill(own_platform)
    before = names_of(own_platform)
    theirs = Metastore(server, f"there_{version[0]}", version)
    assert "process" in run(own_platform.data, "export", "--to", theirs.uri, code=1), "the platform runs"
    assert own_platform.stop() == 0

    dry = run(own_platform.data, "export", "--to", theirs.uri, "--database", "shop", "--dry-run")
    assert counts(dry)["tables"] == (3, 0, 0) and theirs.query('SELECT count(*) FROM "TBLS"') == "0"
    first = run(own_platform.data, "export", "--to", theirs.uri)
    assert counts(first) == {"databases": (2, 0, 0), "tables": (3, 0, 0), "partitions": (5, 0, 0), "functions": (1, 0, 0)}
    exported = theirs.rows()
    again = run(own_platform.data, "export", "--to", theirs.uri)
    assert counts(again) == {"databases": (0, 0, 2), "tables": (0, 0, 3), "partitions": (0, 0, 5), "functions": (0, 0, 1)}
    assert theirs.rows() == exported
    # Partitions share the columns of their table, but for the one that has more.
    assert theirs.query('SELECT count(*) FROM "CDS"') == "4"
    assert theirs.query("""SELECT "BIG_DECIMAL_LOW_VALUE", "BIG_DECIMAL_HIGH_VALUE" FROM "PART_COL_STATS"
                           WHERE "COLUMN_NAME" = 'price'""") == "-2.00|2.55"
    # A running Hive takes its ids after ours.
    assert theirs.query("""SELECT bool_and("NEXT_VAL" > (SELECT max("TBL_ID") FROM "TBLS")) FROM "SEQUENCE_TABLE"
                           WHERE "SEQUENCE_NAME" LIKE '%.MTable'""") == "t"

    data = own_platform.data.parent / "second"
    imported = run(data, "import", "--from", theirs.uri)
    assert counts(imported)["tables"] == (3, 0, 0) and counts(imported)["partitions"] == (5, 0, 0)
    assert counts(run(data, "import", "--from", theirs.uri))["tables"] == (0, 0, 3)
    own_platform.data = data
    own_platform.start()
    after = names_of(own_platform)
    assert after == before
    assert own_platform.stop() == 0

    back = Metastore(server, f"back_{version[0]}", version)
    run(data, "export", "--to", back.uri, "--database", "shop")
    theirs.query("""DELETE FROM "DBS" WHERE "NAME" = 'default'""")
    assert back.rows() == theirs.rows()


def test_what_differs_stays_until_it_is_said(server, own_platform):
    fill(own_platform)
    assert own_platform.stop() == 0
    theirs = Metastore(server, "differing", "3.1.0")
    run(own_platform.data, "export", "--to", theirs.uri, "--database", "shop")
    whole = theirs.rows()
    theirs.query("""UPDATE "TABLE_PARAMS" SET "PARAM_VALUE" = 'theirs' WHERE "PARAM_KEY" = 'note'""")
    theirs.query("""UPDATE "SDS" SET "LOCATION" = 's3://moved' WHERE "LOCATION" LIKE '%/sales/3'""")
    text = run(own_platform.data, "export", "--to", theirs.uri, "--database", "shop")
    assert "table shop.sales differs: its description, 1 partitions" in text
    assert counts(text)["tables"] == (0, 0, 2)
    run(own_platform.data, "export", "--to", theirs.uri, "--database", "shop", "--replace")
    assert theirs.rows() == whole, "nothing of the old description is left"

    theirs.query("""UPDATE "TABLE_PARAMS" SET "PARAM_VALUE" = 'theirs' WHERE "PARAM_KEY" = 'note'""")
    assert "table shop.sales differs: its description" in run(own_platform.data, "import", "--from", theirs.uri, "--database", "shop")
    replaced = run(own_platform.data, "import", "--from", theirs.uri, "--database", "shop", "--replace")
    assert counts(replaced)["tables"] == (0, 1, 2)
    assert counts(run(own_platform.data, "import", "--from", theirs.uri, "--database", "shop"))["tables"] == (0, 0, 3)


def test_what_we_cannot_hold_is_refused_by_name(server, own_platform):
    fill(own_platform)
    assert own_platform.stop() == 0
    theirs = Metastore(server, "refused", "3.1.0")
    run(own_platform.data, "export", "--to", theirs.uri, "--database", "shop")
    ids = """(SELECT "TBL_ID" FROM "TBLS" WHERE "TBL_NAME" = '{}')"""
    theirs.query(f"""INSERT INTO "TABLE_PARAMS" VALUES ({ids.format('sales')}, 'transactional', 'true')""")
    theirs.query("""UPDATE "TBLS" SET "TBL_TYPE" = 'MATERIALIZED_VIEW' WHERE "TBL_NAME" = 'seen'""")
    theirs.query(f"""DELETE FROM "TABLE_PARAMS" WHERE "TBL_ID" = {ids.format('lake')} AND "PARAM_KEY" = 'uuid'""")
    text = run(own_platform.data.parent / "second", "import", "--from", theirs.uri, code=3)
    assert "table shop.sales: transactional Hive tables are not supported" in text
    assert "table shop.seen: tables of type MATERIALIZED_VIEW are not supported" in text
    assert "table shop.lake: the metadata of this Iceberg table is not in our object store" in text
    assert counts(text)["tables"] == (0, 0, 0) and counts(text)["functions"] == (1, 0, 0)

    assert "there is no database nowhere" in run(own_platform.data, "import", "--from", theirs.uri, "--database", "nowhere", code=1)
    theirs.query("""UPDATE "VERSION" SET "SCHEMA_VERSION" = '2.3.0'""")
    assert 'schema version "2.3.0"; 3.x and 4.x are supported' in run(own_platform.data, "import", "--from", theirs.uri, code=1)
    assert "is no Hive Metastore" in run(own_platform.data, "import", "--from", server.uri, code=1)
