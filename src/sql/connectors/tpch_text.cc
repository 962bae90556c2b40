#include "sql/connectors/tpch_text.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace aichemy::sql {
namespace {

// TPC-H 4.2.2.14: the words of comments with their weights.
constexpr std::string_view kNouns =
    "packages|40;requests|40;accounts|40;deposits|40;foxes|20;ideas|20;theodolites|20;"
    "pinto beans|20;instructions|20;dependencies|10;excuses|10;platelets|10;asymptotes|10;courts|5;"
    "dolphins|5;multipliers;sauternes;warthogs;frets;dinos;attainments;somas;Tiresias;patterns;"
    "forges;braids;frays;warhorses;dugouts;notornis;epitaphs;pearls;tithes;waters;orbits;gifts;"
    "sheaves;depths;sentiments;decoys;realms;pains;grouches;escapades;hockey players";
constexpr std::string_view kVerbs =
    "sleep|20;wake|20;are|20;cajole|20;haggle|20;nag|10;use|10;boost|10;affix|5;detect|5;"
    "integrate|5;maintain;nod;was;lose;sublate;solve;thrash;promise;engage;hinder;print;x-ray;"
    "breach;eat;grow;impress;mold;poach;serve;run;dazzle;snooze;doze;unwind;kindle;play;hang;"
    "believe;doubt";
constexpr std::string_view kAdverbs =
    "sometimes;always;never;furiously|50;slyly|50;carefully|50;blithely|40;quickly|30;fluffily|20;"
    "slowly;quietly;ruthlessly;thinly;closely;doggedly;daringly;bravely;stealthily;permanently;"
    "enticingly;idly;busily;regularly;finally;ironically;evenly;boldly;silently";
constexpr std::string_view kPrepositions =
    "about|50;above|50;according to|50;across|50;after|50;against|40;along|40;alongside of|30;"
    "among|30;around|20;at|10;atop;before;behind;beneath;beside;besides;between;beyond;by;despite;"
    "during;except;for;from;in place of;inside;instead of;into;near;of;on;outside;over;past;since;"
    "through;throughout;to;toward;under;until;up;upon;whithout;with;within";
constexpr std::string_view kAuxiliaries =
    "do;may;might;shall;will;would;can;could;should;ought to;must;will have to;shall have to;"
    "could have to;should have to;must have to;need to;try to";
constexpr std::string_view kTerminators = ".|50;;|1;:;?;!;--";
constexpr std::string_view kAdjectives =
    "special|20;pending|20;unusual|20;express|20;furious;sly;careful;blithe;quick;fluffy;slow;"
    "quiet;ruthless;thin;close;dogged;daring;brave;stealthy;permanent;enticing;idle;busy;"
    "regular|50;final|40;ironic|40;even|30;bold|20;silent|10";
constexpr std::string_view kGrammar = "N V T|3;N V P T|3;N V N T|3;N P V N T|1;N P V P T|1";
constexpr std::string_view kNounPhrases = "N|10;J N|20;J, J N|10;D J N|50";
constexpr std::string_view kVerbPhrases = "V|30;X V|1;V D|40;X V D|1";

constexpr std::string_view kColors =
    "almond;antique;aquamarine;azure;beige;bisque;black;blanched;blue;blush;brown;burlywood;"
    "burnished;chartreuse;chiffon;chocolate;coral;cornflower;cornsilk;cream;cyan;dark;deep;dim;"
    "dodger;drab;firebrick;floral;forest;frosted;gainsboro;ghost;goldenrod;green;grey;honeydew;hot;"
    "indian;ivory;khaki;lace;lavender;lawn;lemon;light;lime;linen;magenta;maroon;medium;metallic;"
    "midnight;mint;misty;moccasin;navajo;navy;olive;orange;orchid;pale;papaya;peach;peru;pink;plum;"
    "powder;puff;purple;red;rose;rosy;royal;saddle;salmon;sandy;seashell;sienna;sky;slate;smoke;"
    "snow;spring;steel;tan;thistle;tomato;turquoise;violet;wheat;white;yellow";

std::vector<std::string> combine(std::initializer_list<std::string_view> lists) {
  std::vector<std::string> made{""};
  for (auto list : lists) {
    std::vector<std::string> next;
    for (const auto& left : made) {
      for (auto right : parse_tpch_words(list).words)
        next.push_back(left.empty() ? std::string(right) : left + " " + std::string(right));
    }
    made = std::move(next);
  }
  return made;
}

}  // namespace

TpchWords parse_tpch_words(std::string_view text) {
  TpchWords made;
  while (!text.empty()) {
    // A semicolon is itself a terminator: the first byte of an entry never ends it.
    size_t end = std::min(text.find(';', 1), text.size());
    std::string_view entry = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    int weight = 1;
    size_t bar = entry.find('|');
    if (bar != std::string_view::npos) {
      std::from_chars(entry.data() + bar + 1, entry.data() + entry.size(), weight);
      entry = entry.substr(0, bar);
    }
    made.by_weight.insert(made.by_weight.end(), static_cast<size_t>(weight),
                          static_cast<uint8_t>(made.words.size()));
    made.words.push_back(entry);
  }
  return made;
}

const std::vector<std::string_view>& tpch_colors() {
  static const auto made = parse_tpch_words(kColors).words;
  return made;
}

const std::vector<std::string>& tpch_types() {
  static const auto made =
      combine({"STANDARD;SMALL;MEDIUM;LARGE;ECONOMY;PROMO",
               "ANODIZED;BURNISHED;PLATED;POLISHED;BRUSHED", "TIN;NICKEL;BRASS;STEEL;COPPER"});
  return made;
}

const std::vector<std::string>& tpch_containers() {
  static const auto made = combine({"SM;LG;MED;JUMBO;WRAP", "CASE;BOX;BAG;JAR;PACK;PKG;CAN;DRUM"});
  return made;
}

// Words are kept with the blank before them, so that a comma or full stop simply follows.
class TpchTextBuilder {
 public:
  explicit TpchTextBuilder(TpchText& text)
      : text_(text),
        nouns_(list(kNouns, " ")),
        verbs_(list(kVerbs, " ")),
        adverbs_(list(kAdverbs, " ")),
        prepositions_(list(kPrepositions, " ")),
        auxiliaries_(list(kAuxiliaries, " ")),
        terminators_(list(kTerminators, "")),
        adjectives_(list(kAdjectives, " ")),
        the_(list("the", " ")),
        comma_(list(",", "")),
        grammar_(parse_tpch_words(kGrammar)),
        noun_phrases_(parse_tpch_words(kNounPhrases)),
        verb_phrases_(parse_tpch_words(kVerbPhrases)) {}

  void run() {
    text_.tokens_.reserve(TpchText::kBytes / 5);
    while (bytes_ <= TpchText::kBytes + 1) sentence();
  }

 private:
  TpchText& text_;
  TpchStream random_{933588178, 1};
  uint64_t bytes_ = 0;                // with the blank before the very first word
  using List = std::vector<uint8_t>;  // token numbers by weight
  List nouns_, verbs_, adverbs_, prepositions_, auxiliaries_, terminators_, adjectives_, the_,
      comma_;
  TpchWords grammar_, noun_phrases_, verb_phrases_;

  List list(std::string_view text, const std::string& before) {
    TpchWords parsed = parse_tpch_words(text);
    size_t first = text_.words_.size();
    for (auto word : parsed.words) text_.words_.push_back(before + std::string(word));
    List made;
    for (auto word : parsed.by_weight) made.push_back(static_cast<uint8_t>(first + word));
    return made;
  }
  void add(uint8_t token) {
    size_t size = text_.words_[token].size();
    // byte n of the pool is byte n + 1 here
    while (text_.token_at_.size() * TpchText::kStep + 1 < bytes_ + size) {
      text_.token_at_.push_back(static_cast<uint32_t>(text_.tokens_.size()));
      text_.inside_at_.push_back(
          static_cast<uint8_t>((text_.token_at_.size() - 1) * TpchText::kStep + 1 - bytes_));
    }
    text_.tokens_.push_back(token);
    bytes_ += size;
  }
  void pick(const List& from) {
    add(from[static_cast<size_t>(random_.next(0, static_cast<int64_t>(from.size()) - 1))]);
  }
  std::string_view syntax(const TpchWords& from) {
    auto n = random_.next(0, static_cast<int64_t>(from.by_weight.size()) - 1);
    return from.words[from.by_weight[static_cast<size_t>(n)]];
  }
  void sentence() {
    for (char part : syntax(grammar_)) {
      if (part == 'N') noun_phrase();
      if (part == 'V') verb_phrase();
      if (part == 'T') pick(terminators_);
      if (part == 'P') {
        pick(prepositions_);
        add(the_[0]);
        noun_phrase();
      }
    }
  }
  void noun_phrase() {
    for (char part : syntax(noun_phrases_)) {
      if (part == 'J') pick(adjectives_);
      if (part == 'D') pick(adverbs_);
      if (part == 'N') pick(nouns_);
      if (part == ',') add(comma_[0]);
    }
  }
  void verb_phrase() {
    for (char part : syntax(verb_phrases_)) {
      if (part == 'D') pick(adverbs_);
      if (part == 'V') pick(verbs_);
      if (part == 'X') pick(auxiliaries_);
    }
  }
};

TpchText::TpchText() { TpchTextBuilder(*this).run(); }

const TpchText& TpchText::shared() {
  static const TpchText made;
  return made;
}

void TpchText::append(uint64_t offset, size_t length, std::string& out) const {
  size_t token = token_at_[offset / kStep];
  size_t skip = inside_at_[offset / kStep] + offset % kStep;
  while (skip >= words_[tokens_[token]].size()) skip -= words_[tokens_[token++]].size();
  while (length > 0) {
    const std::string& word = words_[tokens_[token++]];
    size_t take = std::min(word.size() - skip, length);
    out.append(word, skip, take);
    length -= take;
    skip = 0;
  }
}

}  // namespace aichemy::sql
