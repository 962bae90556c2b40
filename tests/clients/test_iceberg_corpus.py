"""apache/iceberg's metadata fixtures through the REST catalog: what is valid is registered and read, what is not is refused."""
import json
import uuid

import boto3
import pytest
import requests
from conftest import ROOT
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import BadRequestError, RESTError, ServerError

CORPUS = ROOT / "tests/golden/apache_iceberg"
INVALID = {  # and what the answer says of it
    "TableMetadataUnsupportedVersion": "version",
    "TableMetadataV1MissingSchemaType": "a schema's type is not",
    "TableMetadataV2MissingLastPartitionId": "\"last-partition-id\" is missing",
    "TableMetadataV2MissingSortOrder": "\"sort-orders\" is missing",
    "TableMetadataV2CurrentSchemaNotFound": "schema",
    "TableMetadataV2MissingPartitionSpecs": "the default partition spec 0 is missing",
    "TableMetadataV2MissingSchemas": "the current schema 0 is missing",
}
INVALID_VIEWS = {
    "ViewMetadataInvalidCurrentSchema": "names a schema that is missing",
    "ViewMetadataInvalidCurrentVersion": "current version is missing",
    "ViewMetadataMissingCurrentVersion": "current-version-id",
    "ViewMetadataMissingLocation": "location",
}


@pytest.fixture(scope="module")
def place(platform):
    at = platform["s3"]
    s3 = boto3.client("s3", endpoint_url=at["endpoint"], aws_access_key_id=at["access_key"],
                      aws_secret_access_key=at["secret_key"], region_name=at["region"])
    catalog = load_catalog("rest", uri=platform["iceberg_rest"]["uri"])
    space = "c" + uuid.uuid4().hex[:8]
    s3.create_bucket(Bucket=space)
    catalog.create_namespace(space)
    return s3, catalog, space


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.json")), ids=lambda path: path.stem)
def test_metadata(place, path):
    s3, catalog, space = place
    s3.put_object(Bucket=space, Key=path.name, Body=path.read_bytes())
    name = f"{space}.{path.stem.lower()}"
    where = f"s3://{space}/{path.name}"
    if path.stem in INVALID:
        with pytest.raises((BadRequestError, RESTError, ServerError)) as refused:
            catalog.register_table(name, where)
        assert INVALID[path.stem] in str(refused.value), refused.value
        assert not catalog.table_exists(name)
        return
    given = json.loads(path.read_text())
    if path.stem == "TableMetadataStatisticsFiles":
        # pyiceberg knows no statistics of the made-up type "ndv": the answer is looked at without it.
        with pytest.raises(ValueError, match="blob-metadata"):
            catalog.register_table(name, where)
        assert catalog.table_exists(name)
        return
    table = catalog.register_table(name, where)
    read = table.metadata
    assert read.table_uuid == uuid.UUID(given["table-uuid"]) and read.location == given["location"]
    assert read.last_updated_ms == given["last-updated-ms"] and read.properties == given.get("properties", {})
    schemas = given.get("schemas") or [given["schema"]]
    current = next(s for s in schemas if s.get("schema-id", 0) == given.get("current-schema-id", 0))
    assert [field.name for field in read.schema().fields] == [field["name"] for field in current["fields"]]
    assert [snapshot.snapshot_id for snapshot in read.snapshots] == [s["snapshot-id"] for s in given.get("snapshots", [])]
    assert len(read.statistics) == len(given.get("statistics", []))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("view/*.json")), ids=lambda path: path.stem)
def test_views(platform, place, path):
    s3, catalog, space = place
    s3.put_object(Bucket=space, Key=path.name, Body=path.read_bytes())
    name = path.stem.lower()
    base = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}"
    answer = requests.post(f"{base}/register-view", json={"name": name, "metadata-location": f"s3://{space}/{path.name}"})
    if path.stem in INVALID_VIEWS:
        assert answer.status_code == 422 and INVALID_VIEWS[path.stem] in answer.json()["error"]["message"], answer.text
        assert not catalog.view_exists((space, name))
        return
    assert answer.status_code == 200, answer.text
    given, read = json.loads(path.read_text()), requests.get(f"{base}/views/{name}").json()["metadata"]
    for key in ("view-uuid", "format-version", "location", "properties", "current-version-id", "versions", "version-log"):
        assert read[key] == given[key], key
    assert [schema["fields"] for schema in read["schemas"]] == [schema["fields"] for schema in given["schemas"]]
    again = requests.post(f"{base}/register-view", json={"name": name, "metadata-location": f"s3://{space}/{path.name}"})
    assert again.status_code == 409, again.text


def test_a_dialect_has_one_text(platform, place):
    """What is there is read, as Java reads it; a new version with two texts of one dialect is refused."""
    _, _, space = place
    base = f"{platform['iceberg_rest']['uri']}/v1/namespaces/{space}/views"
    given = json.loads((CORPUS / "view/ViewMetadataMultipleSQLsForDialect.json").read_text())
    answer = requests.post(base, json={"name": "twice", "schema": given["schemas"][0], "view-version": given["versions"][0],
                                       "properties": {}})
    assert answer.status_code == 400, answer.text
    assert "Cannot add multiple queries for dialect spark-sql" in answer.json()["error"]["message"]
