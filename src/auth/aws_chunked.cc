#include "auth/aws_chunked.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace aichemy::auth {
namespace {

constexpr size_t kLineBytesMax = 4096;
constexpr size_t kTrailersMax = 32;
constexpr std::string_view kSignatureField = "chunk-signature=";

std::unexpected<Error> bad_format() {
  return fail(Code::invalid, "chunk_format", "The aws-chunked body is not well formed.");
}

std::unexpected<Error> bad_signature() {
  return fail(Code::unauthenticated, "signature_mismatch",
              "The request signature we calculated does not match the signature you provided. "
              "Check your key and "
              "signing method.");
}

}  // namespace

ChunkDecoder::ChunkDecoder(std::optional<ChunkKeys> keys, bool has_trailer, uint64_t decoded_bytes)
    : keys_(std::move(keys)), has_trailer_(has_trailer), decoded_bytes_(decoded_bytes) {}

Result<bool> ChunkDecoder::take_line(std::string_view& bytes) {
  size_t end = bytes.find('\n');
  size_t count = std::min(end, bytes.size());
  if (line_.size() + count > kLineBytesMax) return bad_format();
  line_ += bytes.substr(0, count);
  bytes.remove_prefix(end == std::string_view::npos ? count : count + 1);
  if (end == std::string_view::npos) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return true;
}

Status ChunkDecoder::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (state_ == State::payload) {
      auto count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      std::string_view payload = bytes.substr(0, count);
      bytes.remove_prefix(count);
      left_ -= count;
      if (chunk_digest_) chunk_digest_->update(payload);
      RETURN_IF_ERROR(sink(payload));
      if (left_ == 0) {
        RETURN_IF_ERROR(on_chunk_end());
        state_ = State::payload_end;
      }
      continue;
    }
    if (state_ == State::done) {
      // Some clients end with one empty line more.
      if (bytes.find_first_not_of("\r\n") != std::string_view::npos) return bad_format();
      return {};
    }
    ASSIGN_OR_RETURN(bool whole, take_line(bytes));
    if (!whole) return {};
    if (state_ == State::payload_end) {
      if (!line_.empty()) return bad_format();
      state_ = State::size_line;
    } else if (state_ == State::size_line) {
      RETURN_IF_ERROR(on_size_line());
    } else {
      RETURN_IF_ERROR(on_trailer_line());
    }
    line_.clear();
  }
  return {};
}

Status ChunkDecoder::on_size_line() {
  std::string_view line = line_;
  size_t semicolon = line.find(';');
  std::string_view size = line.substr(0, semicolon);
  auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), left_, 16);
  if (size.empty() || error != std::errc() || end != size.data() + size.size()) return bad_format();
  chunk_signature_.clear();
  if (semicolon != std::string_view::npos) {
    std::string_view extension = line.substr(semicolon + 1);
    if (extension.starts_with(kSignatureField))
      chunk_signature_ = std::string(extension.substr(kSignatureField.size()));
  }
  if (keys_ && chunk_signature_.empty()) return bad_signature();
  if (left_ > decoded_bytes_ - decoded_) {
    return fail(Code::invalid, "chunk_too_long",
                "The body is longer than x-amz-decoded-content-length.");
  }
  decoded_ += left_;
  if (keys_) chunk_digest_.emplace(DigestKind::sha256);
  if (left_ > 0) {
    state_ = State::payload;
    return {};
  }
  RETURN_IF_ERROR(on_chunk_end());
  state_ = State::trailer_line;
  return {};
}

Status ChunkDecoder::on_chunk_end() {
  if (!keys_) return {};
  static const std::string kEmptyDigest = to_hex(digest(DigestKind::sha256, ""));
  std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", keys_->date, keys_->scope,
                  keys_->signature, kEmptyDigest, to_hex(chunk_digest_->finish()));
  chunk_digest_.reset();
  std::string expected = to_hex(hmac_sha256(keys_->signing_key, to_sign));
  if (!equal_constant_time(expected, chunk_signature_)) return bad_signature();
  keys_->signature = std::move(expected);
  return {};
}

Status ChunkDecoder::on_trailer_line() {
  if (line_.empty()) {
    // Signed chunks without a trailer end here; so does a trailer.
    if (has_trailer_ && keys_) RETURN_IF_ERROR(check_trailer_signature());
    state_ = State::done;
    return {};
  }
  size_t colon = line_.find(':');
  if (!has_trailer_ || colon == std::string::npos || trailers_.size() >= kTrailersMax)
    return bad_format();
  std::string name = line_.substr(0, colon);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  std::string value = line_.substr(colon + 1);
  value.erase(0, value.find_first_not_of(" \t") == std::string::npos
                     ? value.size()
                     : value.find_first_not_of(" \t"));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
  if (name == "x-amz-trailer-signature") {
    trailer_signature_ = std::move(value);
    return {};
  }
  trailer_text_ += name + ":" + value + "\n";
  trailers_.emplace_back(std::move(name), std::move(value));
  return {};
}

Status ChunkDecoder::check_trailer_signature() {
  std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", keys_->date, keys_->scope,
                  keys_->signature, to_hex(digest(DigestKind::sha256, trailer_text_)));
  std::string expected = to_hex(hmac_sha256(keys_->signing_key, to_sign));
  return equal_constant_time(expected, trailer_signature_) ? Status{} : bad_signature();
}

Status ChunkDecoder::finish() {
  // A body may end right after the last chunk's line, or within the line end of the trailer.
  if (state_ == State::trailer_line && line_.empty()) {
    if (has_trailer_ && keys_) RETURN_IF_ERROR(check_trailer_signature());
    state_ = State::done;
  }
  if (state_ == State::done && decoded_ == decoded_bytes_) return {};
  return fail(
      Code::invalid, "incomplete_body",
      "You did not provide the number of bytes specified by the Content-Length HTTP header.");
}

}  // namespace aichemy::auth
