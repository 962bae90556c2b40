// Statements that are kept: the SQL page's second half.
#include "serve/console/handlers.h"
#include "serve/console/saved_queries.h"

namespace aichemy::serve::console {
namespace {

Person person_of(const Exchange& exchange) { return {exchange.call.principal, exchange.role}; }

Json saved_json(const SavedQuery& query) {
  Json out;
  out.set("id", query.id).set("owner", query.owner).set("name", query.name);
  out.set("sql", query.sql).set("schema", query.schema).set("shared", query.shared);
  out.set("version", query.version).set("changed_millis", query.changed_millis);
  out.set("changed_by", query.changed_by);
  return out;
}

SavedQuery given_query(const Json& body) {
  SavedQuery out;
  out.name = body["name"].as_string();
  out.sql = body["sql"].as_string();
  out.schema = body["schema"].as_string();
  out.shared = body["shared"].as_bool();
  out.version = body["version"].as_int();
  return out;
}

}  // namespace

Result<Answer> list_saved_queries(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto queries, exchange.parts.saved.list(person_of(exchange)));
  Json list = Json::array();
  for (const auto& query : queries) list.push(saved_json(query));
  return Answer(Json().set("queries", std::move(list)));
}

Result<Answer> save_query(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto saved,
                   exchange.parts.saved.add(person_of(exchange), given_query(exchange.body)));
  return Answer(saved_json(saved));
}

Result<Answer> change_saved_query(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto saved, exchange.parts.saved.change(person_of(exchange), exchange.path[0],
                                                           given_query(exchange.body)));
  return Answer(saved_json(saved));
}

Result<Answer> remove_saved_query(Exchange& exchange) {
  RETURN_IF_ERROR(exchange.parts.saved.remove(person_of(exchange), exchange.path[0]));
  return Answer(Json());
}

}  // namespace aichemy::serve::console
