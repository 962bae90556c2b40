// The S3 front: REST requests signed with Signature Version 4 onto an ObjectStore. One table of
// routes (routes.cc), one of errors (error_table.cc), no logic of storage. Path style always;
// virtual-host style too when `domain` is set. Subresources that are not offered answer
// NotImplemented, or that nothing is configured.
//
// Threads: handlers run on io loops; hashing, decoding and every store call run on `pool`. A
// request holds one body buffer (512 KiB) besides what the store's writer or reader holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "auth/access_keys.h"
#include "auth/session_keys.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "objectstore/object_store.h"
#include "objectstore/object_tags.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "serve/http/http.h"

namespace aichemy::serve::s3 {

struct S3Options {
  std::string address = "127.0.0.1";
  uint16_t port = 9000;  // 0: any free one
  std::string region = "us-east-1";
  std::string domain;  // "s3.example.org": bucket.s3.example.org is a bucket
  std::optional<http::TlsFiles> tls;
  objectstore::ObjectTagging* tagging = nullptr;  // none: tags are refused
  const auth::SessionKeys* sessions = nullptr;    // none: no security token is known
};

class S3Server {
 public:
  // Errors of http::Server::start. Everything given must outlive the server.
  static Result<std::unique_ptr<S3Server>> start(IoThreads& io, Pool& pool, Metrics& metrics,
                                                 Clock& clock, Random& random,
                                                 objectstore::ObjectStore& store,
                                                 auth::AccessKeys& keys, S3Options options);
  ~S3Server();
  uint16_t port() const;
  void stop(std::chrono::milliseconds drain);

 private:
  struct State;
  explicit S3Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aichemy::serve::s3
