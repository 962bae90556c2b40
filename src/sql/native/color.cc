// Colors for terminals: made, mixed, and text that carries them.
#include <algorithm>
#include <cmath>

#include "sql/native/functions.h"
#include "sql/types/color.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

void require(bool holds, const std::string& message) {
  if (!holds) raise("INVALID_FUNCTION_ARGUMENT", message);
}

void named(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int32_t>(result, [&](idx_t row) {
    auto text = arguments.text(0, row);
    auto color = parse_color(text);
    require(color.has_value(), "Invalid color: '" + std::string(text) + "'");
    return *color;
  });
}

void of_channels(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  static constexpr const char* kNames[] = {"red", "green", "blue"};
  arguments.each_value<int32_t>(result, [&](idx_t row) {
    int32_t color = 0;
    for (size_t i = 0; i < 3; ++i) {
      auto channel = arguments.value<int64_t>(i, row);
      require(channel >= 0 && channel <= 255,
              std::string(kNames[i]) + " must be between 0 and 255");
      color = color << 8 | static_cast<int32_t>(channel);
    }
    return color;
  });
}

// (fraction, low, high)
void mixed(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int32_t>(result, [&](idx_t row) {
    auto low = arguments.value<int32_t>(1, row), high = arguments.value<int32_t>(2, row);
    require(low >= 0, "lowColor not a valid RGB color");
    require(high >= 0, "highColor not a valid RGB color");
    auto fraction = arguments.value<double>(0, row);
    require(!std::isnan(fraction), "fraction is NaN");
    return mixed_color(static_cast<float>(std::clamp(fraction, 0.0, 1.0)), low, high);
  });
}

void rendered(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    return color_escape(arguments.value<int32_t>(1, row)) + std::string(arguments.text(0, row)) +
           std::string(kColorReset);
  });
}

// (share, width, low, high): as many blocks as the share has of the width, blanks for the rest.
void bar(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  constexpr int64_t kWidest = 1'000'000;
  arguments.each_text(result, [&](idx_t row) {
    auto share = arguments.value<double>(0, row);
    auto width = arguments.value<int64_t>(1, row);
    auto low = arguments.value<int32_t>(2, row), high = arguments.value<int32_t>(3, row);
    require(width <= kWidest, "width must be at most 1000000");
    double wanted = share * static_cast<double>(width);
    int64_t filled = 0;
    if (wanted > 0 && width > 0)
      filled = static_cast<int64_t>(std::min(wanted, static_cast<double>(width)));
    require(filled == 0 || (low >= 0 && high >= 0), "color is not a valid rgb value");
    std::string out;
    for (int64_t i = 0; i < filled; ++i) {
      float fraction =
          width > 1 ? static_cast<float>(static_cast<double>(i) / static_cast<double>(width - 1))
                    : 0;
      out += color_escape(mixed_color(fraction, low, high)) + "\u2588";
    }
    out += kColorReset;
    out.append(static_cast<size_t>(std::max<int64_t>(width - filled, 0)), ' ');
    return out;
  });
}

}  // namespace

std::vector<NativeFunction> native_color_functions() {
  return {
      {"aichemy_color", "VARCHAR -> INTEGER", named},
      {"aichemy_rgb", "BIGINT, BIGINT, BIGINT -> INTEGER", of_channels},
      {"aichemy_mixed_color", "DOUBLE, INTEGER, INTEGER -> INTEGER", mixed},
      {"aichemy_render", "VARCHAR, INTEGER -> VARCHAR", rendered},
      {"aichemy_bar", "DOUBLE, BIGINT, INTEGER, INTEGER -> VARCHAR", bar},
  };
}

}  // namespace aichemy::sql
