"""Real S3 clients against the running platform: boto3, s3cmd, pyarrow's S3 filesystem, plain HTTP."""
import base64
import hashlib
import io
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
import uuid
import zlib

import pytest

boto3 = pytest.importorskip("boto3")
from botocore.client import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3_facts(platform):
    return platform["s3"]


def make_client(facts, **overrides):
    options = dict(
        endpoint_url=facts["endpoint"],
        aws_access_key_id=facts["access_key"],
        aws_secret_access_key=facts["secret_key"],
        region_name=facts["region"],
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    options.update(overrides)
    return boto3.client("s3", **options)


@pytest.fixture(scope="module")
def client(s3_facts):
    return make_client(s3_facts)


@pytest.fixture()
def bucket(client):
    name = "test-" + uuid.uuid4().hex[:12]
    client.create_bucket(Bucket=name)
    yield name
    # As test suites clean up: versions, then DeleteObjects.
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        keys = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in page.get("Versions", [])]
        if keys:
            answer = client.delete_objects(Bucket=name, Delete={"Objects": keys})
            assert "Errors" not in answer
    client.delete_bucket(Bucket=name)


def code_of(error):
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_buckets(client, bucket):
    assert bucket in [b["Name"] for b in client.list_buckets()["Buckets"]]
    client.head_bucket(Bucket=bucket)
    assert client.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    with pytest.raises(ClientError) as error:
        client.create_bucket(Bucket=bucket)
    assert code_of(error) == ("BucketAlreadyOwnedByYou", 409)
    with pytest.raises(ClientError) as error:
        client.head_bucket(Bucket="absent-" + uuid.uuid4().hex)
    assert code_of(error)[1] == 404
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(ClientError) as error:
        client.delete_bucket(Bucket=bucket)
    assert code_of(error) == ("BucketNotEmpty", 409)


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 131073, MIB, 5 * MIB + 17, 20 * MIB])
def test_sizes(client, bucket, size):
    body = os.urandom(size)
    put = client.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["ContentLength"] == size
    assert got["Body"].read() == body
    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == size


KEYS = ["a/hello.txt", "dir/", "ü nicode/ключ +&=?%20#.txt", "plain", "x" * 1024, "quote'\"<>&.txt", "a//b", "tab\there"]


@pytest.mark.parametrize("key", KEYS)
def test_keys(client, bucket, key):
    client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [o["Key"] for o in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    client.copy_object(Bucket=bucket, Key=key[:1000] + "2", CopySource={"Bucket": bucket, "Key": key})
    client.delete_object(Bucket=bucket, Key=key)
    assert client.get_object(Bucket=bucket, Key=key[:1000] + "2")["Body"].read() == key.encode()


def test_metadata_and_overrides(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"1", ContentType="text/x-test", CacheControl="no-cache",
                      ContentDisposition="attachment", ContentEncoding="gzip", ContentLanguage="de",
                      Metadata={"one": "1", "Two": "zwei"})
    head = client.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "text/x-test" and head["CacheControl"] == "no-cache"
    assert head["ContentEncoding"] == "gzip" and head["ContentLanguage"] == "de"
    assert head["Metadata"] == {"one": "1", "two": "zwei"}
    got = client.get_object(Bucket=bucket, Key="k", ResponseContentType="a/b", ResponseContentDisposition="inline")
    assert got["ContentType"] == "a/b" and got["ContentDisposition"] == "inline"
    client.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", MetadataDirective="REPLACE",
                       Metadata={"three": "3"}, ContentType="c/d")
    head = client.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"three": "3"} and head["ContentType"] == "c/d"
    with pytest.raises(ClientError) as error:
        client.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    assert code_of(error) == ("InvalidRequest", 400)
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="m", Body=b"", Metadata={"big": "x" * 2100})
    assert code_of(error) == ("MetadataTooLarge", 400)


RANGES = [("bytes=0-4", 0, 5), ("bytes=-3", 8, 11), ("bytes=6-", 6, 11), ("bytes=3-3", 3, 4), ("bytes=4-99", 4, 11)]


@pytest.mark.parametrize("header,begin,end", RANGES)
def test_ranges(client, bucket, header, begin, end):
    body = b"hello world"
    client.put_object(Bucket=bucket, Key="k", Body=body)
    got = client.get_object(Bucket=bucket, Key="k", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {begin}-{end - 1}/11"
    assert got["Body"].read() == body[begin:end]


def test_range_errors(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"hello world")
    with pytest.raises(ClientError) as error:
        client.get_object(Bucket=bucket, Key="k", Range="bytes=100-200")
    assert code_of(error) == ("InvalidRange", 416)
    whole = client.get_object(Bucket=bucket, Key="k", Range="bytes=0-1,3-4")
    assert whole["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_large_ranges(client, bucket):
    body = os.urandom(7 * MIB + 5)
    client.put_object(Bucket=bucket, Key="k", Body=body)
    for begin, end in [(0, MIB), (MIB - 1, 3 * MIB + 1), (len(body) - 10, len(body)), (528255, 528258), (1056510, 1056515)]:
        got = client.get_object(Bucket=bucket, Key="k", Range=f"bytes={begin}-{end - 1}")["Body"].read()
        assert got == body[begin:end], (begin, end)


def test_missing(client, bucket):
    with pytest.raises(ClientError) as error:
        client.get_object(Bucket=bucket, Key="nope")
    assert code_of(error) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as error:
        client.get_object(Bucket="absent-bucket-1", Key="nope")
    assert code_of(error) == ("NoSuchBucket", 404)
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")
    assert code_of(error) == ("KeyTooLongError", 400)
    assert client.delete_object(Bucket=bucket, Key="nope")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_read_conditions(client, bucket):
    etag = client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    modified = client.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert client.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"1"
    for arguments, status in [({"IfMatch": '"x"'}, 412), ({"IfNoneMatch": etag}, 304),
                              ({"IfModifiedSince": modified}, 304),
                              ({"IfUnmodifiedSince": modified.replace(year=2001)}, 412)]:
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket=bucket, Key="k", **arguments)
        assert code_of(error)[1] == status, arguments


def test_write_conditions(client, bucket):
    etag = client.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert code_of(error) == ("PreconditionFailed", 412)
    new = client.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)["ETag"]
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert code_of(error) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="absent", Body=b"3", IfMatch=etag)
    assert code_of(error) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as error:
        client.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    assert code_of(error) == ("PreconditionFailed", 412)
    client.delete_object(Bucket=bucket, Key="k", IfMatch=new)


def test_conditional_writes_never_lose_an_update(s3_facts, client, bucket):
    client.put_object(Bucket=bucket, Key="count", Body=b"0")

    def count_up():
        mine = make_client(s3_facts)
        done = 0
        while done < 5:
            got = mine.get_object(Bucket=bucket, Key="count")
            value = int(got["Body"].read())
            try:
                mine.put_object(Bucket=bucket, Key="count", Body=str(value + 1).encode(), IfMatch=got["ETag"])
                done += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"

    threads = [threading.Thread(target=count_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get_object(Bucket=bucket, Key="count")["Body"].read() == b"30"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums(client, bucket, algorithm):
    if algorithm in ("CRC32C", "CRC64NVME"):
        pytest.importorskip("awscrt")
    body = b"checksummed" * 1000
    put = client.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    field = "Checksum" + algorithm
    head = client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[field] == put[field]
    assert field not in client.head_object(Bucket=bucket, Key="k")
    assert client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == body
    attributes = client.get_object_attributes(Bucket=bucket, Key="k",
                                              ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
    assert attributes["Checksum"][field] == put[field]
    assert attributes["ObjectSize"] == len(body)


def test_wrong_checksums(client, bucket):
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="k", Body=b"1", ChecksumCRC32="AAAAAA==")
    assert code_of(error) == ("XAmzContentChecksumMismatch", 400)
    with pytest.raises(ClientError) as error:
        client.put_object(Bucket=bucket, Key="k", Body=b"1", ContentMD5=base64.b64encode(b"0" * 16).decode())
    assert code_of(error) == ("BadDigest", 400)
    with pytest.raises(ClientError):
        client.head_object(Bucket=bucket, Key="k")


def test_lists(client, bucket):
    keys = sorted(f"l/{i % 3}/f{i:02}" for i in range(30)) + ["m"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for operation in ("list_objects", "list_objects_v2"):
        pages = client.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
        assert [o["Key"] for page in pages for o in page.get("Contents", [])] == keys
        pages = client.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
        assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["l/"]
        pages = client.get_paginator(operation).paginate(Bucket=bucket, Prefix="l/", Delimiter="/",
                                                         PaginationConfig={"PageSize": 2})
        assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["l/0/", "l/1/", "l/2/"]
    page = client.list_objects_v2(Bucket=bucket, StartAfter="l/2", MaxKeys=3, FetchOwner=True)
    assert [o["Key"] for o in page["Contents"]] == [k for k in keys if k > "l/2"][:3]
    assert page["KeyCount"] == 3 and page["IsTruncated"] and "Owner" in page["Contents"][0]
    versions = [v for page in client.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 4}) for v in page["Versions"]]
    assert [v["Key"] for v in versions] == keys and {v["VersionId"] for v in versions} == {"null"}


def test_delete_objects(client, bucket):
    for key in "abc":
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "absent"}]})
    assert {d["Key"] for d in answer["Deleted"]} == {"a", "absent"}
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in answer
    assert [o["Key"] for o in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]


def test_multipart(client, bucket):
    parts = [os.urandom(5 * MIB), os.urandom(6 * MIB + 3), os.urandom(1000)]
    upload = client.create_multipart_upload(Bucket=bucket, Key="big", ContentType="a/b", Metadata={"m": "1"},
                                            ChecksumAlgorithm="CRC32")["UploadId"]
    done = []
    for number, part in enumerate(parts, 1):
        answer = client.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=part,
                                    ChecksumAlgorithm="CRC32")
        done.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
    listed = client.list_parts(Bucket=bucket, Key="big", UploadId=upload)
    assert [p["Size"] for p in listed["Parts"]] == [len(p) for p in parts]
    assert [u["UploadId"] for u in client.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    with pytest.raises(ClientError) as error:
        client.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload,
                                         MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"00"'}]})
    assert code_of(error) == ("InvalidPart", 400)
    complete = client.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload,
                                                MultipartUpload={"Parts": done})
    digests = b"".join(hashlib.md5(p).digest() for p in parts)
    assert complete["ETag"] == '"%s-3"' % hashlib.md5(digests).hexdigest()
    sums = b"".join(zlib.crc32(p).to_bytes(4, "big") for p in parts)
    assert complete["ChecksumCRC32"] == base64.b64encode(zlib.crc32(sums).to_bytes(4, "big")).decode() + "-3"
    got = client.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == b"".join(parts)
    assert got["ContentType"] == "a/b" and got["Metadata"] == {"m": "1"}
    second = client.get_object(Bucket=bucket, Key="big", PartNumber=2)
    assert second["PartsCount"] == 3 and second["Body"].read() == parts[1]
    again = client.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": done})
    assert again["ETag"] == complete["ETag"]


def test_multipart_errors_and_copy(client, bucket):
    source = os.urandom(12 * MIB)
    client.put_object(Bucket=bucket, Key="source", Body=source)
    upload = client.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    ranges = [(0, 5 * MIB), (5 * MIB, 11 * MIB), (11 * MIB, 12 * MIB)]
    done = []
    for number, (begin, end) in enumerate(ranges, 1):
        answer = client.upload_part_copy(Bucket=bucket, Key="copy", UploadId=upload, PartNumber=number,
                                         CopySource=f"{bucket}/source", CopySourceRange=f"bytes={begin}-{end - 1}")
        done.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    with pytest.raises(ClientError) as error:
        client.complete_multipart_upload(Bucket=bucket, Key="copy", UploadId=upload,
                                         MultipartUpload={"Parts": [done[1], done[0]]})
    assert code_of(error) == ("InvalidPartOrder", 400)
    with pytest.raises(ClientError) as error:
        client.complete_multipart_upload(Bucket=bucket, Key="copy", UploadId=upload,
                                         MultipartUpload={"Parts": [done[2], ]}) and client.complete_multipart_upload(
            Bucket=bucket, Key="copy", UploadId="0" * 32, MultipartUpload={"Parts": done})
    assert code_of(error)[0] in ("NoSuchUpload", "EntityTooSmall")
    upload = client.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]
    etags = [client.upload_part(Bucket=bucket, Key="small", UploadId=upload, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)]
    with pytest.raises(ClientError) as error:
        client.complete_multipart_upload(Bucket=bucket, Key="small", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": n, "ETag": etags[n - 1]} for n in (1, 2)]})
    assert code_of(error) == ("EntityTooSmall", 400)
    client.abort_multipart_upload(Bucket=bucket, Key="small", UploadId=upload)
    with pytest.raises(ClientError) as error:
        client.list_parts(Bucket=bucket, Key="small", UploadId=upload)
    assert code_of(error) == ("NoSuchUpload", 404)


def test_transfer_manager(client, bucket, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(30 * MIB))
    client.upload_file(str(path), bucket, "file")
    client.download_file(bucket, "file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    client.upload_fileobj(io.BytesIO(b"stream"), bucket, "stream")
    copy = client.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/file")
    assert copy["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(path.read_bytes()).hexdigest()


def test_presigned(s3_facts, bucket):
    client = make_client(s3_facts, config=Config(signature_version="s3v4"))
    url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(url, data=b"presigned", method="PUT"))
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"presigned"
    for broken in (url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), url.replace("Signature=", "Signature=0")):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(broken)
        assert error.value.code == 403 and b"SignatureDoesNotMatch" in error.value.read()
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{s3_facts['endpoint']}/{bucket}/p%20q")
    assert error.value.code == 403 and b"<Code>AccessDenied</Code>" in error.value.read()


def test_refused_identities(s3_facts):
    with pytest.raises(ClientError) as error:
        make_client(s3_facts, aws_access_key_id="nobody").list_buckets()
    assert code_of(error) == ("InvalidAccessKeyId", 403)
    with pytest.raises(ClientError) as error:
        make_client(s3_facts, aws_secret_access_key="wrong-secret").list_buckets()
    assert code_of(error) == ("SignatureDoesNotMatch", 403)


def test_not_offered(client, bucket):
    for call in (lambda: client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
                 lambda: client.put_bucket_acl(Bucket=bucket, ACL="public-read")):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == ("NotImplemented", 501)
    with pytest.raises(ClientError) as error:
        client.get_bucket_policy(Bucket=bucket)
    assert code_of(error) == ("NoSuchBucketPolicy", 404)
    assert "Status" not in client.get_bucket_versioning(Bucket=bucket)


def test_tags(client, bucket):
    def tags(key="k"):
        return {tag["Key"]: tag["Value"] for tag in client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}

    def put(pairs, key="k"):
        return client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in pairs]})

    def refused(expected, call):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == expected
    client.put_object(Bucket=bucket, Key="k", Body=b"x" * 300_000, Metadata={"a": "b"})
    before = client.head_object(Bucket=bucket, Key="k")
    assert tags() == {} and "TagCount" not in before
    put([("project", "a b"), ("ü", "1+1=2:/@_-."), ("empty", "")])
    assert tags() == {"project": "a b", "ü": "1+1=2:/@_-.", "empty": ""}
    after = client.get_object(Bucket=bucket, Key="k")
    assert after["TagCount"] == 3 and after["Body"].read() == b"x" * 300_000
    assert (after["ETag"], after["LastModified"], after["Metadata"]) == (before["ETag"], before["LastModified"], {"a": "b"})
    assert not [name for name in after["ResponseMetadata"]["HTTPHeaders"] if name == "x-amz-tagging"]
    put([("project", "c")])
    assert tags() == {"project": "c"}, "all before are replaced"
    for pairs, code in ((([(str(i), "v") for i in range(11)]), "BadRequest"), ([("k" * 129, "v")], "InvalidTag"), ([("k", "v" * 257)], "InvalidTag"),
                        ([("k", "1"), ("k", "2")], "InvalidTag"), ([("aws:k", "v")], "InvalidTag"), ([("k", "<script>")], "InvalidTag")):
        refused((code, 400), lambda pairs=pairs: put(pairs))
    assert tags() == {"project": "c"}
    refused(("NoSuchKey", 404), lambda: put([("a", "b")], "absent"))
    refused(("NoSuchKey", 404), lambda: tags("absent"))
    refused(("NoSuchBucket", 404), lambda: client.get_object_tagging(Bucket="absent-" + bucket, Key="k"))
    # They come along with copies, or in their place.
    source = {"Bucket": bucket, "Key": "k"}
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert tags("copy") == {"project": "c"}
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "1"})
    assert tags("copy") == {"project": "c"}, "of their own directive"
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source, TaggingDirective="REPLACE", Tagging="x=1&y=a%20b")
    assert tags("copy") == {"x": "1", "y": "a b"} and client.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"a": "b"}
    # With the object, in one piece or in parts.
    client.put_object(Bucket=bucket, Key="put", Body=b"x", Tagging="x=1+2&y")
    assert tags("put") == {"x": "1 2", "y": ""}
    client.put_object(Bucket=bucket, Key="put", Body=b"x")
    assert tags("put") == {}, "a new object has none"
    refused(("InvalidTag", 400), lambda: client.put_object(Bucket=bucket, Key="never", Body=b"x", Tagging="x=1&x=2"))
    refused(("NoSuchKey", 404), lambda: tags("never"))
    upload = client.create_multipart_upload(Bucket=bucket, Key="parts", Tagging="x=1")["UploadId"]
    part = client.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    client.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    assert tags("parts") == {"x": "1"}
    assert client.delete_object_tagging(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags() == {} and client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * 300_000
    with pytest.raises(ClientError) as error:
        client.get_bucket_tagging(Bucket=bucket)
    assert code_of(error) == ("NoSuchTagSet", 404)


def test_tags_outlive_a_crash(own_platform):
    client = make_client(own_platform.ready["s3"])
    client.create_bucket(Bucket="tagged")
    for i, size in enumerate((10, 100_000, 1 << 20)):
        client.put_object(Bucket="tagged", Key=str(i), Body=b"x" * size)
        client.put_object_tagging(Bucket="tagged", Key=str(i), Tagging={"TagSet": [{"Key": "size", "Value": str(size)}]})
    own_platform.kill()
    own_platform.start()
    client = make_client(own_platform.ready["s3"])
    for i, size in enumerate((10, 100_000, 1 << 20)):
        assert client.get_object_tagging(Bucket="tagged", Key=str(i))["TagSet"] == [{"Key": "size", "Value": str(size)}]
        assert client.get_object(Bucket="tagged", Key=str(i))["Body"].read() == b"x" * size


def test_health(s3_facts):
    for probe in ("live", "ready", "cluster"):
        assert urllib.request.urlopen(f"{s3_facts['endpoint']}/minio/health/{probe}").status == 200


def test_pyarrow(s3_facts, bucket):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs
    scheme, address = s3_facts["endpoint"].split("://")
    s3 = fs.S3FileSystem(access_key=s3_facts["access_key"], secret_key=s3_facts["secret_key"], region=s3_facts["region"],
                         endpoint_override=address, scheme=scheme, allow_bucket_creation=True)
    table = pa.table({"id": list(range(200_000)), "name": [f"row {i}" for i in range(200_000)]})
    pq.write_table(table, f"{bucket}/t/data.parquet", filesystem=s3)
    assert pq.read_table(f"{bucket}/t/data.parquet", filesystem=s3).equals(table)
    assert pq.read_table(f"{bucket}/t/data.parquet", filesystem=s3, columns=["id"]).num_rows == 200_000
    with s3.open_output_stream(f"{bucket}/stream") as out:
        for i in range(12):
            out.write(bytes([i]) * MIB)
    with s3.open_input_file(f"{bucket}/stream") as back:
        back.seek(7 * MIB - 1)
        assert back.read(2) == b"\x06\x07"
    infos = s3.get_file_info(fs.FileSelector(bucket, recursive=True))
    assert {i.path for i in infos if i.is_file} == {f"{bucket}/t/data.parquet", f"{bucket}/stream"}
    s3.copy_file(f"{bucket}/stream", f"{bucket}/copy")
    s3.move(f"{bucket}/copy", f"{bucket}/moved")
    s3.delete_dir(f"{bucket}/t")
    assert s3.get_file_info(f"{bucket}/moved").size == 12 * MIB


@pytest.mark.skipif(not shutil.which("s3cmd"), reason="s3cmd is not installed")
def test_s3cmd(s3_facts, bucket, tmp_path):
    address = s3_facts["endpoint"].split("://")[1]
    config = tmp_path / "s3cfg"
    config.write_text(f"[default]\naccess_key={s3_facts['access_key']}\nsecret_key={s3_facts['secret_key']}\n"
                      f"host_base={address}\nhost_bucket={address}\nuse_https=False\nbucket_location=us-east-1\n")

    def run(*arguments):
        done = subprocess.run(["s3cmd", "-c", str(config), *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    big = tmp_path / "big"
    big.write_bytes(os.urandom(20 * MIB))
    run("put", "--multipart-chunk-size-mb=5", str(big), f"s3://{bucket}/x/big")
    run("put", str(config), f"s3://{bucket}/x/small", "--add-header=x-amz-meta-a:b")
    assert f"s3://{bucket}/x/big" in run("ls", "-r", f"s3://{bucket}")
    run("get", f"s3://{bucket}/x/big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    assert "File size: " in run("info", f"s3://{bucket}/x/small")
    run("info", f"s3://{bucket}")
    run("cp", f"s3://{bucket}/x/small", f"s3://{bucket}/y")
    run("mv", f"s3://{bucket}/y", f"s3://{bucket}/z")
    run("sync", str(tmp_path) + "/", f"s3://{bucket}/sync/")
    run("del", "-r", "--force", f"s3://{bucket}/sync/")
    assert "20" in run("du", f"s3://{bucket}")
