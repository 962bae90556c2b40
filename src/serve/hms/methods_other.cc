// Locks, events, functions, catalogs, and what belongs to every Thrift service of Facebook's making
// (fb303). // lint: table
#include <algorithm>

#include "serve/hms/methods.h"

namespace aichemy::serve::hms {

namespace {

using std::string;
template <class T>
using Vector = std::vector<T>;
using Strings = Vector<string>;
using enum Thrown;

constexpr int32_t kAlive = 2;
// What a 3.1.3 server says.
constexpr const char* kVersion = "3.0";

Result<hive::NotificationResult> next_events(Exchange& e,
                                             const hive::NotificationRequest& request) {
  hive::NotificationResult result;
  ASSIGN_OR_RETURN(result.events, e.hive.events_after(e.call, request.last_event,
                                                      request.events_max.value_or(-1)));
  if (request.skipped_types) {
    std::erase_if(result.events, [&](const auto& event) {
      return std::ranges::find(*request.skipped_types, event.type) != request.skipped_types->end();
    });
  }
  return result;
}

Result<hive::GetCatalogResult> load_catalog(Exchange& e, const hive::GetCatalogRequest& request) {
  if (!request.name.empty() && request.name != "hive")
    return fail(Code::not_found, "no_such_catalog", "there is one catalog: hive");
  ASSIGN_OR_RETURN(auto database, e.hive.load_database(e.call, "default"));
  string location = database.location.value_or("");
  return hive::GetCatalogResult{
      {"hive", "the catalog of this platform", location.substr(0, location.rfind('/')), {}}};
}

// No constraints are kept: every list is empty.
template <class Request>
Handler no_constraints() {
  return bind([](Exchange& e, Request request) -> Result<hive::ConstraintsResult> {
    if (request.database_name && request.table_name)
      RETURN_IF_ERROR(e.hive.load_table(e.call, *request.database_name, *request.table_name));
    return hive::ConstraintsResult{};
  });
}

}  // namespace

const Vector<Method>& other_methods() {  // lint: table
  static const Vector<Method> kMethods = {
      {"set_ugi",
       bind([](Exchange& e, string user, Strings groups) -> Result<Strings> {
         e.session.user = user;
         return groups;
       }),
       {meta}},
      {"lock",
       bind([](Exchange& e, hive::LockRequest request) { return e.locks.lock(request); }),
       {no_such_transaction, transaction_aborted}},
      {"check_lock",
       bind([](Exchange& e, hive::LockIdRequest request) {
         return e.locks.check(request.lock_id.value_or(0));
       }),
       {no_such_transaction, transaction_aborted, no_such_lock}},
      {"unlock",
       bind([](Exchange& e, hive::LockIdRequest request) {
         return e.locks.unlock(request.lock_id.value_or(0));
       }),
       {no_such_lock, transaction_open}},
      {"heartbeat",
       bind([](Exchange& e, hive::LockIdRequest request) {
         return e.locks.heartbeat(request.lock_id.value_or(0));
       }),
       {no_such_lock, no_such_transaction, transaction_aborted}},
      {"show_locks",
       bind([](Exchange& e, hive::ShowLocksRequest request) -> Result<hive::ShowLocksResult> {
         return hive::ShowLocksResult{e.locks.show(request)};
       }),
       {}},
      {"get_current_notificationEventId",
       bind([](Exchange& e) -> Result<hive::CurrentNotification> {
         ASSIGN_OR_RETURN(int64_t id, e.hive.last_event(e.call));
         return hive::CurrentNotification{id};
       }),
       {}},
      {"get_next_notification",
       bind([](Exchange& e, hive::NotificationRequest request) { return next_events(e, request); }),
       {}},
      {"get_notification_events_count",
       bind([](Exchange& e,
               hive::NotificationCountRequest request) -> Result<hive::NotificationCount> {
         ASSIGN_OR_RETURN(int64_t count, e.hive.count_events(e.call, request));
         return hive::NotificationCount{count};
       }),
       {}},
      {"create_function",
       bind([](Exchange& e, hive::Function function) {
         if (!function.owner && !e.session.user.empty()) function.owner = e.session.user;
         return e.hive.create_function(e.call, function);
       }),
       {already_exists, invalid_object, meta, no_such_object}},
      {"alter_function",
       bind([](Exchange& e, string database, string name, hive::Function function) {
         return e.hive.alter_function(e.call, database, name, function);
       }),
       {invalid_operation, meta}},
      {"drop_function",
       bind([](Exchange& e, string database, string name) {
         return e.hive.drop_function(e.call, database, name);
       }),
       {no_such_object, meta}},
      {"get_function",
       bind([](Exchange& e, string database, string name) {
         return e.hive.load_function(e.call, database, name);
       }),
       {meta, no_such_object}},
      {"get_functions",
       bind([](Exchange& e, string database, string pattern) {
         return e.hive.list_functions(e.call, database, pattern);
       }),
       {meta}},
      {"get_all_functions",
       bind([](Exchange& e) -> Result<hive::GetAllFunctionsResult> {
         ASSIGN_OR_RETURN(auto functions, e.hive.all_functions(e.call));
         return hive::GetAllFunctionsResult{std::move(functions)};
       }),
       {meta}},
      {"get_catalogs",
       bind([](Exchange&) -> Result<hive::NamesResult> { return hive::NamesResult{{"hive"}}; }),
       {meta}},
      {"get_catalog",
       bind([](Exchange& e, hive::GetCatalogRequest request) { return load_catalog(e, request); }),
       {no_such_object, meta}},
      {"get_primary_keys", no_constraints<hive::ConstraintsRequest>(), {meta, no_such_object}},
      {"get_foreign_keys",
       bind([](Exchange&, hive::Nothing) -> Result<hive::ConstraintsResult> {
         return hive::ConstraintsResult{};
       }),
       {meta, no_such_object}},
      {"get_unique_constraints",
       no_constraints<hive::NamedConstraintsRequest>(),
       {meta, no_such_object}},
      {"get_not_null_constraints",
       no_constraints<hive::NamedConstraintsRequest>(),
       {meta, no_such_object}},
      {"get_default_constraints",
       no_constraints<hive::NamedConstraintsRequest>(),
       {meta, no_such_object}},
      {"get_check_constraints",
       no_constraints<hive::NamedConstraintsRequest>(),
       {meta, no_such_object}},
      {"get_active_resource_plan",
       bind([](Exchange&, hive::Nothing) -> Result<hive::Nothing> { return hive::Nothing{}; }),
       {meta}},
      // Nobody has been granted anything: whoever reaches the port may do everything.
      {"get_role_names",
       bind([](Exchange&) -> Result<Strings> { return Strings{"admin", "public"}; }),
       {meta}},
      {"get_privilege_set",
       bind([](Exchange&, hive::Nothing, string, Strings) -> Result<hive::PrincipalPrivilegeSet> {
         return hive::PrincipalPrivilegeSet{};
       }),
       {meta}},
      {"list_privileges",
       bind([](Exchange&, string, int32_t, hive::Nothing) -> Result<Vector<hive::Nothing>> {
         return Vector<hive::Nothing>();
       }),
       {meta}},
      {"get_config_value",
       bind([](Exchange&, string, string fallback) -> Result<string> { return fallback; }),
       {config_value}},
      {"getMetaConf",
       bind([](Exchange&, string key) -> Result<string> {
         return fail(Code::invalid, "meta_configuration", "Invalid configuration key " + key);
       }),
       {meta}},
      {"flushCache", bind([](Exchange&) -> Status { return {}; }), {}},
      {"getName", bind([](Exchange&) -> Result<string> { return "AIchemy metastore"; }), {}},
      {"getVersion", bind([](Exchange&) -> Result<string> { return kVersion; }), {}},
      {"getStatus", bind([](Exchange&) -> Result<int32_t> { return kAlive; }), {}},
      {"getStatusDetails", bind([](Exchange&) -> Result<string> { return "OK"; }), {}},
      {"aliveSince", bind([](Exchange& e) -> Result<int64_t> { return e.started_seconds; }), {}},
      {"getCounters",
       bind([](Exchange&) -> Result<std::map<string, int64_t>> {
         return std::map<string, int64_t>();
       }),
       {}},
      {"getOptions",
       bind([](Exchange&) -> Result<hive::Parameters> { return hive::Parameters(); }),
       {}},
      // A client says good-bye with it; a server of many does not stop for one.
      {"shutdown", bind([](Exchange&) -> Status { return {}; }), {}, true},
      {"reinitialize", bind([](Exchange&) -> Status { return {}; }), {}, true},
  };
  return kMethods;
}

}  // namespace aichemy::serve::hms
