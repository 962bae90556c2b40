#include "sql/types/color.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sql/language/ast.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kTerminal[] = {"black", "red",     "green", "yellow",
                                          "blue",  "magenta", "cyan",  "white"};

struct Channels {
  int red, green, blue;
};

Channels channels_of(int32_t color) {
  return {(color >> 16) & 0xff, (color >> 8) & 0xff, color & 0xff};
}

struct Hue {
  float hue, saturation, brightness;  // each in [0, 1]
};

Hue hue_of(int32_t color) {
  auto [red, green, blue] = channels_of(color);
  int most = std::max({red, green, blue}), least = std::min({red, green, blue});
  auto range = static_cast<float>(most - least);
  Hue made{0, most == 0 ? 0 : range / static_cast<float>(most), static_cast<float>(most) / 255};
  if (most == least) return made;
  auto below = [&](int channel) { return static_cast<float>(most - channel) / range; };
  float sixths = red == most     ? below(blue) - below(green)
                 : green == most ? 2 + below(red) - below(blue)
                                 : 4 + below(green) - below(red);
  made.hue = sixths / 6;
  if (made.hue < 0) made.hue += 1;
  return made;
}

int32_t color_of(const Hue& from) {
  auto level = [](float part) { return static_cast<int32_t>(part * 255.0F + 0.5F); };
  float sixths = (from.hue - std::floor(from.hue)) * 6;
  float rest = sixths - std::floor(sixths), top = from.brightness, s = from.saturation;
  int32_t high = level(top), low = level(top * (1 - s)), falling = level(top * (1 - s * rest)),
          rising = level(top * (1 - s * (1 - rest)));
  if (s == 0) low = falling = rising = high;
  auto rgb = [](int32_t red, int32_t green, int32_t blue) {
    return red << 16 | green << 8 | blue;
  };
  switch (static_cast<int>(sixths)) {
    case 0: return rgb(high, rising, low);
    case 1: return rgb(falling, high, low);
    case 2: return rgb(low, high, rising);
    case 3: return rgb(low, falling, high);
    case 4: return rgb(rising, low, high);
    default: return rgb(high, low, falling);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<int32_t> parse_color(std::string_view text) {
  if (text.size() == 4 && text[0] == '#') {
    int32_t color = 0;
    for (char c : text.substr(1)) {
      int digit = hex_digit(c);
      if (digit < 0) return std::nullopt;
      color = color << 8 | digit * 0x11;
    }
    return color;
  }
  const auto* found = std::ranges::find(kTerminal, lower_case(std::string(text)));
  if (found == std::end(kTerminal)) return std::nullopt;
  return -1 - static_cast<int32_t>(found - std::begin(kTerminal));
}

std::string color_text(int32_t color) {
  if (color >= 0) return fmt::format("#{:06x}", color);
  auto index = static_cast<size_t>(-1 - color);
  return index < std::size(kTerminal) ? std::string(kTerminal[index]) : fmt::format("#{}", color);
}

int32_t mixed_color(float fraction, int32_t low, int32_t high) {
  Hue a = hue_of(low), b = hue_of(high);
  auto between = [&](float from, float to) { return fraction * (to - from) + from; };
  return color_of({between(a.hue, b.hue), between(a.saturation, b.saturation),
                   between(a.brightness, b.brightness)});
}

// A cube of 6 x 6 x 6 colors starts at 16.
std::string color_escape(int32_t color) {
  int index = -1 - color;
  if (color >= 0) {
    auto [red, green, blue] = channels_of(color);
    auto sixth = [](int channel) { return channel * 6 / 256; };
    index = 16 + sixth(red) * 36 + sixth(green) * 6 + sixth(blue);
  }
  return fmt::format("\x1b[38;5;{}m", index);
}

}  // namespace aichemy::sql
