// The Objects page: buckets, folders, uploads in parts, links. Bytes stream through download and
// upload; everything else is JSON.
#include <algorithm>
#include <charconv>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "serve/console/handlers.h"
#include "serve/console/parquet_bounds.h"
#include "sql/engine/parquet_preview.h"

namespace aichemy::serve::console {
namespace {

using objectstore::ObjectStore;

constexpr int64_t kLinkSecondsMax = 604'800;
constexpr size_t kRemoveMax = 100'000;
constexpr size_t kStreamBytes = 512 << 10;
constexpr int kPreviewRows = 50;

ObjectStore& store_of(Exchange& exchange) { return exchange.services().store; }

int64_t millis(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

Json entry_json(const objectstore::ObjectInfo& info) {
  Json out;
  out.set("key", info.key).set("size", info.size).set("etag", info.etag);
  out.set("modified_millis", millis(info.last_modified));
  return out;
}

Json map_json(const std::map<std::string, std::string>& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) out.set(key, value);
  return out;
}

// Removes one key, or everything below it when it is a folder. Returns how many.
Result<int64_t> remove_below(Exchange& exchange, const std::string& bucket, const std::string& key,
                             size_t most) {
  ObjectStore& store = store_of(exchange);
  if (!key.ends_with('/')) {
    RETURN_IF_ERROR(store.remove(exchange.call, bucket, key, {}));
    return 1;
  }
  int64_t removed = 0;
  objectstore::ListOptions options;
  options.prefix = key;
  for (;;) {
    ASSIGN_OR_RETURN(auto page, store.list(exchange.call, bucket, options));
    for (const auto& object : page.objects) {
      RETURN_IF_ERROR(exchange.call.interrupted(exchange.services().clock));
      RETURN_IF_ERROR(store.remove(exchange.call, bucket, object.key, {}));
      ++removed;
    }
    if (!page.truncated || static_cast<size_t>(removed) >= most) return removed;
    options.start_after = page.next_start_after;
  }
}

Result<int> part_number(const std::string& text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 10'000)
    return value;
  return fail(Code::invalid, "request", "a part's number goes from 1 to 10000");
}

// What a browser may show in place. Everything else is downloaded: a page that somebody uploaded
// must not run as ours (and no scalable image, which can hold scripts).
bool may_show(std::string_view type) {
  static constexpr std::string_view kShown[] = {"image/png",  "image/jpeg", "image/gif",
                                                "image/webp", "image/avif", "image/bmp"};
  return std::ranges::find(kShown, type) != std::end(kShown);
}

std::string attachment(const std::string& key) {
  std::string name = key.substr(key.rfind('/') + 1);
  return "attachment; filename*=UTF-8''" + percent_encode(name.empty() ? "object" : name);
}

// The body of a request into a writer: reads on the loop, writes on the pool.
Async<Result<objectstore::ObjectInfo>> take_body(
    Exchange& exchange, http::Request& request, std::unique_ptr<objectstore::ObjectWriter> writer) {
  Pool& pool = exchange.services().pool;
  std::string buffer(kStreamBytes, '\0');
  for (;;) {
    size_t have = 0;
    while (have < buffer.size()) {
      CO_ASSIGN_OR_RETURN(size_t got,
                          co_await request.read_some(buffer.data() + have, buffer.size() - have));
      if (got == 0) break;
      have += got;
    }
    if (have == 0) break;
    CO_RETURN_IF_ERROR(
        co_await on(pool, [&] { return writer->append(std::string_view(buffer.data(), have)); }));
  }
  co_return co_await on(pool, [&] { return writer->commit(); });
}

}  // namespace

Result<Answer> list_buckets(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto buckets, store_of(exchange).list_buckets(exchange.call));
  Json list = Json::array();
  for (const auto& bucket : buckets) {
    Json row;
    row.set("name", bucket.name).set("created_millis", millis(bucket.created));
    list.push(std::move(row));
  }
  return Answer(Json().set("buckets", std::move(list)));
}

Result<Answer> create_bucket(Exchange& exchange) {
  std::string name(exchange.body["name"].as_string());
  RETURN_IF_ERROR(store_of(exchange).create_bucket(exchange.call, name));
  return Answer(Json());
}

Result<Answer> delete_bucket(Exchange& exchange) {
  RETURN_IF_ERROR(store_of(exchange).delete_bucket(exchange.call, exchange.path[0]));
  return Answer(Json());
}

Result<Answer> list_objects(Exchange& exchange) {
  objectstore::ListOptions options;
  options.prefix = exchange.text("prefix");
  options.delimiter = "/";
  options.start_after = exchange.text("after");
  options.keys_max =
      static_cast<size_t>(std::clamp<int64_t>(exchange.number("limit", 1000), 1, 1000));
  ASSIGN_OR_RETURN(auto page, store_of(exchange).list(exchange.call, exchange.path[0], options));
  Json folders = Json::array(), objects = Json::array();
  for (const auto& folder : page.common_prefixes) folders.push(folder);
  for (const auto& object : page.objects) objects.push(entry_json(object));
  Json out;
  out.set("folders", std::move(folders)).set("objects", std::move(objects));
  if (page.truncated) out.set("next_after", page.next_start_after);
  return Answer(std::move(out));
}

Result<Answer> get_object(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto info, store_of(exchange).head(exchange.call, exchange.path[0],
                                                      exchange.text("key"), {}));
  Json out = entry_json(info);
  out.set("tags", map_json(objectstore::tags_of(info.metadata)));
  info.metadata.erase(objectstore::kTagsName);
  out.set("content_type", info.content_type).set("metadata", map_json(info.metadata));
  out.set("checksums", map_json(info.checksums)).set("parts", info.parts_count);
  return Answer(std::move(out));
}

// Columns and first rows of a Parquet file. head() first: its errors are the store's, not the
// engine's.
Result<Answer> preview_object(Exchange& exchange) {
  std::string key = exchange.text("key");
  ASSIGN_OR_RETURN(auto reader, store_of(exchange).open(exchange.call, exchange.path[0], key, {}));
  RETURN_IF_ERROR(check_parquet_bounds(*reader));
  ASSIGN_OR_RETURN(auto preview,
                   sql::preview_parquet(exchange.services().engine, exchange.call,
                                        "s3://" + exchange.path[0] + "/" + key, kPreviewRows));
  Json columns = Json::array(), out;
  for (const auto& column : preview.columns)
    columns.push(Json().set("name", column.name).set("type", column.type));
  out.set("rows", preview.rows).set("row_groups", preview.row_groups);
  out.set("columns", std::move(columns)).set("first_rows", std::move(preview.first_rows));
  out.set("no_rows", preview.no_rows);
  return Answer(std::move(out));
}

Result<Answer> tag_object(Exchange& exchange) {
  objectstore::Tags tags;
  for (const auto& [key, value] : exchange.body["tags"].as_object())
    tags[key] = std::string(value.as_string());
  RETURN_IF_ERROR(exchange.services().tagging.set_tags(
      exchange.call, exchange.path[0], std::string(exchange.body["key"].as_string()), tags));
  return Answer(Json());
}

Result<Answer> remove_objects(Exchange& exchange) {
  int64_t removed = 0;
  for (const Json& key : exchange.body["keys"].as_array()) {
    ASSIGN_OR_RETURN(int64_t count, remove_below(exchange, exchange.path[0],
                                                 std::string(key.as_string()), kRemoveMax));
    removed += count;
  }
  return Answer(Json().set("removed", removed));
}

// A presigned GET (SigV4, query parameters) with the caller's own access key.
Result<Answer> share_object(Exchange& exchange) {
  ConsoleOptions& options = exchange.services();
  if (options.s3_endpoint.empty())
    return fail(Code::unavailable, "s3_off", "links need the S3 port: s3.enabled is false");
  int64_t seconds = exchange.body["seconds"].as_int();
  if (seconds < 1 || seconds > kLinkSecondsMax)
    return fail(Code::invalid, "request", "seconds goes from 1 to 604800 (seven days)");
  std::optional<auth::AccessKey> key;
  for (const auto& id : options.keys.ids()) {
    auto one = options.keys.find(id);
    if (one && one->user == exchange.call.principal) key = one;
  }
  if (!key) {
    return fail(Code::not_found, "no_access_key",
                exchange.call.principal + " has no S3 access key to sign with: an admin adds one");
  }
  std::string object(exchange.body["key"].as_string());
  auto found = options.store.head(exchange.call, exchange.path[0], object, {});
  if (!found) return std::unexpected(found.error());
  std::string host = options.s3_endpoint.substr(options.s3_endpoint.find("//") + 2);
  std::string path = "/" + percent_encode(exchange.path[0]) + "/" + percent_encode(object, "/");
  std::string date = auth::format_amz_date(options.clock.wall_now());
  std::string scope = date.substr(0, 8) + "/" + options.s3_region + "/s3/aws4_request";
  std::string query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + percent_encode(key->id + "/" + scope) +
      "&X-Amz-Date=" + date + "&X-Amz-Expires=" + std::to_string(seconds) +
      "&X-Amz-SignedHeaders=host";
  ASSIGN_OR_RETURN(std::string canonical, auth::canonical_query(query));
  std::string request =
      "GET\n" + path + "\n" + canonical + "\nhost:" + host + "\n\nhost\nUNSIGNED-PAYLOAD";
  std::string text = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" +
                     to_hex(digest(DigestKind::sha256, request));
  std::string signature = to_hex(hmac_sha256(
      auth::signing_key(key->secret, date.substr(0, 8), options.s3_region, "s3"), text));
  std::string url = options.s3_endpoint + path + "?" + canonical + "&X-Amz-Signature=" + signature;
  return Answer(Json().set("url", url));
}

Async<Status> download_object(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>&) {
  Pool& pool = exchange.services().pool;
  std::string key = exchange.text("key");
  auto reader = co_await on(
      pool, [&] { return store_of(exchange).open(exchange.call, exchange.path[0], key, {}); });
  if (!reader) co_return std::unexpected(reader.error());
  const objectstore::ObjectInfo& info = (*reader)->info();
  bool inline_ = exchange.text("inline") == "true" && may_show(info.content_type);
  uint64_t size = info.size;
  if (exchange.query.contains("bytes"))
    size = std::min(size, static_cast<uint64_t>(std::max<int64_t>(0, exchange.number("bytes", 0))));
  response.headers.set("Content-Type", inline_ ? info.content_type : "application/octet-stream");
  response.headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  if (!inline_) response.headers.set("Content-Disposition", attachment(key));
  if (request.method == "HEAD") co_return co_await response.send();
  CO_RETURN_IF_ERROR(co_await response.begin(size));
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(size, kStreamBytes)), '\0');
  for (uint64_t at = 0; at < size;) {
    auto want = static_cast<size_t>(std::min<uint64_t>(size - at, buffer.size()));
    auto got = co_await on(pool, [&] { return (*reader)->read_at(at, buffer.data(), want); });
    if (!got || *got == 0) co_return Status();  // the connection closes short: the client sees it
    if (!co_await response.write({buffer.data(), *got})) co_return Status();
    at += *got;
  }
  co_return co_await response.end();
}

Async<Status> upload_object(Exchange& exchange, http::Request& request, http::Response& response,
                            const std::function<bool()>&) {
  objectstore::PutOptions options;
  std::string_view type = request.headers.get("Content-Type");
  if (!type.empty()) options.content_type = type;
  options.size_hint = request.content_length;
  auto writer = co_await on(exchange.services().pool, [&] {
    return store_of(exchange).write(exchange.call, exchange.path[0], exchange.text("key"), options);
  });
  if (!writer) co_return std::unexpected(writer.error());
  auto info = co_await take_body(exchange, request, std::move(*writer));
  if (!info) co_return std::unexpected(info.error());
  response.headers.set("Content-Type", "application/json");
  co_return co_await response.send(entry_json(*info).dump());
}

Result<Answer> start_upload(Exchange& exchange) {
  objectstore::PutOptions options;
  options.content_type = exchange.text("content_type", "application/octet-stream");
  ASSIGN_OR_RETURN(std::string id,
                   store_of(exchange).create_upload(exchange.call, exchange.path[0],
                                                    exchange.text("key"), options, "", ""));
  return Answer(Json().set("upload_id", id));
}

Result<Answer> list_parts(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto parts,
                   store_of(exchange).list_parts(exchange.call, exchange.path[0],
                                                 exchange.text("key"), exchange.path[1]));
  Json list = Json::array();
  for (const auto& part : parts) {
    Json row;
    row.set("number", part.number).set("etag", part.etag).set("size", part.size);
    list.push(std::move(row));
  }
  return Answer(Json().set("parts", std::move(list)));
}

Async<Status> upload_part(Exchange& exchange, http::Request& request, http::Response& response,
                          const std::function<bool()>&) {
  CO_ASSIGN_OR_RETURN(int number, part_number(exchange.path[2]));
  objectstore::PutOptions options;
  options.size_hint = request.content_length;
  auto writer = co_await on(exchange.services().pool, [&] {
    return store_of(exchange).write_part(exchange.call, exchange.path[0], exchange.text("key"),
                                         exchange.path[1], number, options);
  });
  if (!writer) co_return std::unexpected(writer.error());
  auto info = co_await take_body(exchange, request, std::move(*writer));
  if (!info) co_return std::unexpected(info.error());
  Json out;
  out.set("number", number).set("etag", info->etag).set("size", info->size);
  response.headers.set("Content-Type", "application/json");
  co_return co_await response.send(out.dump());
}

Result<Answer> finish_upload(Exchange& exchange) {
  std::vector<objectstore::PartInfo> parts;
  for (const Json& row : exchange.body["parts"].as_array()) {
    objectstore::PartInfo part;
    part.number = static_cast<int>(row["number"].as_int());
    part.etag = row["etag"].as_string();
    parts.push_back(std::move(part));
  }
  auto done = store_of(exchange).complete_upload(exchange.call, exchange.path[0],
                                                 exchange.text("key"), exchange.path[1], parts, {});
  if (!done) return std::unexpected(done.error());
  return Answer(Json());
}

Result<Answer> abort_upload(Exchange& exchange) {
  RETURN_IF_ERROR(store_of(exchange).abort_upload(exchange.call, exchange.path[0],
                                                  exchange.text("key"), exchange.path[1]));
  return Answer(Json());
}

}  // namespace aichemy::serve::console
