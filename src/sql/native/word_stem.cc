#include "sql/native/word_stem.h"

#include <libstemmer.h>

#include <algorithm>
#include <map>
#include <memory>

namespace aichemy::sql {
namespace {

// Trino's languages; Snowball knows them by the same codes.
constexpr std::string_view kLanguages[] = {"ca", "da", "de", "en", "es", "eu", "fi",
                                           "fr", "hu", "hy", "ir", "it", "lt", "nl",
                                           "no", "pt", "ro", "ru", "sv", "tr"};

struct Delete {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

}  // namespace

bool word_stem(std::string_view word, std::string_view language, std::string& stem) {
  if (std::ranges::find(kLanguages, language) == std::end(kLanguages)) return false;
  thread_local std::map<std::string, std::unique_ptr<sb_stemmer, Delete>, std::less<>> kept;
  auto found = kept.find(language);
  if (found == kept.end()) {
    std::string code(language == "ir" ? "ga" : language);  // Trino writes Irish as ir
    found = kept.emplace(language, sb_stemmer_new(code.c_str(), "UTF_8")).first;
  }
  if (!found->second) return false;
  const sb_symbol* made =
      sb_stemmer_stem(found->second.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                      static_cast<int>(word.size()));
  stem.assign(reinterpret_cast<const char*>(made),
              static_cast<size_t>(sb_stemmer_length(found->second.get())));
  return true;
}

}  // namespace aichemy::sql
