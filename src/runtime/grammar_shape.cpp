// See grammar_shape.h.
#include "runtime/grammar_shape.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/json_pointer.h"
#include "base/utf8.h"
#include "runtime/grammar_shape_keywords.h"

namespace ink {
namespace {

// They say nothing about the value. Vendors' own words begin with x-.
bool is_annotation(std::string_view keyword) {
  static const std::set<std::string_view> kAnnotations = {
      "title",     "description", "default", "examples", "example",     "$comment", "readOnly",
      "writeOnly", "deprecated",  "$schema", "$defs",    "definitions", "$anchor",  "discriminator"};
  return kAnnotations.count(keyword) > 0 || keyword.starts_with("x-");
}

Error wrong_schema(ErrorKind kind, const SchemaPlace& place, std::string wanted) {
  return {kind, place.where, std::move(wanted), shortened(*place.schema), ""};
}

Status check_schema(const SchemaPlace& place) {
  if (place.schema->is_object() || place.schema->is_boolean()) return Done{};
  return wrong_schema(ErrorKind::kInvalid, place, "a schema");
}

// additionalProperties: true adds no schema, but says that there may be more.
Status join_properties(Shape& shape, const Json& schema, const std::string& where) {
  Shape::Members members;
  members.where = where;
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    const SchemaPlace place{&*properties, where + ".properties"};
    if (!properties->is_object()) return wrong_schema(ErrorKind::kInvalid, place, "an object");
    for (const auto& [name, value] : properties->items()) {
      if (find_invalid_utf8(name))
        return Error{ErrorKind::kInvalid, place.where, "names in UTF-8", "other bytes", ""};
      if (auto status = check_schema({&value, place.where + "." + name}); !status.ok()) return status;
    }
    members.properties = &*properties;
  }
  if (const auto additional = schema.find("additionalProperties"); additional != schema.end()) {
    members.additional = SchemaPlace{&*additional, where + ".additionalProperties"};
    if (auto status = check_schema(*members.additional); !status.ok()) return status;
  }
  shape.members.push_back(std::move(members));
  return Done{};
}

// prefixItems and items; or, as before 2020, a list of items and additionalItems.
Status join_elements(Shape& shape, const Json& schema, const std::string& where) {
  Shape::Elements elements;
  const auto items = schema.find("items"), prefix = schema.find("prefixItems"),
             additional = schema.find("additionalItems");
  const bool old = items != schema.end() && items->is_array();
  if (old && prefix != schema.end())
    return wrong_schema(ErrorKind::kInvalid, {&*items, where + ".items"}, "a schema beside prefixItems");
  if (!old && additional != schema.end())
    return wrong_schema(ErrorKind::kUnsupported, {&*additional, where + ".additionalItems"},
                        "a list of items beside it");
  const auto list = old ? items : prefix;
  const auto rest = old ? additional : items;
  if (list != schema.end()) {
    const SchemaPlace place{&*list, where + (old ? ".items" : ".prefixItems")};
    if (!list->is_array()) return wrong_schema(ErrorKind::kInvalid, place, "a list of schemas");
    for (const Json& each : *list) {
      const std::string at = place.where + "[" + std::to_string(elements.prefix.size()) + "]";
      elements.prefix.push_back({&each, at});
      if (auto status = check_schema(elements.prefix.back()); !status.ok()) return status;
    }
  }
  if (rest != schema.end()) {
    elements.rest = SchemaPlace{&*rest, where + (old ? ".additionalItems" : ".items")};
    if (auto status = check_schema(*elements.rest); !status.ok()) return status;
  }
  shape.elements.push_back(std::move(elements));
  return Done{};
}

}  // namespace

unsigned json_type(const Json& value) {
  if (value.is_null()) return kNullType;
  if (value.is_boolean()) return kBooleanType;
  if (value.is_number()) return Decimal::of(value).is_integer() ? kIntegerType : kFractionType;
  if (value.is_string()) return kStringType;
  return value.is_array() ? kArrayType : kObjectType;
}

bool Shape::has_joined(const Json* schema) const {
  return std::find(joined.begin(), joined.end(), schema) != joined.end();
}

bool Shape::requires_name(const std::string& name) const {
  return std::find(required.begin(), required.end(), name) != required.end();
}

std::vector<std::string> Shape::names() const {
  std::vector<std::string> names;
  std::set<std::string> known;
  for (const Members& each : members) {
    if (each.properties == nullptr) continue;
    for (const auto& item : each.properties->items()) {
      if (known.insert(item.key()).second) names.push_back(item.key());
    }
  }
  for (const std::string& name : required) {
    if (known.insert(name).second) names.push_back(name);
  }
  return names;
}

Conjunction Shape::member(const std::string& name) const {
  Conjunction all;
  for (const Members& each : members) {
    const Json* declared = nullptr;
    if (each.properties != nullptr) {
      const auto found = each.properties->find(name);
      if (found != each.properties->end()) declared = &*found;
    }
    if (declared != nullptr) {
      all.push_back({declared, each.where + ".properties." + name});
    } else if (each.additional) {
      all.push_back(*each.additional);
    }
  }
  return all;
}

Conjunction Shape::element(size_t index) const {
  Conjunction all;
  for (const Elements& each : elements) {
    if (index < each.prefix.size()) {
      all.push_back(each.prefix[index]);
    } else if (each.rest) {
      all.push_back(*each.rest);
    }
  }
  return all;
}

bool Shape::is_open() const {
  const auto closes = [](const Members& each) {
    return each.additional && *each.additional->schema == false;
  };
  if (std::any_of(members.begin(), members.end(), closes)) return false;
  return std::any_of(members.begin(), members.end(),
                     [](const Members& each) { return each.additional.has_value(); }) ||
         std::all_of(members.begin(), members.end(),
                     [](const Members& each) { return each.properties == nullptr; });
}

size_t Shape::prefix_size() const {
  size_t size = 0;
  for (const Elements& each : elements) size = std::max(size, each.prefix.size());
  return size;
}

Status ShapeReader::join(Shape& shape, const SchemaPlace& place, std::vector<const Json*> inside) {
  open_ = std::move(inside);
  return join_inside(shape, place);
}

Status ShapeReader::join_inside(Shape& shape, const SchemaPlace& place) {
  if (auto status = check_schema(place); !status.ok()) return status;
  if (std::find(open_.begin(), open_.end(), place.schema) != open_.end())
    return Error{ErrorKind::kInvalid, place.where, "a schema that does not consist of itself", "a circle",
                 ""};
  if (shape.has_joined(place.schema)) return Done{};
  if (++joins_ > kMaxJoins || open_.size() >= kMaxReferences)
    return Error{ErrorKind::kTooLarge, place.where, "schemas that refer to fewer others", "too many", ""};
  shape.joined.push_back(place.schema);
  if (place.schema->is_boolean()) {
    shape.plain = false;
    if (*place.schema == false) shape.types = 0;
    return Done{};
  }
  open_.push_back(place.schema);
  const auto close = [&](Status status) {
    open_.pop_back();
    return status;
  };
  const Json& schema = *place.schema;
  for (const auto& item : schema.items()) {
    if (auto status = join_keyword(shape, item.key(), place); !status.ok()) return close(std::move(status));
  }
  for (const char* keyword : {"properties", "additionalProperties"}) {
    if (!schema.contains(keyword)) continue;
    shape.plain = false;
    if (auto status = join_properties(shape, schema, place.where); !status.ok())
      return close(std::move(status));
    break;
  }
  for (const char* keyword : {"items", "prefixItems", "additionalItems"}) {
    if (!schema.contains(keyword)) continue;
    shape.plain = false;
    if (auto status = join_elements(shape, schema, place.where); !status.ok())
      return close(std::move(status));
    break;
  }
  return close(Done{});
}

Status ShapeReader::join_keyword(Shape& shape, const std::string& keyword, const SchemaPlace& place) {
  static const std::set<std::string_view> kReadTogether = {"properties", "additionalProperties", "items",
                                                           "prefixItems", "additionalItems"};
  const Json& value = (*place.schema)[keyword];
  const SchemaPlace at{&value, place.where + "." + keyword};
  if (is_annotation(keyword) || kReadTogether.count(keyword) > 0) return Done{};
  if (keyword == "$id" && place.schema == &root_) return Done{};
  if (keyword == "$ref") return join_reference(shape, at);
  if (keyword == "anyOf" || keyword == "oneOf") return join_choice(shape, keyword, at);
  if (keyword == "patternProperties" && value.is_object() && value.empty()) return Done{};
  if (keyword == "allOf") {
    if (!value.is_array() || value.empty()) return wrong_schema(ErrorKind::kInvalid, at, "a list of schemas");
    for (size_t i = 0; i < value.size(); ++i) {
      if (auto status = join_inside(shape, {&value[i], at.where + "[" + std::to_string(i) + "]"});
          !status.ok())
        return status;
    }
    return Done{};
  }
  const auto known = join_assertion(shape, keyword, at);
  if (!known.ok()) return known.error();
  if (*known) return Done{};
  return Error{ErrorKind::kUnsupported, at.where, "a keyword that can be enforced", "'" + keyword + "'", ""};
}

Status ShapeReader::join_choice(Shape& shape, const std::string& keyword, const SchemaPlace& place) const {
  if (!place.schema->is_array() || place.schema->empty())
    return wrong_schema(ErrorKind::kInvalid, place, "a list of schemas");
  size_t index = 0;
  for (const Json& each : *place.schema) {
    const SchemaPlace one{&each, place.where + "[" + std::to_string(index++) + "]"};
    if (auto status = check_schema(one); !status.ok()) return status;
  }
  shape.choices.push_back({place.schema, keyword == "oneOf", place.where, open_});
  return Done{};
}

Status ShapeReader::join_reference(Shape& shape, const SchemaPlace& place) {
  if (!place.schema->is_string()) return wrong_schema(ErrorKind::kInvalid, place, "a text");
  const auto& reference = place.schema->get_ref<const std::string&>();
  if (reference != "#" && !reference.starts_with("#/"))
    return wrong_schema(ErrorKind::kUnsupported, place, "a place in this schema, #/…");
  const Json* target = find_pointed(root_, std::string_view(reference).substr(1));
  if (target == nullptr)
    return wrong_schema(ErrorKind::kInvalid, place, "a place that exists in this schema");
  return join_inside(shape, {target, place.where});
}

}  // namespace ink
