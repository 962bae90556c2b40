"""One way to ask each engine for the rows of a table: our SQL, pyiceberg, Spark and Trino's own server."""
import trino
from pyiceberg.catalog import load_catalog

from engines.values import from_arrow, from_spark, plain


def sorted_rows(rows):
    return sorted((tuple(plain(value) for value in row) for row in rows), key=repr)


class SqlEngine:
    """A Trino server, theirs or ours, through the trino client."""

    def __init__(self, connection, catalog="iceberg"):
        self.connection, self.catalog = connection, catalog

    def __call__(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    def rows(self, table, what="*"):
        return sorted_rows(self(f"SELECT {what} FROM {self.catalog}.{table}"))


class SparkEngine:
    def __init__(self, session, catalog):
        self.session, self.catalog = session, catalog

    def __call__(self, sql):
        return [tuple(row) for row in self.session.sql(sql).collect()]

    def rows(self, table, what="*"):
        frame = self.session.sql(f"SELECT {what} FROM {self.catalog}.{table}")
        kinds = [field.dataType for field in frame.schema.fields]
        return sorted_rows([from_spark(value, kind) for value, kind in zip(row, kinds)] for row in frame.collect())


class PyIceberg:
    def __init__(self, catalog):
        self.catalog = catalog

    def rows(self, table, what="*"):
        fields = ("*",) if what == "*" else tuple(what.replace(" ", "").split(","))
        frame = self.catalog.load_table(table).scan(selected_fields=fields).to_arrow()
        frame = frame if what == "*" else frame.select(list(fields))
        kinds = frame.schema.types
        return sorted_rows([from_arrow(value, kind) for value, kind in zip(row, kinds)]
                           for row in zip(*(column.to_pylist() for column in frame.columns)))


def ours(platform):
    host, port = platform["sql"]["http"].removeprefix("http://").split(":")
    return SqlEngine(trino.dbapi.connect(host=host, port=int(port), user=platform["sql"]["user"]))


def pyiceberg(platform, catalog):
    s3 = platform["s3"]
    where = {"rest": {"type": "rest", "uri": platform["iceberg_rest"]["uri"]}, "hms": {"type": "hive", "uri": platform["metastore"]["thrift"]}}
    return PyIceberg(load_catalog("engines", **where[catalog], **{
        "s3.endpoint": s3["endpoint"], "s3.access-key-id": s3["access_key"], "s3.secret-access-key": s3["secret_key"],
        "s3.region": s3["region"]}))


def others(platform):
    """What reads tables without Java: by name."""
    return {"our SQL": ours(platform), "pyiceberg, REST": pyiceberg(platform, "rest"), "pyiceberg, Metastore": pyiceberg(platform, "hms")}


def objects_below(platform, prefix):
    import boto3
    s3 = platform["s3"]
    store = boto3.client("s3", endpoint_url=s3["endpoint"], aws_access_key_id=s3["access_key"], aws_secret_access_key=s3["secret_key"],
                         region_name=s3["region"])
    return [item["Key"] for item in store.list_objects_v2(Bucket="warehouse", Prefix=prefix).get("Contents", [])]
