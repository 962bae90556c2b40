#include <unordered_map>

#include "base/log.h"
#include "serve/hms/methods.h"

namespace aichemy::serve::hms {

namespace {

struct Methods {
  std::unordered_map<std::string_view, const Method*> by_name;

  Methods() {
    for (const auto* table : {&table_methods(), &partition_methods(), &other_methods()}) {
      for (const Method& method : *table) by_name.emplace(method.name, &method);
    }
  }
};

const Methods& methods() {
  static const Methods kMethods;
  return kMethods;
}

std::string application_error(const thrift::MessageHeader& call, thrift::ApplicationError code,
                              const std::string& message) {
  std::string bytes;
  thrift::Writer out(bytes);
  out.header({thrift::MessageKind::exception, call.name, call.sequence});
  out.application_error(code, message);
  return bytes;
}

}  // namespace

const Method* find_method(std::string_view name) {
  auto found = methods().by_name.find(name);
  return found == methods().by_name.end() ? nullptr : found->second;
}

std::vector<std::string_view> method_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, method] : methods().by_name) names.push_back(name);
  return names;
}

Result<std::string> answer(Exchange& exchange, std::string_view message) {
  thrift::Reader in(message);
  thrift::MessageHeader call = in.header();
  RETURN_IF_ERROR(in.status());
  bool oneway = call.kind == thrift::MessageKind::oneway;
  if (!oneway && call.kind != thrift::MessageKind::call)
    return fail(Code::corrupt, "thrift", "a client sent something else than a call");
  const Method* method = find_method(call.name);
  if (!method) {
    if (oneway) return std::string();
    return application_error(call, thrift::ApplicationError::unknown_method,
                             "Invalid method name: '" + call.name + "'");
  }
  std::string bytes;
  thrift::Writer out(bytes);
  out.header({thrift::MessageKind::reply, call.name, call.sequence});
  Status done = method->run(exchange, in, out);
  if (oneway || method->oneway) return std::string();
  if (done) {
    out.stop();
    return bytes;
  }
  const Error& error = done.error();
  if (!in.ok())
    return application_error(call, thrift::ApplicationError::protocol_error, error.message);
  int16_t field = thrown_field(*method, error);
  if (error.code == Code::internal || error.code == Code::corrupt)
    log_error("hms.call", {{"method", call.name}, {"error", error.message}});
  if (field == 0)
    return application_error(call, thrift::ApplicationError::internal_error, error.message);
  bytes.clear();
  out.header({thrift::MessageKind::reply, call.name, call.sequence});
  out.field(thrift::Type::structure, field);
  out.member(1, error.message);
  out.stop();
  out.stop();
  return bytes;
}

}  // namespace aichemy::serve::hms
