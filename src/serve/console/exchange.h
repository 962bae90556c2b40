// One request of the API on its way through a handler, and the services handlers work with.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/call.h"
#include "serve/console/api_schema.h"
#include "serve/console/console_service.h"
#include "serve/http/http.h"

namespace aichemy::serve::console {

class QueryDesk;
class Sessions;
class OverviewKeeper;
class SavedQueries;
class Decoders;
class AuditTrail;

// What lives as long as the service, besides the platform's own parts.
struct Parts {
  ConsoleOptions& options;
  QueryDesk& queries;
  Sessions& sessions;
  OverviewKeeper& overview;
  SavedQueries& saved;
  Decoders& decoders;
  AuditTrail& audit;
};

struct Exchange {
  Parts& parts;
  const Call& call;  // principal: the user
  Role role = Role::nobody;
  std::vector<std::string> path;  // what stood for the {} of the route
  std::map<std::string, std::string> query;
  Json body;

  ConsoleOptions& services() { return parts.options; }
  std::string text(const char* name, std::string fallback = "") const;
  int64_t number(const char* name, int64_t fallback) const;  // checked before
};

// Raw: a body that is JSON text already.
struct Answer {
  Json json;
  std::string raw;
  Answer(Json value) : json(std::move(value)) {}
  static Answer text(std::string body) {
    Answer out{Json()};
    out.raw = std::move(body);
    return out;
  }
};

// Blocking, on a pool.
using Run = Result<Answer> (*)(Exchange&);
// On the io loop: answers by itself, problems before the first byte come back.
using Stream = Async<Status> (*)(Exchange&, http::Request&, http::Response&,
                                 const std::function<bool()>& stopping);

// Which requests of a route leave a line in the audit trail, besides those that GET.
enum class Audited : uint8_t { each, none, statements_that_change };

struct Route {
  const char* method;
  const char* path;  // below /api/v1, {name} stands for one segment
  Role role;
  const char* name;        // of the operation
  const char* parameters;  // of the query
  const char* request;     // record type of the body; "" none
  const char* response;    // kind; "" for no content or bytes
  const char* about;
  Run run = nullptr;
  Stream stream = nullptr;
  bool uses_sql = false;  // runs on the pool of statements
  Audited audited = Audited::each;
};
std::span<const Route> routes();

}  // namespace aichemy::serve::console
