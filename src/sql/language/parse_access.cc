// Roles, grants and denials.
#include "sql/language/parse_state.h"

namespace aichemy::sql {

using Kind = AccessClause::Kind;

namespace {

constexpr std::string_view kPrivileges[] = {"CREATE", "SELECT", "DELETE", "INSERT", "UPDATE"};

}  // namespace

Status Parser::in_catalog(AccessClause& access) {
  if (!take_word("IN")) return {};
  ASSIGN_OR_RETURN(access.catalog, identifier());
  return {};
}

// CURRENT_USER, CURRENT_ROLE or a principal.
Result<Principal> Parser::grantor() {
  if (at_word("CURRENT_USER") || at_word("CURRENT_ROLE")) {
    Principal made;
    made.name.text = peek().upper;
    made.name.at = peek().at;
    ++next_;
    return made;
  }
  return principal();
}

Result<std::unique_ptr<Statement>> Parser::role(std::unique_ptr<Statement> made, bool drop) {
  made->kind = StatementKind::access;
  made->access = std::make_unique<AccessClause>();
  AccessClause& access = *made->access;
  access.kind = drop ? Kind::drop_role : Kind::create_role;
  if (drop) made->if_exists = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(Identifier name, identifier());
  access.names.push_back(std::move(name));
  if (!drop && take_words({"WITH", "ADMIN"})) {
    ASSIGN_OR_RETURN(access.grantor, grantor());
  }
  RETURN_IF_ERROR(in_catalog(access));
  return made;
}

// Privileges may be words that no identifier can be.
Status Parser::access_names(AccessClause& access) {
  if (take_words({"ALL", "PRIVILEGES"})) {
    access.all = true;
    return {};
  }
  do {
    bool privilege = false;
    for (auto word : kPrivileges) privilege = privilege || at_word(word);
    if (privilege) {
      access.names.push_back({peek().upper, false, peek().at});
      ++next_;
      continue;
    }
    ASSIGN_OR_RETURN(Identifier name, identifier());
    access.names.push_back(std::move(name));
  } while (take_symbol(","));
  return {};
}

// [BRANCH b IN] [SCHEMA | TABLE] name
Status Parser::access_object(Statement& made) {
  AccessClause& access = *made.access;
  if ((at_word("SCHEMA") || at_word("TABLE")) && at_identifier(1)) {
    access.entity = peek().upper;
    ++next_;
  } else if (at_identifier() && at_identifier(1) && !at_word("TO", 1)) {
    return unexpected_token("'SCHEMA', 'TABLE', <identifier>");
  }
  ASSIGN_OR_RETURN(made.name, qualified_name());
  return {};
}

// After the names: TO|FROM principals and what follows.
Status Parser::access_roles(Statement& made, bool revoke) {
  AccessClause& access = *made.access;
  access.kind = revoke ? Kind::revoke_roles : Kind::grant_roles;
  RETURN_IF_ERROR(need_word(revoke ? "FROM" : "TO"));
  do {
    ASSIGN_OR_RETURN(Principal to, principal());
    access.principals.push_back(std::move(to));
  } while (take_symbol(","));
  if (!revoke && take_words({"WITH", "ADMIN", "OPTION"})) access.option = true;
  if (take_words({"GRANTED", "BY"})) {
    ASSIGN_OR_RETURN(access.grantor, grantor());
  }
  return in_catalog(access);
}

Result<std::unique_ptr<Statement>> Parser::grant() {
  auto made = make(StatementKind::access, peek().at);
  made->access = std::make_unique<AccessClause>();
  AccessClause& access = *made->access;
  bool revoke = at_word("REVOKE");
  access.kind = revoke ? Kind::revoke : at_word("DENY") ? Kind::deny : Kind::grant;
  ++next_;
  bool admin = revoke && take_words({"ADMIN", "OPTION", "FOR"});
  access.option = admin || (revoke && take_words({"GRANT", "OPTION", "FOR"}));
  RETURN_IF_ERROR(access_names(access));
  bool roles = !access.all && access.kind != Kind::deny && !at_word("ON");
  if (roles || admin) {
    RETURN_IF_ERROR(access_roles(*made, revoke));
    return made;
  }
  RETURN_IF_ERROR(need_word("ON"));
  RETURN_IF_ERROR(access_object(*made));
  RETURN_IF_ERROR(need_word(revoke ? "FROM" : "TO"));
  ASSIGN_OR_RETURN(Principal to, principal());
  access.principals.push_back(std::move(to));
  if (access.kind == Kind::grant && take_words({"WITH", "GRANT", "OPTION"})) access.option = true;
  return made;
}

// SHOW [CURRENT] ROLES, SHOW ROLE GRANTS, SHOW GRANTS
Result<std::unique_ptr<Statement>> Parser::show_access(std::unique_ptr<Statement> made) {
  made->kind = StatementKind::access;
  made->access = std::make_unique<AccessClause>();
  AccessClause& access = *made->access;
  if (take_word("GRANTS")) {
    access.kind = Kind::show_grants;
    if (take_word("ON")) RETURN_IF_ERROR(access_object(*made));
    return made;
  }
  if (take_words({"ROLE", "GRANTS"}))
    access.kind = Kind::show_role_grants;
  else if (take_words({"CURRENT", "ROLES"}))
    access.kind = Kind::show_current_roles;
  else if (take_word("ROLES"))
    access.kind = Kind::show_roles;
  else
    return unexpected_token("'GRANTS', 'ROLES'");
  if (take_word("FROM") || take_word("IN")) {
    ASSIGN_OR_RETURN(access.catalog, identifier());
  }
  return made;
}

}  // namespace aichemy::sql
