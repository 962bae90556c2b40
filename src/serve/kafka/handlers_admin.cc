// Requests about topics, settings and the cluster.
#include <algorithm>

#include "serve/kafka/adapter.h"
#include "serve/kafka/all_handlers.h"
#include "serve/kafka/errors.h"

namespace aichemy::serve::kafka {
namespace {

constexpr int8_t kTopicResource = 2, kBrokerResource = 4;
constexpr int8_t kSetHere = 1, kStaticBroker = 4, kDefault = 5;  // sources of a setting
constexpr int8_t kSetOperation = 0, kDeleteOperation = 1, kAppendOperation = 2,
                 kSubtractOperation = 3;

int16_t number(const Status& status) {
  return status ? int16_t{kNone} : error_number(status.error());
}
std::optional<std::string> text(const Status& status) {
  return status ? std::nullopt : std::optional<std::string>(status.error().message);
}

int8_t config_type(broker::ConfigKind kind) {
  switch (kind) {
    case broker::ConfigKind::boolean: return 1;
    case broker::ConfigKind::integer: return 5;
    case broker::ConfigKind::list: return 7;
    case broker::ConfigKind::text: return 2;
  }
  return 0;
}

}  // namespace

Result<wire::ApiVersionsResponse> api_versions(Context&, wire::ApiVersionsRequest&) {
  wire::ApiVersionsResponse response;
  for (const Handler& handler : handlers())
    response.api_keys.push_back({handler.key, handler.first, handler.last});
  return response;
}

// No listener asks for authentication; a client that insists is told that no mechanism is on offer.
Result<wire::SaslHandshakeResponse> sasl_handshake(Context&, wire::SaslHandshakeRequest&) {
  wire::SaslHandshakeResponse response;
  response.error_code = kUnsupportedSaslMechanism;
  return response;
}

Async<Result<wire::CreateTopicsResponse>> create_topics(Context& context,
                                                        wire::CreateTopicsRequest& request) {
  broker::Broker& broker = context.services.broker;
  wire::CreateTopicsResponse response;
  for (const auto& topic : request.topics) {
    broker::NewTopic wanted{topic.name, topic.num_partitions, topic.replication_factor, {}, {}};
    for (const auto& config : topic.configs) {
      if (config.value) wanted.config[config.name] = *config.value;
    }
    auto assignments = topic.assignments;
    std::sort(assignments.begin(), assignments.end(),
              [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
    for (const auto& item : assignments)
      wanted.assignment.emplace_back(item.broker_ids.begin(), item.broker_ids.end());
    auto created =
        co_await on(context.services.pool, [&broker, wanted, validate = request.validate_only] {
          return broker.create_topic(wanted, validate);
        });
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    if (!created) {
      answer.error_code = error_number(created.error());
      answer.error_message = created.error().message;
      answer.configs.null = true;
      continue;
    }
    const broker::Topic& made = **created;
    if (!request.validate_only) answer.topic_id = made.id;
    answer.num_partitions = static_cast<int32_t>(made.partitions.size());
    answer.replication_factor = static_cast<int16_t>(made.replicas.front().size());
    for (const auto& row : broker::topic_config_rows()) {
      bool set = made.config.contains(row.name);
      answer.configs.push_back({row.name, broker::config_value(made.config, row), false,
                                set ? kSetHere : kDefault, false});
    }
  }
  co_return response;
}

Async<Result<wire::DeleteTopicsResponse>> delete_topics(Context& context,
                                                        wire::DeleteTopicsRequest& request) {
  broker::Broker& broker = context.services.broker;
  for (const std::string& name : request.topic_names) request.topics.push_back({name, {}});
  wire::DeleteTopicsResponse response;
  for (const auto& wanted : request.topics) {
    auto topic = wanted.name ? broker.find_topic(*wanted.name) : broker.find_topic(wanted.topic_id);
    auto& answer = response.responses.emplace_back();
    answer.name = wanted.name;
    answer.topic_id = wanted.topic_id;
    if (!topic) {
      answer.error_code = wanted.name ? kUnknownTopicOrPartition : kUnknownTopicId;
      continue;
    }
    answer.name = topic->name;
    answer.topic_id = topic->id;
    auto done = co_await on(context.services.pool,
                            [&broker, topic] { return broker.delete_topic(topic->name); });
    answer.error_code = number(done);
    answer.error_message = text(done);
  }
  co_return response;
}

Async<Result<wire::DeleteRecordsResponse>> delete_records(Context& context,
                                                          wire::DeleteRecordsRequest& request) {
  wire::DeleteRecordsResponse response;
  for (const auto& wanted : request.topics) {
    auto topic = context.services.broker.find_topic(wanted.name);
    auto& answers = response.topics.emplace_back();
    answers.name = wanted.name;
    for (const auto& item : wanted.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = item.partition_index;
      answer.low_watermark = -1;
      if (!topic || item.partition_index < 0 ||
          static_cast<size_t>(item.partition_index) >= topic->partitions.size()) {
        answer.error_code = kUnknownTopicOrPartition;
        continue;
      }
      auto partition = topic->partitions[static_cast<size_t>(item.partition_index)];
      auto done = co_await on(context.services.pool, [partition, offset = item.offset] {
        return partition->delete_before(offset);
      });
      answer.error_code = number(done);
      if (done) answer.low_watermark = partition->log_start();
    }
  }
  co_return response;
}

Async<Result<wire::CreatePartitionsResponse>> create_partitions(
    Context& context, wire::CreatePartitionsRequest& request) {
  broker::Broker& broker = context.services.broker;
  wire::CreatePartitionsResponse response;
  for (const auto& topic : request.topics) {
    auto done = co_await on(context.services.pool, [&broker, name = topic.name, count = topic.count,
                                                    validate = request.validate_only] {
      return broker.add_partitions(name, count, validate);
    });
    response.results.push_back({topic.name, number(done), text(done)});
  }
  co_return response;
}

namespace {

// What management tools look for in a broker's settings. Read only.
struct BrokerConfigRow {
  const char* name;
  broker::ConfigKind kind;
  std::string (*value)(const broker::Broker& broker);
};
constexpr BrokerConfigRow kBrokerConfig[] = {
    {"auto.create.topics.enable", broker::ConfigKind::boolean,
     [](const broker::Broker& broker) {
       return std::string(broker.options().auto_create_topics ? "true" : "false");
     }},
    {"default.replication.factor", broker::ConfigKind::integer,
     [](const broker::Broker& broker) { return std::to_string(broker.options().default_copies); }},
    {"delete.topic.enable", broker::ConfigKind::boolean,
     [](const broker::Broker&) { return std::string("true"); }},
    {"group.initial.rebalance.delay.ms", broker::ConfigKind::integer,
     [](const broker::Broker& broker) {
       return std::to_string(broker.options().groups.initial_rebalance_delay.count());
     }},
    {"inter.broker.protocol.version", broker::ConfigKind::text,
     [](const broker::Broker&) { return std::string("3.8-IV0"); }},
    {"log.dirs", broker::ConfigKind::text,
     [](const broker::Broker& broker) { return broker.directory(0) + "," + broker.directory(1); }},
    {"message.max.bytes", broker::ConfigKind::integer,
     [](const broker::Broker&) { return std::string("1048588"); }},
    {"num.partitions", broker::ConfigKind::integer,
     [](const broker::Broker& broker) {
       return std::to_string(broker.options().default_partitions);
     }},
};

void describe_topic(const wire::DescribeConfigsRequest& request, const broker::Topic& topic,
                    wire::DescribeConfigsResponse::DescribeConfigsResult& answer, auto wanted) {
  for (const auto& row : broker::topic_config_rows()) {
    if (!wanted(row.name)) continue;
    bool set = topic.config.contains(row.name);
    auto& config = answer.configs.emplace_back();
    config.name = row.name;
    config.value = broker::config_value(topic.config, row);
    config.config_source = set ? kSetHere : kDefault;
    config.is_default = !set;
    config.config_type = config_type(row.kind);
    if (request.include_documentation) config.documentation = row.about;
    if (!request.include_synonyms) continue;
    if (set) config.synonyms.push_back({row.name, config.value, kSetHere});
    config.synonyms.push_back({row.name, row.fallback, kDefault});
  }
}

}  // namespace

Result<wire::DescribeConfigsResponse> describe_configs(Context& context,
                                                       wire::DescribeConfigsRequest& request) {
  broker::Broker& broker = context.services.broker;
  wire::DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto& answer = response.results.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    const auto& keys = resource.configuration_keys;
    bool all = keys.null || (context.header.version == 0 && keys.empty());
    auto wanted = [&](const char* name) {
      return all || std::find(keys.begin(), keys.end(), name) != keys.end();
    };
    if (resource.resource_type == kTopicResource) {
      auto topic = broker.find_topic(resource.resource_name);
      if (topic) describe_topic(request, *topic, answer, wanted);
      if (!topic) answer.error_code = kUnknownTopicOrPartition;
    } else if (resource.resource_type == kBrokerResource) {
      for (const BrokerConfigRow& row : kBrokerConfig) {
        if (!wanted(row.name)) continue;
        auto& config = answer.configs.emplace_back();
        config.name = row.name;
        config.value = row.value(broker);
        config.read_only = true;
        config.config_source = kStaticBroker;
        config.config_type = config_type(row.kind);
      }
    } else {
      answer.error_code = kInvalidRequest;
      answer.error_message = "only topics and brokers have settings here";
    }
  }
  return response;
}

namespace {

Async<Status> change_config(Context& context, int8_t type, std::string name,
                            broker::Broker::ConfigChanges changes, bool validate_only) {
  if (type != kTopicResource)
    co_return fail(Code::invalid, "resource", "only settings of topics can be changed");
  broker::Broker& broker = context.services.broker;
  co_return co_await on(context.services.pool, [&broker, name = std::move(name),
                                                changes = std::move(changes), validate_only] {
    return broker.change_config(name, changes, validate_only);
  });
}

// Appends to or takes from a list, such as cleanup.policy.
std::string edit_list(std::string_view now, std::string_view words, bool add) {
  auto split = [](std::string_view list) {
    std::vector<std::string> parts;
    while (!list.empty()) {
      size_t comma = std::min(list.find(','), list.size());
      if (comma > 0) parts.emplace_back(list.substr(0, comma));
      list.remove_prefix(std::min(list.size(), comma + 1));
    }
    return parts;
  };
  std::vector<std::string> result = split(now);
  for (const std::string& word : split(words)) {
    std::erase(result, word);
    if (add) result.push_back(word);
  }
  std::string joined;
  for (const std::string& word : result) joined += (joined.empty() ? "" : ",") + word;
  return joined;
}

}  // namespace

Async<Result<wire::AlterConfigsResponse>> alter_configs(Context& context,
                                                        wire::AlterConfigsRequest& request) {
  wire::AlterConfigsResponse response;
  for (const auto& resource : request.resources) {
    broker::Broker::ConfigChanges
        changes;  // the request lists everything that is to be set: the rest is reset
    if (auto topic = context.services.broker.find_topic(resource.resource_name)) {
      for (const auto& [key, value] : topic->config) changes[key] = std::nullopt;
    }
    for (const auto& config : resource.configs) changes[config.name] = config.value;
    Status done = co_await change_config(context, resource.resource_type, resource.resource_name,
                                         std::move(changes), request.validate_only);
    response.responses.push_back(
        {number(done), text(done), resource.resource_type, resource.resource_name});
  }
  co_return response;
}

Async<Result<wire::IncrementalAlterConfigsResponse>> incremental_alter_configs(
    Context& context, wire::IncrementalAlterConfigsRequest& request) {
  wire::IncrementalAlterConfigsResponse response;
  for (const auto& resource : request.resources) {
    broker::Broker::ConfigChanges changes;
    Status valid;
    auto topic = context.services.broker.find_topic(resource.resource_name);
    for (const auto& config : resource.configs) {
      const broker::ConfigRow* row = broker::find_topic_config(config.name);
      bool edits = config.config_operation == kAppendOperation ||
                   config.config_operation == kSubtractOperation;
      if (config.config_operation < kSetOperation || config.config_operation > kSubtractOperation ||
          (edits && (row == nullptr || row->kind != broker::ConfigKind::list))) {
        valid =
            fail(Code::invalid, "config", "the operation does not fit the setting " + config.name);
      } else if (config.config_operation == kDeleteOperation) {
        changes[config.name] = std::nullopt;
      } else if (edits && topic) {
        changes[config.name] =
            edit_list(broker::config_value(topic->config, *row), config.value.value_or(""),
                      config.config_operation == kAppendOperation);
      } else {
        changes[config.name] = config.value.value_or("");
      }
    }
    Status done = valid;
    if (valid) {
      done = co_await change_config(context, resource.resource_type, resource.resource_name,
                                    std::move(changes), request.validate_only);
    }
    response.responses.push_back(
        {number(done), text(done), resource.resource_type, resource.resource_name});
  }
  co_return response;
}

Result<wire::DescribeClusterResponse> describe_cluster(Context& context,
                                                       wire::DescribeClusterRequest& request) {
  const ClusterView& cluster = context.client.cluster;
  wire::DescribeClusterResponse response;
  response.endpoint_type = request.endpoint_type;
  response.cluster_id = context.services.broker.cluster_id();
  response.controller_id = cluster.controller();
  for (const Node& node : cluster.nodes)
    response.brokers.push_back({node.id, node.host, node.port, std::nullopt});
  return response;
}

Result<wire::DescribeLogDirsResponse> describe_log_dirs(Context& context,
                                                        wire::DescribeLogDirsRequest& request) {
  broker::Broker& broker = context.services.broker;
  const ClusterView& cluster = context.client.cluster;
  wire::DescribeLogDirsResponse response;
  auto wanted = [&](const std::string& topic, int32_t partition) {
    return request.topics.null ||
           std::any_of(request.topics.begin(), request.topics.end(), [&](const auto& item) {
             return item.topic == topic && std::find(item.partitions.begin(), item.partitions.end(),
                                                     partition) != item.partitions.end();
           });
  };
  for (size_t copy = 0; copy < broker::kCopiesMax; ++copy) {
    if (!cluster.alone && static_cast<int32_t>(copy) + 1 != cluster.own_id)
      continue;  // the other broker's
    auto& answer = response.results.emplace_back();
    answer.log_dir = broker.directory(copy);
    if (!broker.directory_online(copy)) {
      answer.error_code = kStorageError;
      continue;
    }
    if (auto free = broker.free_bytes(copy)) answer.usable_bytes = static_cast<int64_t>(*free);
    for (const auto& topic : broker.topics()) {
      wire::DescribeLogDirsResponse::DescribeLogDirsTopic shown;
      shown.name = topic->name;
      for (const auto& partition : topic->partitions) {
        if (!partition->has_copy(copy) || !wanted(topic->name, partition->index())) continue;
        shown.partitions.push_back(
            {partition->index(), static_cast<int64_t>(partition->bytes()), 0, false});
      }
      if (!shown.partitions.empty()) answer.topics.push_back(std::move(shown));
    }
  }
  return response;
}

Result<wire::DescribeAclsResponse> describe_acls(Context&, wire::DescribeAclsRequest&) {
  wire::DescribeAclsResponse response;
  response.error_code = kSecurityDisabled;
  response.error_message = "No Authorizer is configured on the broker";
  return response;
}

}  // namespace aichemy::serve::kafka
