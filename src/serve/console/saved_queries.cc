#include "serve/console/saved_queries.h"

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::serve::console {
namespace {

using metadb::Transaction;

constexpr const char* kColumns =
    "SELECT id, owner, name, sql, schema_name, shared, version, changed_millis, changed_by FROM "
    "console_queries ";

SavedQuery read_row(const metadb::Row& row) {
  SavedQuery out;
  out.id = row[0].as_text();
  out.owner = row[1].as_text();
  out.name = row[2].as_text();
  out.sql = row[3].as_text();
  out.schema = row[4].as_text();
  out.shared = row[5].as_int() != 0;
  out.version = row[6].as_int();
  out.changed_millis = row[7].as_int();
  out.changed_by = row[8].as_text();
  return out;
}

bool is_control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Status check(const Person& person, const SavedQuery& query) {
  const std::string& name = query.name;
  if (name.empty() || name.size() > SavedQueries::kNameBytesMax ||
      std::ranges::any_of(name, is_control) || name.front() == ' ' || name.back() == ' ') {
    return fail(Code::invalid, "name",
                "a name has 1 to " + std::to_string(SavedQueries::kNameBytesMax) +
                    " bytes, no control characters, and no blanks around it");
  }
  if (query.schema.size() > SavedQueries::kNameBytesMax || query.schema.contains('\0'))
    return fail(Code::invalid, "schema", "that is no name of a schema");
  if (query.sql.empty() || query.sql.size() > SavedQueries::kSqlBytesMax ||
      query.sql.contains('\0')) {
    return fail(Code::invalid, "sql",
                "a kept statement has 1 to " + std::to_string(SavedQueries::kSqlBytesMax) +
                    " bytes and no NUL");
  }
  if (query.shared && person.role < Role::operator_)
    return fail(Code::denied, "role", "to share a statement needs the role operator");
  return {};
}

Status name_free(Transaction& transaction, const SavedQuery& query) {
  ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT id FROM console_queries WHERE owner = $1 "
                                                "AND name = $2 AND id <> $3",
                                                {query.owner, query.name, query.id}));
  if (rows.empty()) return {};
  return fail(Code::exists, "name_taken", query.owner + " has a statement called " + query.name);
}

// Q3. length() counts characters: of several bytes each, so that it may only be too generous by
// their width; what is bounded is the size of an answer, not a disk.
Status fits(Transaction& transaction, const SavedQuery& query, const char* where,
            const std::string& argument, size_t count_max, size_t bytes_max) {
  ASSIGN_OR_RETURN(auto rows,
                   transaction.query("SELECT count(*), coalesce(sum(length(sql)), 0) FROM "
                                     "console_queries WHERE id <> $1 AND " +
                                         std::string(where),
                                     {query.id, argument}));
  if (rows[0][0].as_int() < static_cast<int64_t>(count_max) &&
      rows[0][1].as_int() + static_cast<int64_t>(query.sql.size()) <=
          static_cast<int64_t>(bytes_max))
    return {};
  return fail(Code::exhausted, "too_many_saved_queries",
              "there is room for " + std::to_string(count_max) + " statements of " +
                  std::to_string(bytes_max) + " bytes together: remove some");
}

Status has_room(Transaction& transaction, const SavedQuery& query) {
  RETURN_IF_ERROR(fits(transaction, query, "owner = $2", query.owner, SavedQueries::kQueriesMax,
                       SavedQueries::kOwnerBytesMax));
  if (!query.shared) return {};
  return fits(transaction, query, "shared = 1 AND owner <> $2", "", SavedQueries::kSharedMax,
              SavedQueries::kSharedBytesMax);
}

// Q1: somebody else's own statement is not there.
Result<SavedQuery> find(Transaction& transaction, const Person& person, const std::string& id) {
  ASSIGN_OR_RETURN(auto rows, transaction.query(kColumns + std::string("WHERE id = $1"), {id}));
  bool seen = !rows.empty();
  SavedQuery found = seen ? read_row(rows[0]) : SavedQuery{};
  if (seen && found.owner != person.name && !found.shared) seen = false;
  if (!seen) return fail(Code::not_found, "no_such_saved_query", "the statement is not kept here");
  if (found.owner != person.name && person.role != Role::admin)
    return fail(Code::denied, "not_yours", "only " + found.owner + " or an admin may do that");
  return found;
}

}  // namespace

Result<std::vector<SavedQuery>> SavedQueries::list(const Person& person) {
  return database_.read([&](Transaction& transaction) -> Result<std::vector<SavedQuery>> {
    ASSIGN_OR_RETURN(auto rows, transaction.query(kColumns + std::string("WHERE owner = $1 OR "
                                                                         "shared = 1 ORDER BY "
                                                                         "name, owner"),
                                                  {person.name}));
    std::vector<SavedQuery> out;
    out.reserve(rows.size());
    for (const auto& row : rows) out.push_back(read_row(row));
    return out;
  });
}

Result<SavedQuery> SavedQueries::add(const Person& person, SavedQuery query) {
  RETURN_IF_ERROR(check(person, query));
  query.id = to_hex(random_.bytes(12));
  query.owner = query.changed_by = person.name;
  query.version = 1;
  query.changed_millis = clock_.wall_millis();
  return database_.transaction([&](Transaction& transaction) -> Result<SavedQuery> {
    RETURN_IF_ERROR(name_free(transaction, query));
    RETURN_IF_ERROR(has_room(transaction, query));
    RETURN_IF_ERROR(transaction.run(
        "INSERT INTO console_queries (id, owner, name, sql, schema_name, shared, version, "
        "changed_millis, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        {query.id, query.owner, query.name, query.sql, query.schema, query.shared, query.version,
         query.changed_millis, query.changed_by}));
    return query;
  });
}

Result<SavedQuery> SavedQueries::change(const Person& person, const std::string& id,
                                        SavedQuery query) {
  RETURN_IF_ERROR(check(person, query));
  return database_.transaction([&](Transaction& transaction) -> Result<SavedQuery> {
    ASSIGN_OR_RETURN(SavedQuery old, find(transaction, person, id));
    if (old.version != query.version) {  // Q2
      return fail(Code::conflict, "changed_meanwhile",
                  old.changed_by + " changed it meanwhile: open it again");
    }
    query.id = id;
    query.owner = old.owner;
    query.version = old.version + 1;
    query.changed_millis = clock_.wall_millis();
    query.changed_by = person.name;
    RETURN_IF_ERROR(name_free(transaction, query));
    RETURN_IF_ERROR(has_room(transaction, query));
    RETURN_IF_ERROR(transaction.run(
        "UPDATE console_queries SET name = $1, sql = $2, schema_name = $3, shared = $4, version = "
        "$5, changed_millis = $6, changed_by = $7 WHERE id = $8",
        {query.name, query.sql, query.schema, query.shared, query.version, query.changed_millis,
         query.changed_by, id}));
    return query;
  });
}

Status SavedQueries::remove(const Person& person, const std::string& id) {
  return database_.transaction([&](Transaction& transaction) -> Status {
    RETURN_IF_ERROR(find(transaction, person, id));
    RETURN_IF_ERROR(transaction.run("DELETE FROM console_queries WHERE id = $1", {id}));
    return {};
  });
}

}  // namespace aichemy::serve::console
