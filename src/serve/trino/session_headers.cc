#include "serve/trino/session_headers.h"

#include <fmt/format.h>

#include <cctype>

#include "base/bytes.h"

namespace aichemy::serve::trino {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "a=b,c=d", possibly over several headers.
template <class Take>
Status each_pair(const http::Headers& headers, std::string_view name, Take take) {
  for (std::string_view all : headers.get_all(name)) {
    while (!all.empty()) {
      size_t comma = all.find(',');
      std::string_view item = trimmed(all.substr(0, comma));
      all = comma == std::string_view::npos ? std::string_view() : all.substr(comma + 1);
      if (item.empty()) continue;
      size_t equals = item.find('=');
      if (equals == std::string_view::npos || equals == 0) {
        return fail(Code::invalid, "header", fmt::format("Invalid {} header", name));
      }
      auto value = percent_decode(trimmed(item.substr(equals + 1)), true);
      if (!value) return fail(Code::invalid, "header", fmt::format("Invalid {} header", name));
      take(trimmed(item.substr(0, equals)), std::move(*value));
    }
  }
  return {};
}

std::string encode(std::string_view text) {
  std::string out = percent_encode(text, " ");
  for (char& c : out) {
    if (c == ' ') c = '+';
  }
  return out;
}

}  // namespace

Result<sql::Session> session_from(const http::Headers& headers) {
  sql::Session made;
  made.source = headers.get("X-Trino-Source");
  if (auto catalog = headers.get("X-Trino-Catalog"); !catalog.empty())
    made.catalog = lower(catalog);
  if (auto schema = headers.get("X-Trino-Schema"); !schema.empty()) made.schema = lower(schema);
  if (made.schema && !made.catalog)
    return fail(Code::invalid, "header", "Schema is set but catalog is not");
  made.path = headers.get("X-Trino-Path");
  if (auto zone = headers.get("X-Trino-Time-Zone"); !zone.empty()) made.time_zone = zone;
  if (auto language = headers.get("X-Trino-Language"); !language.empty()) made.language = language;
  RETURN_IF_ERROR(
      each_pair(headers, "X-Trino-Session", [&](std::string_view key, std::string value) {
        made.properties[std::string(key)] = std::move(value);
      }));
  RETURN_IF_ERROR(each_pair(headers, "X-Trino-Role", [&](std::string_view key, std::string value) {
    if (key == "system") made.role = std::move(value);
  }));
  Status broken;
  RETURN_IF_ERROR(each_pair(
      headers, "X-Trino-Prepared-Statement", [&](std::string_view key, std::string value) {
        auto name = percent_decode(key, true);
        if (!name)
          broken = fail(Code::invalid, "header", "Invalid X-Trino-Prepared-Statement header");
        else
          made.prepared[*name] = std::move(value);
      }));
  if (!broken) return std::unexpected(broken.error());
  if (auto transaction = headers.get("X-Trino-Transaction-Id"); !transaction.empty()) {
    made.client_transactions = true;
    if (lower(transaction) != "none") made.transaction = transaction;
  }
  std::string capabilities = "," + std::string(headers.get("X-Trino-Client-Capabilities")) + ",";
  made.parametric_datetime = capabilities.find("PARAMETRIC_DATETIME") != std::string::npos;
  made.number = capabilities.find("NUMBER") != std::string::npos;
  made.variant = capabilities.find(",VARIANT,") != std::string::npos;
  made.session_authorization = capabilities.find("SESSION_AUTHORIZATION") != std::string::npos;
  made.client_path = capabilities.find(",PATH,") != std::string::npos;
  return made;
}

void write_changes(const sql::SessionChanges& changes, http::Headers& headers) {
  if (changes.set_catalog) headers.set("X-Trino-Set-Catalog", *changes.set_catalog);
  if (changes.set_schema) headers.set("X-Trino-Set-Schema", *changes.set_schema);
  if (changes.set_path) headers.set("X-Trino-Set-Path", *changes.set_path);
  for (const auto& [name, value] : changes.set_properties)
    headers.add("X-Trino-Set-Session", name + "=" + encode(value));
  for (const auto& name : changes.clear_properties) headers.add("X-Trino-Clear-Session", name);
  for (const auto& [catalog, role] : changes.set_roles)
    headers.add("X-Trino-Set-Role", catalog + "=" + encode(role));
  for (const auto& [name, sql] : changes.added_prepared)
    headers.add("X-Trino-Added-Prepare", encode(name) + "=" + encode(sql));
  for (const auto& name : changes.deallocated_prepared)
    headers.add("X-Trino-Deallocated-Prepare", encode(name));
  if (changes.started_transaction)
    headers.set("X-Trino-Started-Transaction-Id", *changes.started_transaction);
  if (changes.clear_transaction) headers.set("X-Trino-Clear-Transaction-Id", "true");
  if (changes.set_authorization_user)
    headers.set("X-Trino-Set-Authorization-User", *changes.set_authorization_user);
  if (changes.reset_authorization_user) headers.set("X-Trino-Reset-Authorization-User", "true");
}

}  // namespace aichemy::serve::trino
