// The Snowball stemmers.
#pragma once

#include <string>
#include <string_view>

namespace aichemy::sql {

// The stem of a word in lower case; false for a language that Trino does not know.
bool word_stem(std::string_view word, std::string_view language, std::string& stem);

}  // namespace aichemy::sql
