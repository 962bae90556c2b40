// Request bodies: read on the io loop in large steps, decoded, hashed and stored on the pool.
#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "serve/s3/exchange.h"

namespace aichemy::serve::s3 {
namespace {

using objectstore::ObjectInfo;
using objectstore::ObjectWriter;
using objectstore::PutOptions;

constexpr size_t kStepBytes = 512 << 10;
constexpr uint64_t kObjectBytesMax = uint64_t{5} << 30;  // of one PUT
constexpr size_t kSmallBytes = 128 << 10;

bool is_chunked(auth::PayloadKind kind) {
  return kind == auth::PayloadKind::signed_chunks ||
         kind == auth::PayloadKind::signed_chunks_trailer ||
         kind == auth::PayloadKind::unsigned_chunks_trailer;
}

// Undoes aws-chunked and proves the payload digest.
class BodyDecoder {
 public:
  BodyDecoder(const auth::Verified& verified, uint64_t decoded_bytes) : verified_(verified) {
    if (is_chunked(verified.payload)) {
      bool with_signatures = verified.payload != auth::PayloadKind::unsigned_chunks_trailer;
      std::optional<auth::ChunkKeys> keys;
      if (with_signatures) keys = verified.chunk_keys;
      chunks_.emplace(std::move(keys), verified.payload != auth::PayloadKind::signed_chunks,
                      decoded_bytes);
    } else if (verified.payload == auth::PayloadKind::digest) {
      digest_.emplace(DigestKind::sha256);
    }
  }

  Status feed(std::string_view bytes, const auth::ChunkDecoder::Sink& sink) {
    if (chunks_) return chunks_->feed(bytes, sink);
    if (digest_) digest_->update(bytes);
    return sink(bytes);
  }

  Status finish() {
    if (chunks_) return chunks_->finish();
    if (digest_ && !equal_constant_time(to_hex(digest_->finish()), verified_.payload_digest)) {
      return fail(Code::invalid, "content_sha256_mismatch", "");
    }
    return {};
  }

  std::vector<std::pair<std::string, std::string>> trailers() const {
    return chunks_ ? chunks_->trailers() : std::vector<std::pair<std::string, std::string>>{};
  }

 private:
  const auth::Verified& verified_;
  std::optional<auth::ChunkDecoder> chunks_;
  std::optional<Digest> digest_;
};

struct BodySize {
  uint64_t decoded = 0;  // of the payload
  uint64_t wire = 0;     // as framed
};

Result<BodySize> body_size(const Exchange& exchange) {
  BodySize size;
  const http::Request& request = exchange.request;
  auto announced = exchange.header("x-amz-decoded-content-length");
  if (is_chunked(exchange.verified.payload)) {
    if (announced.empty()) return fail(Code::invalid, "missing_length", "");
    ASSIGN_OR_RETURN(int64_t decoded,
                     number_of("x-amz-decoded-content-length", announced, 0, INT64_MAX));
    size.decoded = static_cast<uint64_t>(decoded);
    size.wire = request.content_length.value_or(UINT64_MAX);
  } else {
    if (request.chunked) return fail(Code::invalid, "missing_length", "");
    size.decoded = size.wire = request.content_length.value_or(0);
  }
  if (size.decoded > kObjectBytesMax) return fail(Code::invalid, "entity_too_large", "");
  return size;
}

// Checksums that come as trailers are announced, so that they are computed on the way.
Status plan_trailers(const Exchange& exchange, PutOptions& options) {
  std::string_view names = exchange.header("x-amz-trailer");
  while (!names.empty()) {
    size_t comma = std::min(names.find(','), names.size());
    std::string_view name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    std::string algorithm = checksum_algorithm_of(name);
    if (algorithm.empty())
      return fail(Code::invalid, "argument",
                  "The value specified in the x-amz-trailer header is not supported");
    options.checksum_algorithms.push_back(std::move(algorithm));
  }
  return {};
}

// Fills the buffer, or as much of it as the body still has.
Async<Result<size_t>> fill(http::Request& request, std::string& buffer) {
  size_t filled = 0;
  while (filled < buffer.size()) {
    CO_ASSIGN_OR_RETURN(size_t got,
                        co_await request.read_some(buffer.data() + filled, buffer.size() - filled));
    if (got == 0) break;
    filled += got;
  }
  co_return filled;
}

}  // namespace

Async<Result<ObjectInfo>> receive_object(
    Exchange& exchange, std::function<Result<std::unique_ptr<ObjectWriter>>(PutOptions)> open,
    PutOptions options) {
  CO_ASSIGN_OR_RETURN(BodySize size, body_size(exchange));
  CO_RETURN_IF_ERROR(plan_trailers(exchange, options));
  options.size_hint = size.decoded;
  BodyDecoder decoder(exchange.verified, size.decoded);
  std::unique_ptr<ObjectWriter> writer;
  bool first = true;
  uint64_t received = 0;
  // One byte more than a small body: its end is seen in the same step, and it costs one visit to
  // the pool.
  std::string buffer(size.wire <= kSmallBytes ? size.wire + 1 : kStepBytes, '\0');
  if (size.decoded > kSmallBytes) {
    // Refuse before a long body is asked for (100-continue) or read.
    auto opened = co_await on(exchange.services.pool, [&] { return open(options); });
    if (!opened) co_return std::unexpected(opened.error());
    writer = std::move(*opened);
  }
  while (true) {
    CO_ASSIGN_OR_RETURN(size_t filled, co_await fill(exchange.request, buffer));
    received += filled;
    bool last = filled < buffer.size() || received == size.wire;
    auto step = [&]() -> Result<std::optional<ObjectInfo>> {
      if (first && !writer) {
        ASSIGN_OR_RETURN(writer, open(options));
      }
      RETURN_IF_ERROR(decoder.feed({buffer.data(), filled}, [&](std::string_view payload) {
        return writer->append(payload);
      }));
      if (!last) return std::nullopt;
      if (size.wire != UINT64_MAX && received != size.wire)
        return fail(Code::invalid, "incomplete_body", "");
      RETURN_IF_ERROR(decoder.finish());
      for (const auto& [name, value] : decoder.trailers()) {
        std::string algorithm = checksum_algorithm_of(name);
        if (!algorithm.empty()) writer->expect_checksum(algorithm, value);
      }
      ASSIGN_OR_RETURN(ObjectInfo info, writer->commit());
      return info;
    };
    auto done = co_await on(exchange.services.pool, step);
    first = false;
    if (!done) {
      // The writer may have files to remove: not on the loop.
      auto error = done.error();
      co_await on(exchange.services.pool, [&]() -> Status { return writer.reset(), Status{}; });
      co_return std::unexpected(error);
    }
    if (*done) co_return std::move(**done);
  }
}

Async<Result<std::string>> receive_document(Exchange& exchange, size_t bytes_max) {
  CO_ASSIGN_OR_RETURN(BodySize size, body_size(exchange));
  if (size.decoded > bytes_max || (size.wire != UINT64_MAX && size.wire > 2 * bytes_max)) {
    co_return fail(Code::invalid, "entity_too_large", "");
  }
  CO_ASSIGN_OR_RETURN(std::string wire, co_await exchange.request.read_all(2 * bytes_max));
  auto options = put_options_of(exchange);
  if (!options) co_return std::unexpected(options.error());
  auto checked = [&]() -> Result<std::string> {
    BodyDecoder decoder(exchange.verified, size.decoded);
    std::string document;
    RETURN_IF_ERROR(decoder.feed(
        wire, [&](std::string_view payload) { return document += payload, Status{}; }));
    RETURN_IF_ERROR(decoder.finish());
    if (!options->expected_md5.empty() &&
        options->expected_md5 != digest(DigestKind::md5, document)) {
      return fail(Code::invalid, "bad_digest", "");
    }
    return document;
  };
  co_return co_await on(exchange.services.pool, checked);
}

Result<ObjectInfo> copy_bytes(objectstore::ObjectReader& from, ByteRange range, ObjectWriter& to) {
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(range.count, 2 * kStepBytes)), '\0');
  while (range.count > 0) {
    auto step = static_cast<size_t>(std::min<uint64_t>(range.count, buffer.size()));
    ASSIGN_OR_RETURN(size_t got, from.read_at(range.offset, buffer.data(), step));
    if (got == 0)
      return fail(Code::corrupt, "corrupt_object", "an object is shorter than its record says");
    RETURN_IF_ERROR(to.append({buffer.data(), got}));
    range.offset += got;
    range.count -= got;
  }
  return to.commit();
}

}  // namespace aichemy::serve::s3
