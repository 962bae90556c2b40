#include "tables/avro_schema.h"

#include <map>

namespace aichemy::tables {

namespace {

constexpr int kDepthMax = 64;
constexpr size_t kNodesMax = 200'000;

struct KindName {
  std::string_view name;
  AvroKind kind;
  TypeKind type;
};
constexpr KindName kPrimitives[] = {
    {"null", AvroKind::null, TypeKind::unknown},
    {"boolean", AvroKind::boolean, TypeKind::boolean},
    {"int", AvroKind::int_, TypeKind::int32},
    {"long", AvroKind::long_, TypeKind::int64},
    {"float", AvroKind::float_, TypeKind::float32},
    {"double", AvroKind::double_, TypeKind::float64},
    {"bytes", AvroKind::bytes, TypeKind::binary},
    {"string", AvroKind::string, TypeKind::string},
};

std::unexpected<Error> broken(const std::string& why) {
  return fail(Code::corrupt, "avro", "Avro schema: " + why);
}

class SchemaReader {
 public:
  Result<AvroNode> read(const Json& json, int depth) {
    if (depth > kDepthMax || ++nodes_ > kNodesMax) return broken("too deep or too large");
    if (json.is_string()) return read_name(json.as_string());
    if (json.is_array()) {
      AvroNode node;
      node.kind = AvroKind::union_;
      for (const Json& branch : json.as_array()) {
        ASSIGN_OR_RETURN(AvroNode child, read(branch, depth + 1));
        node.children.push_back(std::move(child));
      }
      if (node.children.empty()) return broken("a union without branches");
      return node;
    }
    if (!json.is_object()) return broken("a type is neither text, array nor object");
    const Json& of = json["type"];
    if (!of.is_string()) return read(of, depth + 1);
    std::string_view type = of.as_string();
    if (type == "record" || type == "error") return read_record(json, depth);
    if (type == "array" || type == "map") return read_collection(json, type == "array", depth);
    if (type == "fixed") return read_fixed(json);
    if (type == "enum") {
      AvroNode node;
      node.kind = AvroKind::enum_;
      for (const Json& symbol : json["symbols"].as_array())
        node.children.emplace_back().name = symbol.as_string();
      keep(json, node);
      return node;
    }
    ASSIGN_OR_RETURN(AvroNode node, read_name(type));
    node.type = logical_type(json, node.type);
    std::string_view logical = json["logicalType"].as_string();
    if (logical == "timestamp-millis" || logical == "local-timestamp-millis")
      node.fixed_size = 1000;
    return node;
  }

 private:
  std::map<std::string, AvroNode, std::less<>> named_;
  size_t nodes_ = 0;

  Result<AvroNode> read_name(std::string_view name) {
    for (const KindName& row : kPrimitives) {
      if (row.name != name) continue;
      AvroNode node;
      node.kind = row.kind;
      node.type = primitive(row.type);
      return node;
    }
    // A record is entered after it is complete, so a recursive one is not found.
    auto found = named_.find(name);
    if (found == named_.end()) return broken("type \"" + std::string(name) + "\" is not known");
    if (nodes_ += count(found->second); nodes_ > kNodesMax) return broken("too large");
    return found->second;
  }

  // By its name alone and with its namespace: either may be used inside of it.
  void keep(const Json& json, const AvroNode& node) {
    std::string name(json["name"].as_string());
    std::string_view space = json["namespace"].as_string();
    size_t dot = name.rfind('.');
    if (dot != std::string::npos) named_[name.substr(dot + 1)] = node;
    if (!space.empty()) named_[std::string(space) + "." + name] = node;
    named_[name] = node;
  }

  static size_t count(const AvroNode& node) {
    size_t total = 1;
    for (const AvroNode& child : node.children) total += count(child);
    return total;
  }

  Result<AvroNode> read_record(const Json& json, int depth) {
    AvroNode node;
    node.kind = AvroKind::record;
    for (const Json& field : json["fields"].as_array()) {
      const Json* type = field.find("type");
      if (!type) return broken("a record's field has no type");
      ASSIGN_OR_RETURN(AvroNode child, read(*type, depth + 1));
      child.field_id = static_cast<int>(field["field-id"].as_int(-1));
      child.name = field["name"].as_string();
      node.children.push_back(std::move(child));
    }
    keep(json, node);
    return node;
  }

  Result<AvroNode> read_collection(const Json& json, bool is_array, int depth) {
    const Json* of = json.find(is_array ? "items" : "values");
    if (!of) return broken("an array or map has no element type");
    AvroNode node;
    node.kind = is_array ? AvroKind::array : AvroKind::map;
    ASSIGN_OR_RETURN(AvroNode child, read(*of, depth + 1));
    child.field_id = static_cast<int>(json["element-id"].as_int(-1));
    node.children.push_back(std::move(child));
    return node;
  }

  Result<AvroNode> read_fixed(const Json& json) {
    int64_t size = json["size"].as_int(-1);
    if (size < 0 || size > 1 << 20) return broken("a fixed type of size " + std::to_string(size));
    AvroNode node;
    node.kind = AvroKind::fixed;
    node.fixed_size = static_cast<uint32_t>(size);
    node.type = logical_type(json, fixed_type(static_cast<int>(size)));
    keep(json, node);
    return node;
  }

  static Type logical_type(const Json& json, const Type& plain) {
    std::string_view logical = json["logicalType"].as_string();
    bool zoned = json["adjust-to-utc"].as_bool();
    if (logical == "date") return primitive(TypeKind::date);
    if (logical == "time-micros") return primitive(TypeKind::time);
    if (logical == "timestamp-micros") {
      return primitive(zoned ? TypeKind::timestamptz : TypeKind::timestamp);
    }
    if (logical == "local-timestamp-micros") return primitive(TypeKind::timestamp);
    if (logical == "timestamp-nanos") {
      return primitive(zoned ? TypeKind::timestamptz_ns : TypeKind::timestamp_ns);
    }
    if (logical == "uuid") return primitive(TypeKind::uuid);
    if (logical == "decimal") {
      return decimal_type(static_cast<int>(json["precision"].as_int()),
                          static_cast<int>(json["scale"].as_int()));
    }
    return plain;
  }
};

}  // namespace

Result<AvroNode> avro_schema_from_json(const Json& json) { return SchemaReader().read(json, 0); }

}  // namespace aichemy::tables
