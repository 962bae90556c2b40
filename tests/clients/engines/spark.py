"""Apache Spark 3.5 with Iceberg's runtime, in this process and its Java: a session whose catalogs `rest` and `hms` are ours."""
import os
from pathlib import Path

from client_files import maven_file

JARS = ["org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.12.0", "org.apache.iceberg:iceberg-aws-bundle:1.12.0"]


def java_home():
    """Spark 3.5 runs on Java 8, 11 and 17."""
    found = sorted(Path("/usr/lib/jvm").glob("*17*/bin/java"))
    return found[0].parents[1] if found else None


def settings(platform):
    """The lines of docs/engines.md."""
    s3 = platform["s3"]
    lines = {"spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"}
    for name, where in (("rest", {"type": "rest", "uri": platform["iceberg_rest"]["uri"]}),
                        ("hms", {"type": "hive", "uri": platform["metastore"]["thrift"]})):
        catalog = f"spark.sql.catalog.{name}"
        lines[catalog] = "org.apache.iceberg.spark.SparkCatalog"
        lines |= {f"{catalog}.{key}": value for key, value in where.items()}
        lines |= {
            f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            f"{catalog}.s3.endpoint": s3["endpoint"],
            f"{catalog}.s3.path-style-access": "true",
            f"{catalog}.s3.access-key-id": s3["access_key"],
            f"{catalog}.s3.secret-access-key": s3["secret_key"],
            f"{catalog}.client.region": s3["region"],
            f"{catalog}.cache-enabled": "false",
        }
    lines["spark.sql.catalog.hms.warehouse"] = "s3://warehouse/"
    return lines


def start(platform):
    os.environ["JAVA_HOME"] = str(java_home())
    from pyspark.sql import SparkSession
    builder = SparkSession.builder.master("local[2]").appName("aichemy")
    ours = {
        "spark.driver.extraClassPath": os.pathsep.join(str(maven_file(jar)) for jar in JARS),
        "spark.driver.memory": "1g", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC",
        "spark.sql.defaultCatalog": "rest", "spark.log.level": "ERROR",
    }
    for key, value in {**ours, **settings(platform)}.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()
