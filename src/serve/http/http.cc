#include "serve/http/http.h"

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::serve::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

constexpr size_t kReadStepBytes = 256 << 10;

}  // namespace

std::string_view Headers::get(std::string_view name) const {
  for (const Header& header : entries_) {
    if (same_name(header.first, name)) return header.second;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(entries_, [&](const Header& h) { return same_name(h.first, name); });
}

std::vector<std::string_view> Headers::get_all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const Header& header : entries_) {
    if (same_name(header.first, name)) out.push_back(header.second);
  }
  return out;
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  entries_.emplace_back(std::string(name), std::string(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Header& h) { return same_name(h.first, name); });
}

Result<std::vector<std::pair<std::string, std::string>>> Request::parameters() const {
  std::vector<std::pair<std::string, std::string>> out;
  std::string_view rest = query;
  while (!rest.empty()) {
    size_t end = std::min(rest.find('&'), rest.size());
    std::string_view item = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (item.empty()) continue;
    size_t equals = std::min(item.find('='), item.size());
    ASSIGN_OR_RETURN(std::string name, percent_decode(item.substr(0, equals), true));
    std::string_view raw = equals < item.size() ? item.substr(equals + 1) : std::string_view();
    ASSIGN_OR_RETURN(std::string value, percent_decode(raw, true));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

std::optional<std::string> Request::parameter(std::string_view name) const {
  auto all = parameters();
  if (!all) return std::nullopt;
  for (auto& [key, value] : *all) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

Async<Result<std::string>> Request::read_all(size_t max_bytes) {
  std::string body;
  if (content_length && *content_length > max_bytes) {
    co_return fail(Code::exhausted, "body_too_large", "the request body is larger than allowed");
  }
  for (;;) {
    size_t have = body.size();
    size_t step = content_length ? *content_length - have + 1 : kReadStepBytes;
    body.resize(have + std::min(step, kReadStepBytes));
    CO_ASSIGN_OR_RETURN(size_t got, co_await read_some(body.data() + have, body.size() - have));
    body.resize(have + got);
    if (got == 0) co_return body;
    if (body.size() > max_bytes) {
      co_return fail(Code::exhausted, "body_too_large", "the request body is larger than allowed");
    }
  }
}

}  // namespace aichemy::serve::http
