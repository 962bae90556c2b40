// Errors as values. Every fallible call of the platform returns Result<T>; each front has one table
// from (Code, what) to its own dialect, so a new Code needs a row in every front (their tests ask
// for it).
//
// Exceptions come only from third parties and are caught in the one .cc that wraps that library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace aichemy {

enum class Code : uint8_t {
  invalid,          // the request is wrong; repeating it cannot help
  unauthenticated,  // who are you
  denied,           // we know who you are, and no
  not_found,
  exists,
  conflict,     // someone else changed it first; read again and retry
  exhausted,    // a limit of ours (queue, memory, disk space); retry later
  unsupported,  // understood, and not offered
  unavailable,  // a part we depend on is away; retry
  timeout,
  cancelled,
  corrupt,   // bytes on disk or from a peer that break their format
  internal,  // our bug
};
inline constexpr int kCodeCount = 13;

std::string_view code_name(Code code);

// `what` is a stable machine word such as "no_such_bucket": a string literal, compared by the error
// tables of the fronts. `message` is for people: what happened, to what, and what to do.
struct Error {
  Code code;
  const char* what;
  std::string message;

  bool is(std::string_view word) const { return word == what; }
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, const char* what, std::string message) {
  return std::unexpected<Error>(Error{code, what, std::move(message)});
}

}  // namespace aichemy

#define AICHEMY_CONCAT_INNER(a, b) a##b
#define AICHEMY_CONCAT(a, b) AICHEMY_CONCAT_INNER(a, b)

#define AICHEMY_RETURN_IF_ERROR(keyword, temporary, expression)            \
  do {                                                                     \
    auto temporary = (expression);                                         \
    if (!temporary) keyword std::unexpected(std::move(temporary).error()); \
  } while (false)
#define AICHEMY_ASSIGN_OR_RETURN(keyword, temporary, declaration, expression) \
  auto temporary = (expression);                                              \
  if (!temporary) keyword std::unexpected(std::move(temporary).error());      \
  declaration = std::move(temporary).value()

// RETURN_IF_ERROR(status_expression);   ASSIGN_OR_RETURN(auto value, result_expression);
// The CO_ forms are for coroutines.
#define RETURN_IF_ERROR(expression) \
  AICHEMY_RETURN_IF_ERROR(return, AICHEMY_CONCAT(status_, __LINE__), expression)
#define ASSIGN_OR_RETURN(declaration, expression) \
  AICHEMY_ASSIGN_OR_RETURN(return, AICHEMY_CONCAT(result_, __LINE__), declaration, expression)
#define CO_RETURN_IF_ERROR(expression) \
  AICHEMY_RETURN_IF_ERROR(co_return, AICHEMY_CONCAT(status_, __LINE__), expression)
#define CO_ASSIGN_OR_RETURN(declaration, expression) \
  AICHEMY_ASSIGN_OR_RETURN(co_return, AICHEMY_CONCAT(result_, __LINE__), declaration, expression)
