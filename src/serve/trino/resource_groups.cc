#include "serve/trino/resource_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <random>
#include <span>

namespace aichemy::serve::trino {

struct ResourceGroups::Group {
  GroupSpec spec;  // its name as it is written; without children
  const GroupSpec* source = nullptr;
  std::string id;  // "global.adhoc"
  Group* parent = nullptr;
  std::vector<std::unique_ptr<Group>> children;
  std::deque<Waiting> queue;
  std::map<uint64_t, bool> inside;  // tickets of this very group: running?
  int64_t running = 0, queued = 0;  // with those of the groups below
  uint64_t started_last = 0;
};

struct ResourceGroups::Selector {
  struct Pattern {
    std::regex expression;
    std::vector<std::string> names;  // of its groups, in order; "" for one without
  };
  std::optional<Pattern> user, source;
  std::string query_type;
  std::vector<std::string> client_tags;
  std::vector<std::string> path;
};

namespace {

Error wrong(const std::string& where, const std::string& what) {
  return {Code::invalid, "config", fmt::format("resource groups: {}: {}", where, what)};
}

constexpr std::pair<std::string_view, SchedulingPolicy> kPolicies[] = {
    {"fair", SchedulingPolicy::fair},
    {"weighted", SchedulingPolicy::weighted},
    {"weighted_fair", SchedulingPolicy::weighted_fair},
    {"query_priority", SchedulingPolicy::query_priority}};

constexpr std::string_view kGroupKeys[] = {
    "name",      "softMemoryLimit",      "maxQueued",        "softConcurrencyLimit",
    "subGroups", "hardConcurrencyLimit", "schedulingPolicy", "schedulingWeight",
    "jmxExport"};
constexpr std::string_view kSelectorKeys[] = {"user", "source", "queryType", "clientTags", "group"};

Status known_keys(const Json& object, std::span<const std::string_view> keys,
                  const std::string& where) {
  for (const auto& [key, value] : object.as_object()) {
    if (std::ranges::find(keys, key) == keys.end())
      return std::unexpected(wrong(where, fmt::format("'{}' is not supported", key)));
  }
  return {};
}

// "10%" or "512MB".
Status read_memory(std::string_view text, GroupSpec& spec, const std::string& where) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"B", 1}, {"kB", 1024.0}, {"MB", 1048576.0}, {"GB", 1073741824.0}, {"TB", 1099511627776.0}};
  if (error == std::errc() && unit == "%") {
    spec.memory_share = number / 100;
    return {};
  }
  for (const auto& [name, factor] : kUnits) {
    if (error != std::errc() || unit != name) continue;
    spec.memory_bytes = static_cast<uint64_t>(number * factor);
    return {};
  }
  return std::unexpected(
      wrong(where, fmt::format("softMemoryLimit '{}' is neither 10% nor 512MB", text)));
}

Result<GroupSpec> read_group(const Json& json, const std::string& above) {
  GroupSpec spec;
  spec.name = json["name"].as_string();
  std::string where = above + "." + spec.name;
  if (spec.name.empty()) return std::unexpected(wrong(above, "a group without a name"));
  RETURN_IF_ERROR(known_keys(json, kGroupKeys, where));
  const Json* running = json.find("hardConcurrencyLimit");
  const Json* queued = json.find("maxQueued");
  if (!running || !running->is_integer())
    return std::unexpected(wrong(where, "hardConcurrencyLimit must be a whole number"));
  if (!queued || !queued->is_integer())
    return std::unexpected(wrong(where, "maxQueued must be a whole number"));
  spec.running_max = running->as_int();
  spec.queued_max = queued->as_int();
  spec.weight = json["schedulingWeight"].as_int(1);
  if (spec.running_max < 0 || spec.queued_max < 0 || spec.weight < 1)
    return std::unexpected(wrong(where, "limits start at 0, weights at 1"));
  if (const Json* memory = json.find("softMemoryLimit"))
    RETURN_IF_ERROR(read_memory(memory->as_string(), spec, where));
  if (const Json* policy = json.find("schedulingPolicy")) {
    auto row = std::ranges::find(kPolicies, policy->as_string(),
                                 [](const auto& entry) { return entry.first; });
    if (row == std::end(kPolicies))
      return std::unexpected(wrong(where,
                                   "schedulingPolicy is fair, weighted, weighted_fair or "
                                   "query_priority"));
    spec.policy = row->second;
  }
  for (const Json& child : json["subGroups"].as_array()) {
    ASSIGN_OR_RETURN(GroupSpec made, read_group(child, where));
    spec.children.push_back(std::move(made));
  }
  return spec;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= text.size();) {
    size_t end = std::min(text.find(at, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// "adhoc-${USER}" with the values; a name without a value stays.
std::string expanded(const std::string& pattern, const std::map<std::string, std::string>& values) {
  std::string out;
  for (size_t i = 0; i < pattern.size();) {
    size_t end = pattern.compare(i, 2, "${") == 0 ? pattern.find('}', i) : std::string::npos;
    auto found =
        end == std::string::npos ? values.end() : values.find(pattern.substr(i + 2, end - i - 2));
    if (found == values.end()) {
      out += pattern[i++];
    } else {
      out += found->second;
      i = end + 1;
    }
  }
  return out;
}

}  // namespace

std::string query_type_of(std::string_view sql) {
  // Comments and an opening bracket may come first.
  auto skip = [&] {
    for (;;) {
      size_t at = sql.find_first_not_of(" \t\r\n(");
      sql.remove_prefix(std::min(at, sql.size()));
      size_t end = std::string_view::npos;
      if (sql.starts_with("--")) {
        end = sql.find('\n');
      } else if (sql.starts_with("/*")) {
        end = sql.find("*/", 2);
        if (end != std::string_view::npos) end += 1;
      } else {
        return;
      }
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    }
  };
  skip();
  std::string word;
  for (char c : sql) {
    if (!std::isalpha(static_cast<unsigned char>(c))) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"SELECT", "SELECT"},   {"WITH", "SELECT"},   {"VALUES", "SELECT"},
      {"TABLE", "SELECT"},    {"INSERT", "INSERT"}, {"UPDATE", "UPDATE"},
      {"DELETE", "DELETE"},   {"MERGE", "MERGE"},   {"ANALYZE", "ANALYZE"},
      {"EXPLAIN", "EXPLAIN"}, {"SHOW", "DESCRIBE"}, {"DESCRIBE", "DESCRIBE"},
      {"DESC", "DESCRIBE"}};
  if (word.empty()) return "";
  for (const auto& [first, type] : kWords) {
    if (word == first) return std::string(type);
  }
  return "DATA_DEFINITION";
}

ResourceGroups::ResourceGroups(int64_t running_max, int64_t queued_max) {
  GroupSpec spec;
  spec.name = "global";
  spec.running_max = running_max;
  spec.queued_max = queued_max;
  specs_.push_back(std::move(spec));
  auto any = std::make_unique<Selector>();
  any->path = {"global"};
  selectors_.push_back(std::move(any));
}

ResourceGroups::~ResourceGroups() = default;

Result<std::unique_ptr<ResourceGroups>> ResourceGroups::parse(std::string_view text) {
  auto file = Json::parse(text);
  if (!file || !file->is_object()) return std::unexpected(wrong("file", "not a JSON object"));
  static constexpr std::string_view kFileKeys[] = {"rootGroups", "selectors"};
  RETURN_IF_ERROR(known_keys(*file, kFileKeys, "file"));
  std::unique_ptr<ResourceGroups> made(new ResourceGroups());
  for (const Json& group : (*file)["rootGroups"].as_array()) {
    ASSIGN_OR_RETURN(GroupSpec spec, read_group(group, "rootGroups"));
    made->specs_.push_back(std::move(spec));
  }
  if (made->specs_.empty()) return std::unexpected(wrong("rootGroups", "there is no group"));
  RETURN_IF_ERROR(made->read_selectors(*file));
  RETURN_IF_ERROR(made->check_paths());
  return made;
}

namespace {

// Java's named groups, which std::regex does not know, become numbered ones.
Status read_pattern(const std::string& text, std::string& plain, std::vector<std::string>& names) {
  bool in_class = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      plain += text.substr(i++, 2);
      continue;
    }
    if (text[i] == '[') in_class = true;
    if (text[i] == ']') in_class = false;
    plain += text[i];
    if (in_class || text[i] != '(') continue;
    bool named = text.compare(i + 1, 2, "?<") == 0 && i + 3 < text.size() &&
                 std::isalpha(static_cast<unsigned char>(text[i + 3]));
    if (named) {
      size_t end = text.find('>', i);
      if (end == std::string::npos)
        return fail(Code::invalid, "config", "a named group without its '>'");
      names.push_back(text.substr(i + 3, end - i - 3));
      i = end;
    } else if (i + 1 >= text.size() || text[i + 1] != '?') {
      names.emplace_back();
    }
  }
  return {};
}

}  // namespace

Status ResourceGroups::read_selectors(const Json& file) {
  size_t number = 0;
  for (const Json& json : file["selectors"].as_array()) {
    std::string where = fmt::format("selectors[{}]", number++);
    RETURN_IF_ERROR(known_keys(json, kSelectorKeys, where));
    auto made = std::make_unique<Selector>();
    for (auto [key, place] : {std::pair("user", &made->user), std::pair("source", &made->source)}) {
      const Json* given = json.find(key);
      if (!given) continue;
      Selector::Pattern pattern;
      std::string plain;
      if (!read_pattern(std::string(given->as_string()), plain, pattern.names))
        return std::unexpected(wrong(where, fmt::format("{} is no regular expression", key)));
      try {
        pattern.expression = std::regex(plain, std::regex::ECMAScript | std::regex::optimize);
      } catch (const std::regex_error& problem) {
        return std::unexpected(wrong(where, fmt::format("{}: {}", key, problem.what())));
      }
      *place = std::move(pattern);
    }
    made->query_type = json["queryType"].as_string();
    for (const Json& tag : json["clientTags"].as_array())
      made->client_tags.emplace_back(tag.as_string());
    made->path = split(json["group"].as_string(), '.');
    selectors_.push_back(std::move(made));
  }
  if (selectors_.empty()) return std::unexpected(wrong("selectors", "there is no selector"));
  return {};
}

// Every selector leads to a leaf.
Status ResourceGroups::check_paths() const {
  for (size_t i = 0; i < selectors_.size(); ++i) {
    const std::vector<GroupSpec>* level = &specs_;
    for (const std::string& name : selectors_[i]->path) {
      auto found = std::ranges::find(*level, name, &GroupSpec::name);
      if (found == level->end())
        return std::unexpected(
            wrong(fmt::format("selectors[{}]", i), fmt::format("there is no group '{}'", name)));
      level = &found->children;
    }
    if (!level->empty())
      return std::unexpected(
          wrong(fmt::format("selectors[{}]", i), "a group with subGroups takes no queries"));
  }
  return {};
}

const ResourceGroups::Selector* ResourceGroups::select(
    const GroupRequest& request, std::map<std::string, std::string>& values) const {
  auto matches = [&](const std::optional<Selector::Pattern>& pattern, const std::string& text) {
    if (!pattern) return true;
    std::smatch found;
    // What a client sends can be long: a pattern must not run away on it.
    if (text.size() > 1024 || !std::regex_match(text, found, pattern->expression)) return false;
    for (size_t i = 0; i < pattern->names.size() && i + 1 < found.size(); ++i) {
      if (!pattern->names[i].empty()) values[pattern->names[i]] = found[i + 1].str();
    }
    return true;
  };
  for (const auto& selector : selectors_) {
    values = {{"USER", request.user}, {"SOURCE", request.source}};
    bool tags = std::ranges::all_of(selector->client_tags, [&](const std::string& tag) {
      return std::ranges::find(request.client_tags, tag) != request.client_tags.end();
    });
    bool type = selector->query_type.empty() || selector->query_type == request.query_type;
    if (tags && type && matches(selector->user, request.user) &&
        matches(selector->source, request.source))
      return selector.get();
  }
  return nullptr;
}

// Groups appear when they are first used: names with ${USER} have no end of them.
Result<ResourceGroups::Group*> ResourceGroups::group_for(const std::vector<std::string>& path,
                                                         const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Group>>* level = &roots_;
  const std::vector<GroupSpec>* specs = &specs_;
  Group* parent = nullptr;
  for (size_t i = 0; i < path.size(); ++i) {
    auto spec = std::ranges::find(*specs, path[i], &GroupSpec::name);
    auto found = std::ranges::find_if(
        *level, [&](const auto& g) { return g->source == &*spec && g->spec.name == names[i]; });
    if (found == level->end()) {
      // Forgotten again when nobody is in it.
      std::erase_if(*level, [&](const auto& g) {
        return g->source == &*spec && g->running == 0 && g->queued == 0;
      });
      auto made = std::make_unique<Group>();
      made->source = &*spec;
      made->spec = *spec;
      made->spec.children.clear();
      made->spec.name = names[i];
      made->id = parent ? parent->id + "." + names[i] : names[i];
      made->parent = parent;
      level->push_back(std::move(made));
      found = std::prev(level->end());
    }
    parent = found->get();
    level = &parent->children;
    specs = &spec->children;
  }
  return parent;
}

bool ResourceGroups::memory_allows(const Group& group, const GroupMemory& memory) const {
  if (memory.limit == 0) return true;
  uint64_t most =
      group.spec.memory_bytes > 0
          ? group.spec.memory_bytes
          : static_cast<uint64_t>(group.spec.memory_share * static_cast<double>(memory.limit));
  return memory.used <= most;
}

Result<ResourceGroups::Entered> ResourceGroups::submit(const GroupRequest& request,
                                                       std::function<void()> run) {
  std::map<std::string, std::string> values;
  const Selector* selector = select(request, values);
  if (!selector) {
    return fail(Code::denied, "QUERY_REJECTED",
                fmt::format("Query did not match any selector: user {}, source {}", request.user,
                            request.source));
  }
  Entered entered;
  for (const std::string& name : selector->path) entered.path.push_back(expanded(name, values));
  GroupMemory memory = memory_ ? memory_() : GroupMemory();
  {
    std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(Group * group, group_for(selector->path, entered.path));
    bool can_run = true, can_queue = true;
    for (Group* one = group; one; one = one->parent) {
      can_run = can_run && one->running < one->spec.running_max && memory_allows(*one, memory);
      can_queue = can_queue && one->queued < one->spec.queued_max;
    }
    // Those who wait come first.
    can_run = can_run && group->queued == 0;
    if (!can_run && !can_queue) {
      return fail(Code::exhausted, "QUERY_QUEUE_FULL",
                  fmt::format("Too many queued queries for \"{}\"", group->id));
    }
    entered.ticket = next_ticket_++;
    tickets_[entered.ticket] = group;
    group->inside[entered.ticket] = can_run;
    for (Group* one = group; one; one = one->parent) {
      ++(can_run ? one->running : one->queued);
      if (can_run) one->started_last = ++clock_;
    }
    if (!can_run) {
      auto place = group->queue.end();
      if (group->spec.policy == SchedulingPolicy::query_priority) {
        place = std::ranges::find_if(
            group->queue, [&](const Waiting& w) { return w.priority < request.priority; });
      }
      group->queue.insert(place, {entered.ticket, request.priority, std::move(run)});
      return entered;
    }
  }
  run();
  return entered;
}

// The child whose turn it is, by this group's policy; from it the next statement, if one may start.
std::optional<ResourceGroups::Waiting> ResourceGroups::take_next(Group& group,
                                                                 const GroupMemory& memory) {
  if (group.queued == 0 || group.running >= group.spec.running_max || !memory_allows(group, memory))
    return std::nullopt;
  if (!group.queue.empty()) {
    Waiting next = std::move(group.queue.front());
    group.queue.pop_front();
    group.inside[next.ticket] = true;
    for (Group* one = &group; one; one = one->parent) {
      --one->queued;
      ++one->running;
      one->started_last = ++clock_;
    }
    return next;
  }
  std::vector<Group*> order;
  for (const auto& child : group.children) {
    if (child->queued > 0) order.push_back(child.get());
  }
  // The smallest comes first; among equals, who started longest ago.
  auto rank = [&](const Group* g) -> std::pair<double, uint64_t> {
    double first = 0;
    if (group.spec.policy == SchedulingPolicy::weighted_fair)
      first = static_cast<double>(g->running) / static_cast<double>(g->spec.weight);
    if (group.spec.policy == SchedulingPolicy::query_priority && !g->queue.empty())
      first = -static_cast<double>(g->queue.front().priority);
    return {first, g->started_last};
  };
  std::ranges::sort(order, {}, rank);
  if (group.spec.policy == SchedulingPolicy::weighted && order.size() > 1) {
    static thread_local std::minstd_rand dice{std::random_device{}()};
    std::vector<int64_t> weights;
    for (const Group* g : order) weights.push_back(g->spec.weight);
    std::discrete_distribution<size_t> pick(weights.begin(), weights.end());
    std::swap(order[0], order[pick(dice)]);
  }
  for (Group* child : order) {
    if (auto next = take_next(*child, memory)) return next;
  }
  return std::nullopt;
}

void ResourceGroups::start_waiting(std::unique_lock<std::mutex>& lock) {
  bool any = std::ranges::any_of(roots_, [](const auto& root) { return root->queued > 0; });
  if (!any) return;
  GroupMemory memory = memory_ ? memory_() : GroupMemory();
  std::vector<std::function<void()>> starting;
  for (const auto& root : roots_) {
    while (auto next = take_next(*root, memory)) starting.push_back(std::move(next->run));
  }
  lock.unlock();
  for (const auto& run : starting) run();
  lock.lock();
}

void ResourceGroups::leave(uint64_t ticket) {
  std::unique_lock lock(mutex_);
  auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return;
  Group* group = found->second;
  tickets_.erase(found);
  bool running = group->inside[ticket];
  group->inside.erase(ticket);
  for (Group* one = group; one; one = one->parent) --(running ? one->running : one->queued);
  if (!running) std::erase_if(group->queue, [&](const Waiting& w) { return w.ticket == ticket; });
  start_waiting(lock);
}

void ResourceGroups::poll() {
  std::unique_lock lock(mutex_);
  start_waiting(lock);
}

std::vector<ResourceGroups::Row> ResourceGroups::list() const {
  std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  auto walk = [&](const auto& self, const Group& group) -> void {
    rows.push_back(
        {group.id, group.running, group.queued, group.spec.running_max, group.spec.queued_max});
    for (const auto& child : group.children) self(self, *child);
  };
  for (const auto& root : roots_) walk(walk, *root);
  return rows;
}

}  // namespace aichemy::serve::trino
