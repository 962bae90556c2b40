#include <set>

#include "base/bytes.h"
#include "base/checksum.h"
#include "serve/iceberg/rest.h"
#include "tables/iceberg_update.h"

namespace aichemy::serve::iceberg {

namespace {

// What would be a broken file on disk is a broken request here.
template <class T>
Result<T> of_request(Result<T> result) {
  if (result || result.error().code != Code::corrupt) return result;
  return fail(Code::invalid, "request", result.error().message);
}

// snapshots=refs: only what branches and tags point to.
Json metadata_json(const tables::iceberg::TableMetadata& metadata, bool refs_only) {
  if (!refs_only) return tables::iceberg::metadata_to_json(metadata);
  std::set<int64_t> wanted;
  for (const auto& [name, ref] : metadata.refs) wanted.insert(ref.snapshot_id);
  tables::iceberg::TableMetadata cut = metadata;
  std::erase_if(cut.snapshots, [&](const auto& snapshot) { return !wanted.contains(snapshot.id); });
  return tables::iceberg::metadata_to_json(cut);
}

std::string entity_tag(const catalog::LoadedTable& table, bool refs_only) {
  std::string tag;
  append_big(tag, xxh3(table.metadata_location, refs_only ? 1 : 0));
  return "W/\"" + to_hex(tag) + "\"";
}

RestAnswer table_answer(const RestContext& context, const RestRequest& request,
                        const catalog::LoadedTable& table, bool refs_only = false) {
  RestAnswer answer;
  Json body = Json::object();
  if (!table.metadata_location.empty()) {
    body.set("metadata-location", table.metadata_location);
    answer.headers.emplace_back("ETag", entity_tag(table, refs_only));
  }
  body.set("metadata", metadata_json(*table.metadata, refs_only));
  context.put_credentials(request, *table.metadata, &body);
  answer.body = std::move(body);
  return answer;
}

Result<catalog::CommitTable> change_from_json(const Json& body, const catalog::TableName& name) {
  catalog::CommitTable change;
  change.name = name;
  for (const Json& item : body["requirements"].as_array()) {
    ASSIGN_OR_RETURN(auto requirement, tables::iceberg::requirement_from_json(item));
    change.requirements.push_back(std::move(requirement));
  }
  for (const Json& item : body["updates"].as_array()) {
    ASSIGN_OR_RETURN(auto update, tables::iceberg::update_from_json(item));
    change.updates.push_back(std::move(update));
  }
  return change;
}

}  // namespace

Result<RestAnswer> list_tables(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto names, context.catalog().list_tables(request.call, request.space()));
  std::vector<Json> items;
  for (const auto& name : names) {
    Json item = Json::object();
    item.set("namespace", namespace_json(name.space));
    item.set("name", name.name);
    items.push_back(std::move(item));
  }
  return RestAnswer{.body = page_of(request, "identifiers", items)};
}

Result<RestAnswer> create_table(RestContext& context, const RestRequest& request) {
  const Json& body = request.body;
  catalog::CreateTable table;
  table.name = {request.space(), std::string(body["name"].as_string())};
  if (table.name.name.empty()) return fail(Code::invalid, "request", "\"name\" is missing");
  table.location = body["location"].as_string();
  ASSIGN_OR_RETURN(table.schema, of_request(tables::schema_from_json(body["schema"])));
  if (const Json* spec = body.find("partition-spec"); spec && !spec->is_null()) {
    ASSIGN_OR_RETURN(table.spec, of_request(tables::iceberg::spec_from_json(*spec)));
  }
  if (const Json* order = body.find("write-order"); order && !order->is_null()) {
    ASSIGN_OR_RETURN(table.sort_order, of_request(tables::iceberg::sort_order_from_json(*order)));
  }
  table.properties = properties_from_json(body["properties"]);
  if (!body["stage-create"].as_bool()) {
    ASSIGN_OR_RETURN(auto created, context.catalog().create_table(request.call, table));
    return table_answer(context, request, created);
  }
  ASSIGN_OR_RETURN(bool taken, context.catalog().table_exists(request.call, table.name));
  if (taken) {
    return fail(Code::exists, "table_exists",
                "Table already exists: " + catalog::name_text(table.name));
  }
  ASSIGN_OR_RETURN(auto staged, context.catalog().stage_table(request.call, table));
  return table_answer(context, request, staged);
}

Result<RestAnswer> register_table(RestContext& context, const RestRequest& request) {
  catalog::TableName name{request.space(), std::string(request.body["name"].as_string())};
  std::string location(request.body["metadata-location"].as_string());
  if (location.empty()) return fail(Code::invalid, "request", "\"metadata-location\" is missing");
  ASSIGN_OR_RETURN(auto table,
                   context.catalog().register_table(request.call, name, location,
                                                    request.body["overwrite"].as_bool()));
  return table_answer(context, request, table);
}

Result<RestAnswer> unregister_table(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto table, context.catalog().unregister_table(request.call, request.table()));
  Json body = Json::object().set("metadata-location", table.metadata_location);
  body.set("metadata", metadata_json(*table.metadata, false));
  return RestAnswer{.body = std::move(body)};
}

Result<RestAnswer> load_table(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto table, context.catalog().load_table(request.call, request.table()));
  bool refs_only = request.query_value("snapshots") == "refs";
  if (request.if_none_match == entity_tag(table, refs_only)) return RestAnswer{.status = 304};
  return table_answer(context, request, table, refs_only);
}

Result<RestAnswer> head_table(RestContext& context, const RestRequest& request) {
  RETURN_IF_ERROR(context.catalog().load_table(request.call, request.table()));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> commit_table(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto change, change_from_json(request.body, request.table()));
  ASSIGN_OR_RETURN(auto table, context.catalog().commit(request.call, change));
  return table_answer(context, request, table);
}

Result<RestAnswer> drop_table(RestContext& context, const RestRequest& request) {
  bool purge = request.query_value("purgeRequested") == "true" ||
               request.query_value("purgeRequested") == "True";
  RETURN_IF_ERROR(context.catalog().drop_table(request.call, request.table(), purge));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> rename_table(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto from, identifier_from_json(request.body["source"]));
  ASSIGN_OR_RETURN(auto to, identifier_from_json(request.body["destination"]));
  RETURN_IF_ERROR(context.catalog().rename_table(request.call, from, to));
  return RestAnswer{.status = 204};
}

// Scan and commit reports are for operators' dashboards; clients send them and forget.
Result<RestAnswer> report_metrics(RestContext&, const RestRequest&) {
  return RestAnswer{.status = 204};
}

Result<RestAnswer> load_credentials(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto table, context.catalog().load_table(request.call, request.table()));
  Json body = Json::object();
  body.set("storage-credentials",
           context.storage_credentials(request.call.principal, *table.metadata));
  return RestAnswer{.body = std::move(body)};
}

Result<RestAnswer> commit_transaction(RestContext& context, const RestRequest& request) {
  std::vector<catalog::CommitTable> changes;
  for (const Json& item : request.body["table-changes"].as_array()) {
    ASSIGN_OR_RETURN(auto name, identifier_from_json(item["identifier"]));
    ASSIGN_OR_RETURN(auto change, change_from_json(item, name));
    changes.push_back(std::move(change));
  }
  if (changes.empty())
    return fail(Code::invalid, "request", "\"table-changes\" is missing or empty");
  RETURN_IF_ERROR(context.catalog().commit_all(request.call, changes));
  return RestAnswer{.status = 204};
}

}  // namespace aichemy::serve::iceberg
