#include "base/bytes.h"
#include "serve/s3/exchange.h"

namespace aichemy::serve::s3 {
namespace {

using objectstore::BucketInfo;
using objectstore::ListOptions;
using objectstore::ListPage;
using objectstore::ObjectInfo;

constexpr size_t kKeysMax = 1000;
constexpr size_t kDocumentBytesMax = 2 << 20;

void owner(const Exchange& exchange, XmlWriter& xml, const char* element = "Owner") {
  xml.open(element).text("ID", exchange.owner_id()).text("DisplayName", "aichemy").close(element);
}

// Names in a listing, encoded when asked for.
class Names {
 public:
  explicit Names(bool encoded) : encoded_(encoded) {}
  std::string operator()(const std::string& name) const {
    return encoded_ ? percent_encode(name, "/") : name;
  }

 private:
  bool encoded_;
};

struct Listing {
  ListOptions options;
  bool encoded = false;
  size_t keys_max = kKeysMax;
};

Result<Listing> listing_of(const Exchange& exchange) {
  Listing listing;
  listing.options.prefix = exchange.parameter("prefix");
  listing.options.delimiter = exchange.parameter("delimiter");
  std::string encoding = exchange.parameter("encoding-type");
  if (!encoding.empty() && encoding != "url") {
    return fail(Code::invalid, "argument", "Invalid Encoding Method specified in Request");
  }
  listing.encoded = encoding == "url";
  if (std::string text = exchange.parameter("max-keys"); !text.empty()) {
    ASSIGN_OR_RETURN(int64_t number, number_of("max-keys", text, 0, INT32_MAX));
    listing.keys_max = std::min<size_t>(static_cast<size_t>(number), kKeysMax);
  }
  listing.options.keys_max = listing.keys_max;
  return listing;
}

Async<Result<ListPage>> run(Exchange& exchange, const Listing& listing) {
  co_return co_await on(exchange.services.pool, [&exchange, &listing] {
    return exchange.store().list(exchange.call(), exchange.bucket, listing.options);
  });
}

void object_element(const Exchange& exchange, const ObjectInfo& object, const Names& names,
                    bool with_owner, const char* element, bool as_version, XmlWriter& xml) {
  xml.open(element).text("Key", names(object.key));
  xml.text("LastModified", format_iso8601(object.last_modified)).text("ETag", quoted(object.etag));
  for (const auto& [algorithm, value] : object.checksums) {
    std::string name = algorithm;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    xml.text("ChecksumAlgorithm", name);
  }
  if (!object.checksums.empty()) xml.text("ChecksumType", object.checksum_type);
  xml.number("Size", object.size);
  if (with_owner) owner(exchange, xml);
  xml.text("StorageClass", "STANDARD");
  if (as_version) xml.flag("IsLatest", true).text("VersionId", "null");
  xml.close(element);
}

void prefix_elements(const ListPage& page, const Names& names, XmlWriter& xml) {
  for (const std::string& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes").text("Prefix", names(prefix)).close("CommonPrefixes");
  }
}

}  // namespace

Async<Status> list_buckets(Exchange& exchange) {
  auto listed = co_await on(exchange.services.pool,
                            [&exchange] { return exchange.store().list_buckets(exchange.call()); });
  if (!listed) co_return std::unexpected(listed.error());
  int64_t most = INT32_MAX;
  if (exchange.has("max-buckets")) {
    CO_ASSIGN_OR_RETURN(most,
                        number_of("max-buckets", exchange.parameter("max-buckets"), 1, 10'000));
  }
  std::string prefix = exchange.parameter("prefix");
  auto after = from_base64(exchange.parameter("continuation-token"));
  if (!after)
    co_return fail(Code::invalid, "argument", "The continuation token provided is incorrect");
  XmlWriter xml;
  xml.open("ListAllMyBucketsResult", kNamespace);
  owner(exchange, xml);
  xml.open("Buckets");
  std::string last;
  bool truncated = false;
  for (const BucketInfo& bucket : *listed) {
    if (!bucket.name.starts_with(prefix) || bucket.name <= *after) continue;
    if (most-- == 0) {
      truncated = true;
      break;
    }
    xml.open("Bucket")
        .text("Name", bucket.name)
        .text("CreationDate", format_iso8601(bucket.created))
        .close("Bucket");
    last = bucket.name;
  }
  xml.close("Buckets");
  if (truncated) xml.text("ContinuationToken", to_base64(last));
  co_return co_await exchange.send_xml(xml.close("ListAllMyBucketsResult").take());
}

Async<Status> create_bucket(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(std::string document, co_await receive_document(exchange, kDocumentBytesMax));
  if (!document.empty()) {
    CO_ASSIGN_OR_RETURN(XmlNode root, parse_xml(document));
    std::string_view location = root.text_of("LocationConstraint");
    const std::string& region = exchange.services.options.region;
    if (!location.empty() && location != region && location != "us-east-1") {
      co_return fail(Code::invalid, "region", "Region does not match; expecting '" + region + "'.");
    }
  }
  if (exchange.header("x-amz-bucket-object-lock-enabled") == "true")
    co_return fail(Code::unsupported, "header", "");
  auto created = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().create_bucket(exchange.call(), exchange.bucket);
  });
  if (!created) co_return std::unexpected(created.error());
  exchange.response.headers.set("Location", "/" + exchange.bucket);
  co_return co_await exchange.send_empty(200);
}

Async<Status> head_bucket(Exchange& exchange) {
  auto found = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head_bucket(exchange.call(), exchange.bucket);
  });
  if (!found) co_return std::unexpected(found.error());
  co_return co_await exchange.send_empty(200);
}

Async<Status> delete_bucket(Exchange& exchange) {
  auto removed = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().delete_bucket(exchange.call(), exchange.bucket);
  });
  if (!removed) co_return std::unexpected(removed.error());
  co_return co_await exchange.send_empty(204);
}

Async<Status> get_location(Exchange& exchange) {
  auto found = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head_bucket(exchange.call(), exchange.bucket);
  });
  if (!found) co_return std::unexpected(found.error());
  // The first region has no name here, as in S3.
  const std::string& region = exchange.services.options.region;
  XmlWriter xml;
  xml.open("LocationConstraint", kNamespace);
  std::string text = xml.take() + (region == "us-east-1" ? "" : region) + "</LocationConstraint>";
  co_return co_await exchange.send_xml(std::move(text));
}

Async<Status> get_versioning(Exchange& exchange) {
  auto found = co_await on(exchange.services.pool, [&exchange] {
    return exchange.store().head_bucket(exchange.call(), exchange.bucket);
  });
  if (!found) co_return std::unexpected(found.error());
  XmlWriter xml;
  xml.open("VersioningConfiguration", kNamespace).close("VersioningConfiguration");
  co_return co_await exchange.send_xml(xml.take());
}

// Everything belongs to the one owner.
Async<Status> get_acl(Exchange& exchange) {
  auto found = co_await on(exchange.services.pool, [&exchange]() -> Status {
    if (exchange.key.empty()) {
      RETURN_IF_ERROR(exchange.store().head_bucket(exchange.call(), exchange.bucket));
    } else {
      RETURN_IF_ERROR(exchange.store().head(exchange.call(), exchange.bucket, exchange.key, {}));
    }
    return {};
  });
  if (!found) co_return std::unexpected(found.error());
  std::string id = exchange.owner_id();
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"" +
      std::string(kNamespace) + "\"><Owner><ID>" + id +
      "</ID><DisplayName>aichemy</DisplayName></Owner><AccessControlList><Grant><Grantee "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>" +
      id +
      "</ID><DisplayName>aichemy</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></"
      "Grant>"
      "</AccessControlList></AccessControlPolicy>";
  co_return co_await exchange.send_xml(std::move(text));
}

Async<Status> list_objects(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(Listing listing, listing_of(exchange));
  listing.options.start_after = exchange.parameter("marker");
  CO_ASSIGN_OR_RETURN(ListPage page, co_await run(exchange, listing));
  Names names(listing.encoded);
  XmlWriter xml;
  xml.open("ListBucketResult", kNamespace).text("Name", exchange.bucket);
  xml.text("Prefix", names(listing.options.prefix))
      .text("Marker", names(listing.options.start_after));
  // S3 sends it with a delimiter only; without one clients take the last key.
  if (page.truncated && !listing.options.delimiter.empty())
    xml.text("NextMarker", names(page.next_start_after));
  xml.number("MaxKeys", listing.keys_max);
  if (!listing.options.delimiter.empty()) xml.text("Delimiter", names(listing.options.delimiter));
  xml.flag("IsTruncated", page.truncated);
  for (const ObjectInfo& object : page.objects)
    object_element(exchange, object, names, true, "Contents", false, xml);
  prefix_elements(page, names, xml);
  if (listing.encoded) xml.text("EncodingType", "url");
  co_return co_await exchange.send_xml(xml.close("ListBucketResult").take());
}

Async<Status> list_objects_v2(Exchange& exchange) {
  if (exchange.parameter("list-type") != "2")
    co_return fail(Code::invalid, "argument", "Invalid list-type");
  CO_ASSIGN_OR_RETURN(Listing listing, listing_of(exchange));
  std::string start_after = exchange.parameter("start-after");
  std::string token = exchange.parameter("continuation-token");
  listing.options.start_after = start_after;
  if (exchange.has("continuation-token")) {
    auto decoded = from_base64(token);
    if (!decoded || decoded->empty())
      co_return fail(Code::invalid, "argument", "The continuation token provided is incorrect");
    listing.options.start_after = *decoded;
  }
  CO_ASSIGN_OR_RETURN(ListPage page, co_await run(exchange, listing));
  Names names(listing.encoded);
  XmlWriter xml;
  xml.open("ListBucketResult", kNamespace)
      .text("Name", exchange.bucket)
      .text("Prefix", names(listing.options.prefix));
  if (!start_after.empty()) xml.text("StartAfter", names(start_after));
  if (!token.empty()) xml.text("ContinuationToken", token);
  if (page.truncated) xml.text("NextContinuationToken", to_base64(page.next_start_after));
  xml.number("KeyCount", page.objects.size() + page.common_prefixes.size())
      .number("MaxKeys", listing.keys_max);
  if (!listing.options.delimiter.empty()) xml.text("Delimiter", names(listing.options.delimiter));
  xml.flag("IsTruncated", page.truncated);
  bool with_owner = exchange.parameter("fetch-owner") == "true";
  for (const ObjectInfo& object : page.objects) {
    object_element(exchange, object, names, with_owner, "Contents", false, xml);
  }
  prefix_elements(page, names, xml);
  if (listing.encoded) xml.text("EncodingType", "url");
  co_return co_await exchange.send_xml(xml.close("ListBucketResult").take());
}

Async<Status> list_versions(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(Listing listing, listing_of(exchange));
  listing.options.start_after = exchange.parameter("key-marker");
  CO_ASSIGN_OR_RETURN(ListPage page, co_await run(exchange, listing));
  Names names(listing.encoded);
  XmlWriter xml;
  xml.open("ListVersionsResult", kNamespace).text("Name", exchange.bucket);
  xml.text("Prefix", names(listing.options.prefix))
      .text("KeyMarker", names(listing.options.start_after));
  xml.text("VersionIdMarker", exchange.parameter("version-id-marker"));
  if (page.truncated)
    xml.text("NextKeyMarker", names(page.next_start_after)).text("NextVersionIdMarker", "null");
  xml.number("MaxKeys", listing.keys_max);
  if (!listing.options.delimiter.empty()) xml.text("Delimiter", names(listing.options.delimiter));
  xml.flag("IsTruncated", page.truncated);
  for (const ObjectInfo& object : page.objects)
    object_element(exchange, object, names, true, "Version", true, xml);
  prefix_elements(page, names, xml);
  if (listing.encoded) xml.text("EncodingType", "url");
  co_return co_await exchange.send_xml(xml.close("ListVersionsResult").take());
}

namespace {

// One <Object> of a <Delete>.
Status remove_named(Exchange& exchange, const XmlNode& object) {
  std::string key(object.text_of("Key"));
  RETURN_IF_ERROR(exchange.may_use(exchange.bucket, key));
  std::string_view version = object.text_of("VersionId");
  if (!version.empty() && version != "null")
    return fail(Code::not_found, "no_such_version", "The specified version does not exist.");
  objectstore::Conditions conditions;
  conditions.if_match = parse_etags(object.text_of("ETag"));
  return exchange.store().remove(exchange.call(), exchange.bucket, key, conditions);
}

}  // namespace

Async<Status> delete_objects(Exchange& exchange) {
  CO_ASSIGN_OR_RETURN(std::string document, co_await receive_document(exchange, kDocumentBytesMax));
  CO_ASSIGN_OR_RETURN(XmlNode root, parse_xml(document));
  auto malformed = fail(
      Code::invalid, "malformed_xml",
      "The XML you provided was not well-formed or did not validate against our published schema");
  if (root.name != "Delete") co_return malformed;
  bool quiet = root.text_of("Quiet") == "true";
  std::vector<const XmlNode*> objects;
  for (const XmlNode& child : root.children) {
    if (child.name == "Object") objects.push_back(&child);
  }
  if (objects.empty() || objects.size() > kKeysMax) co_return malformed;
  auto remove_all = [&]() -> Result<std::string> {
    RETURN_IF_ERROR(exchange.store().head_bucket(exchange.call(), exchange.bucket));
    XmlWriter xml;
    xml.open("DeleteResult", kNamespace);
    for (const XmlNode* object : objects) {
      std::string key(object->text_of("Key"));
      std::string_view version = object->text_of("VersionId");
      Status removed = remove_named(exchange, *object);
      if (removed) {
        if (quiet) continue;
        xml.open("Deleted").text("Key", key);
        if (!version.empty()) xml.text("VersionId", version);
        xml.close("Deleted");
        continue;
      }
      Exchange of_key(exchange.services, exchange.request, exchange.response);
      of_key.key = key;
      auto inner = parse_xml(error_xml(of_key, removed.error()));
      xml.open("Error").text("Key", key);
      if (inner)
        xml.text("Code", inner->text_of("Code")).text("Message", inner->text_of("Message"));
      xml.close("Error");
    }
    return xml.close("DeleteResult").take();
  };
  auto answer = co_await on(exchange.services.pool, remove_all);
  if (!answer) co_return std::unexpected(answer.error());
  co_return co_await exchange.send_xml(std::move(*answer));
}

}  // namespace aichemy::serve::s3
