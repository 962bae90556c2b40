// The aws-chunked body framing: chunks with sizes in hex, each signed or not, and trailers after
// the last. Streams: payload goes to the sink as slices of what was fed. One thread at a time.
//
// Errors (what): incomplete_body, chunk_format, chunk_too_long (invalid); signature_mismatch
// (unauthenticated).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sigv4.h"
#include "base/checksum.h"
#include "base/result.h"

namespace aichemy::auth {

class ChunkDecoder {
 public:
  // `keys` set: chunks (and a trailer) must be signed. `decoded_bytes`: what
  // x-amz-decoded-content-length says.
  ChunkDecoder(std::optional<ChunkKeys> keys, bool has_trailer, uint64_t decoded_bytes);

  using Sink = std::function<Status(std::string_view payload)>;
  Status feed(std::string_view bytes, const Sink& sink);
  // At the end of the body: everything that was announced came.
  Status finish();
  // Lower-case names.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State : uint8_t { size_line, payload, payload_end, trailer_line, done };
  std::optional<ChunkKeys> keys_;
  const bool has_trailer_;
  const uint64_t decoded_bytes_;
  State state_ = State::size_line;
  std::string line_;
  uint64_t left_ = 0;  // of the current chunk
  uint64_t decoded_ = 0;
  size_t end_bytes_ = 0;  // of the line end after a payload
  std::string chunk_signature_;
  std::optional<Digest> chunk_digest_;
  std::string trailer_text_;  // as it is signed
  std::string trailer_signature_;
  std::vector<std::pair<std::string, std::string>> trailers_;

  // Takes a line out of `bytes`, over several feeds if need be; false when more is needed.
  Result<bool> take_line(std::string_view& bytes);
  Status on_size_line();
  Status on_chunk_end();
  Status on_trailer_line();
  Status check_trailer_signature();
};

}  // namespace aichemy::auth
