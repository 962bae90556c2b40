// Colors as integers: 0xRRGGBB, or for the eight colors that a terminal defines itself -1 less
// their number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aichemy::sql {

// "#c0f" or the name of a terminal's color in any case. None: no color.
std::optional<int32_t> parse_color(std::string_view text);
// "#cc00ff", "magenta".
std::string color_text(int32_t color);
// Between two colors given by red, green and blue, along hue, saturation and brightness; fraction
// in [0, 1].
int32_t mixed_color(float fraction, int32_t low, int32_t high);
// The text in this color for a terminal of 256 colors: the escape alone, and what ends it.
std::string color_escape(int32_t color);
constexpr std::string_view kColorReset = "\x1b[0m";

}  // namespace aichemy::sql
