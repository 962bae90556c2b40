// A client's session as it arrives with each statement, and what a statement changes in it.
// Sessions are the client's: the server keeps none between statements (Trino's protocol).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace aichemy::sql {

struct Session {
  std::string user;
  std::string source;
  std::optional<std::string> catalog;  // lower case
  std::optional<std::string> schema;
  std::string path;               // SET PATH's text; see parse_path()
  std::string time_zone = "UTC";  // IANA name or +HH:MM
  std::string language = "en-US";
  std::string query_id;
  std::map<std::string, std::string> properties;  // also catalog.property
  std::map<std::string, std::string> prepared;    // name -> SQL
  std::string role;                               // the system role: "", ALL, NONE, ROLE{name}
  std::set<std::string> roles;                    // that are enabled by it
  std::optional<std::string> transaction;         // id; none: autocommit
  bool client_transactions = false;               // the client said it can carry a transaction id
  bool parametric_datetime = true;
  bool number = true;
  bool variant = true;
  bool session_authorization = true;
  bool client_path = true;  // the client keeps what SET PATH tells it
  WallTime start{};         // now() of the statement
};

// Told to the client in response headers.
struct SessionChanges {
  std::optional<std::string> set_catalog, set_schema, set_path;
  std::map<std::string, std::string> set_properties;
  std::vector<std::string> clear_properties;
  std::map<std::string, std::string> set_roles;
  std::map<std::string, std::string> added_prepared;
  std::vector<std::string> deallocated_prepared;
  std::optional<std::string> started_transaction;
  bool clear_transaction = false;
  std::optional<std::string> set_authorization_user;
  bool reset_authorization_user = false;
};

}  // namespace aichemy::sql
