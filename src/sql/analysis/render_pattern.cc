#include "sql/analysis/render_pattern.h"

#include <fmt/format.h>

#include "base/json.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {
namespace {

Json numbers(const auto& values) {
  Json made = Json::array();
  for (auto value : values) made.push(static_cast<int64_t>(value));
  return made;
}

Json slots(const std::vector<PatternSlot>& list) {
  Json made = Json::array();
  for (const auto& slot : list) {
    Json one = Json::object();
    one.set("kind", static_cast<int>(slot.kind));
    one.set("column", static_cast<int64_t>(slot.column));
    one.set("labels", numbers(slot.labels));
    one.set("last", slot.last);
    one.set("final", slot.final);
    one.set("logical", slot.logical);
    one.set("physical", slot.physical);
    one.set("items", numbers(slot.items));
    made.push(std::move(one));
  }
  return made;
}

}  // namespace

std::string pattern_json(const PatternSpec& spec, const std::vector<std::string>& conditions) {
  Json made = Json::object();
  made.set("rows", static_cast<int>(spec.rows));
  made.set("skip", static_cast<int>(spec.skip));
  made.set("skip_labels", numbers(spec.skip_labels));
  made.set("seek", spec.seek);
  made.set("frame_column",
           spec.frame_column ? static_cast<int64_t>(*spec.frame_column) : int64_t{-1});
  Json labels = Json::array(), texts = Json::array(), program = Json::array();
  for (const auto& label : spec.labels) labels.push(label);
  for (const auto& text : conditions) texts.push(text);
  for (const auto& step : spec.program) {
    program.push(
        numbers(std::vector<size_t>{static_cast<size_t>(step.kind), step.first, step.second}));
  }
  made.set("labels", std::move(labels));
  made.set("conditions", std::move(texts));
  made.set("program", std::move(program));
  made.set("alias", fmt::format("r{}", spec.relation));
  made.set("define", slots(spec.define));
  made.set("output", slots(spec.output));
  return made.dump();
}

std::string render_match(const Plan& plan, const MatchTexts& texts) {
  std::string row, columns;
  for (size_t i = 0; i < texts.row.size(); ++i)
    row += fmt::format("{}f{} := {}", i ? ", " : "", i, texts.row[i]);
  for (size_t i = 0; i < plan.fields.size(); ++i)
    columns += fmt::format("{}m.f{} AS c{}", i ? ", " : "", i, i);
  return fmt::format(
      "(SELECT {} FROM (SELECT unnest(aichemy_match(list(struct_pack({}){}), {})) AS m FROM {}) AS "
      "u) AS r{}",
      columns, row, texts.order, quote_text(pattern_json(*plan.pattern, texts.conditions)),
      texts.from, plan.relation);
}

std::string routine_json(const BoundRoutine& routine, const Type& returns,
                         const std::vector<std::string>& texts) {
  Json variables = Json::array(), steps = Json::array();
  for (const auto& type : routine.variables) variables.push(physical_type(type));
  for (size_t i = 0; i < routine.steps.size(); ++i) {
    const auto& step = routine.steps[i];
    Json one = Json::object();
    one.set("kind", static_cast<int>(step.kind));
    one.set("slot", static_cast<int64_t>(step.slot));
    one.set("target", static_cast<int64_t>(step.target));
    one.set("text", texts[i]);
    steps.push(std::move(one));
  }
  Json made = Json::object();
  made.set("alias", fmt::format("r{}", routine.relation));
  made.set("parameters", static_cast<int64_t>(routine.parameters));
  made.set("returns", physical_type(returns));
  made.set("variables", std::move(variables));
  made.set("steps", std::move(steps));
  return made.dump();
}

}  // namespace aichemy::sql
