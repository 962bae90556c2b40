// Methods of the Metastore as rows. Private to the module.
//
// A method is a lambda whose parameters are the call's, in the order of their field ids (1, 2,
// ...); what a client leaves out keeps its C++ default. Its answer is field 0 of the reply.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "catalog/hive_catalog.h"
#include "catalog/hive_locks.h"
#include "runtime/call.h"
#include "wire/hive_metastore.h"

namespace aichemy::serve::hms {

namespace hive = wire::hive;
namespace thrift = wire::thrift;

struct Session {
  std::string user;  // as set_ugi says
};

struct Exchange {
  catalog::HiveCatalog& hive;
  catalog::HiveLocks& locks;
  Clock& clock;
  Session& session;
  int64_t started_seconds = 0;  // when the service started
  Call call;
};

// The declared exceptions; all have one field, 1: message.
enum class Thrown : uint8_t {
  meta,
  no_such_object,
  already_exists,
  invalid_object,
  invalid_operation,
  invalid_input,
  unknown_table,
  unknown_database,
  no_such_lock,
  no_such_transaction,
  transaction_aborted,
  transaction_open,
  config_value,
};

using Handler = Status (*)(Exchange&, thrift::Reader&, thrift::Writer&);

struct Method {
  std::string_view name;
  Handler run;
  std::vector<Thrown> throws;  // field ids 1, 2, ... of the reply
  bool oneway = false;
};

// In no particular order; find_method() looks them up by name.
const std::vector<Method>& table_methods();
const std::vector<Method>& partition_methods();
const std::vector<Method>& other_methods();
const Method* find_method(std::string_view name);
std::vector<std::string_view> method_names();

// The field of a method's reply that carries an error; 0 when none of its exceptions will do.
int16_t thrown_field(const Method& method, const Error& error);

// Runs one message and answers the reply's bytes; "" for a oneway call. corrupt ("thrift"): the
// connection is of no use any more.
Result<std::string> answer(Exchange& exchange, std::string_view message);

namespace binding {

template <class Tuple, size_t... Indices>
void read_parameters(thrift::Reader& in, Tuple& parameters, std::index_sequence<Indices...>) {
  int16_t id = 0;
  for (auto type = in.field(&id); type != thrift::Type::stop; type = in.field(&id)) {
    bool known = false;
    auto read = [&](auto& parameter, size_t index) {
      using Value = std::remove_reference_t<decltype(parameter)>;
      constexpr thrift::Type kWanted = [] {
        if constexpr (thrift::IsOptional<Value>())
          return thrift::type_of<typename Value::value_type>();
        else
          return thrift::type_of<Value>();
      }();
      if (known || id != static_cast<int16_t>(index + 1) || type != kWanted) return;
      in.member(parameter);
      known = true;
    };
    (read(std::get<Indices>(parameters), Indices), ...);
    if (!known) in.skip(type);
  }
}

template <class Lambda, class Answer, class... Parameters>
Status run(Exchange& exchange, thrift::Reader& in, thrift::Writer& out,
           Answer (Lambda::*)(Exchange&, Parameters...) const) {
  std::tuple<std::decay_t<Parameters>...> parameters;
  read_parameters(in, parameters, std::index_sequence_for<Parameters...>());
  RETURN_IF_ERROR(in.status());
  auto answer =
      std::apply([&](auto&... each) { return Lambda()(exchange, std::move(each)...); }, parameters);
  if (!answer) return std::unexpected(answer.error());
  if constexpr (!std::is_same_v<Answer, Status>) out.member(0, *answer);
  return {};
}

}  // namespace binding

template <class Lambda>
constexpr Handler bind(Lambda) {
  return [](Exchange& exchange, thrift::Reader& in, thrift::Writer& out) {
    return binding::run(exchange, in, out, &Lambda::operator());
  };
}

}  // namespace aichemy::serve::hms
