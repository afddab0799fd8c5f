// See grammar_shape_keywords.h.
#include "runtime/grammar_shape_keywords.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr size_t kMaxValues = 4096;

Error wrong(const SchemaPlace& place, std::string wanted) {
  return {ErrorKind::kInvalid, place.where, std::move(wanted), shortened(*place.schema), ""};
}
Error not_enforced(const SchemaPlace& place, std::string wanted) {
  return {ErrorKind::kUnsupported, place.where, std::move(wanted), shortened(*place.schema), ""};
}

// All functions below take the place of the keyword's value.
Status join_type(Shape& shape, const SchemaPlace& place) {
  const Json& value = *place.schema;
  unsigned types = 0;
  const std::map<std::string_view, unsigned> known = {
      {"null", kNullType},       {"boolean", kBooleanType},
      {"integer", kIntegerType}, {"number", kIntegerType | kFractionType},
      {"string", kStringType},   {"array", kArrayType},
      {"object", kObjectType}};
  const Json list = value.is_array() ? value : Json::array({value});
  if (list.empty()) return wrong(place, "a type");
  for (const Json& name : list) {
    if (!name.is_string()) return wrong(place, "the names of types");
    const auto found = known.find(name.get_ref<const std::string&>());
    if (found == known.end()) {
      return Error{ErrorKind::kUnsupported, place.where,
                   "object, array, string, integer, number, boolean or null",
                   "'" + name.get<std::string>() + "'", ""};
    }
    types |= found->second;
  }
  shape.types &= types;
  return Done{};
}

Status join_values(Shape& shape, const SchemaPlace& place, const Json& list) {
  if (!list.is_array() || list.empty()) return wrong(place, "a list of values");
  if (list.size() > kMaxValues) {
    return Error{ErrorKind::kTooLarge, place.where, "at most " + std::to_string(kMaxValues) + " values",
                 std::to_string(list.size()), ""};
  }
  std::vector<Json> values;
  for (const Json& value : list) {
    if (!is_printable(value))
      return Error{ErrorKind::kInvalid, place.where, "values that are JSON", "something else", ""};
    const auto is_it = [&](const Json& other) { return other == value; };
    if (!shape.values || std::any_of(shape.values->begin(), shape.values->end(), is_it))
      values.push_back(value);
  }
  shape.values = std::move(values);
  shape.values_place = place;
  return Done{};
}

Status join_count(const SchemaPlace& place, Counts& counts, bool is_least) {
  const Json& value = *place.schema;
  const double number = value.is_number() ? value.get<double>() : -1;
  if (!(number >= 0) || number != std::floor(number)) return wrong(place, "a count");
  if (is_least && number >= UINT32_MAX)
    return Error{ErrorKind::kTooLarge, place.where, "less than 2^32", shortened(value), ""};
  const auto count = static_cast<uint32_t>(std::min(number, static_cast<double>(UINT32_MAX)));
  if (is_least) {
    counts.least = std::max(counts.least, count);
  } else {
    counts.most = std::min(counts.most, count);
  }
  return Done{};
}

Status join_limit(Shape& shape, const SchemaPlace& place, bool is_least, bool excluded) {
  const Json& value = *place.schema;
  if (!value.is_number() || !std::isfinite(value.get<double>())) return wrong(place, "a number");
  NumberLimits::Limit limit{Decimal::of(value), excluded, place.where};
  auto& known = is_least ? shape.numbers.least : shape.numbers.most;
  if (known) {
    const int order = is_least ? compare(limit.value, known->value) : compare(known->value, limit.value);
    if (order < 0 || (order == 0 && !excluded)) return Done{};
  }
  known = std::move(limit);
  return Done{};
}

Status join_multiple(Shape& shape, const SchemaPlace& place) {
  const Json& value = *place.schema;
  const double number = value.is_number() ? value.get<double>() : 0;
  if (!(number > 0)) return wrong(place, "a number above 0");
  if (number != std::floor(number) || number > 1e9) return not_enforced(place, "an integer of at most 10^9");
  const uint64_t multiple =
      std::lcm(std::max<uint64_t>(shape.numbers.multiple, 1), static_cast<uint64_t>(number));
  if (multiple > 1'000'000'000) return not_enforced(place, "multiples that have one below 10^9 in common");
  shape.numbers.multiple = multiple;
  shape.numbers.multiple_where = place.where;
  return Done{};
}

Status join_text(std::optional<SchemaPlace>& known, const SchemaPlace& place) {
  const Json& value = *place.schema;
  if (!value.is_string() || find_invalid_utf8(value.get_ref<const std::string&>()))
    return wrong(place, "a text");
  if (known && *known->schema != value) return not_enforced(place, "one that is the same as " + known->where);
  known = place;
  return Done{};
}

Status join_copied(Shape& shape, const SchemaPlace& place) {
  if (!place.schema->is_boolean()) return wrong(place, "true or false");
  if (place.schema->get<bool>()) shape.copied = place;
  return Done{};
}

Status join_required(Shape& shape, const SchemaPlace& place) {
  if (!place.schema->is_array()) return wrong(place, "a list of names");
  for (const Json& name : *place.schema) {
    if (!name.is_string() || !is_printable(name)) return wrong(place, "a list of names");
    if (!shape.requires_name(name.get<std::string>())) shape.required.push_back(name.get<std::string>());
  }
  return Done{};
}

Status join_unique(Shape& shape, const SchemaPlace& place) {
  if (!place.schema->is_boolean()) return wrong(place, "true or false");
  if (place.schema->get<bool>()) shape.unique = place;
  return Done{};
}

using Joiner = std::function<Status(Shape&, const SchemaPlace&)>;

const std::map<std::string_view, Joiner>& joiners() {
  const auto limit = [](bool is_least, bool excluded) {
    return
        [=](Shape& shape, const SchemaPlace& place) { return join_limit(shape, place, is_least, excluded); };
  };
  const auto count = [](Counts Shape::*counts, bool is_least) {
    return [=](Shape& shape, const SchemaPlace& place) { return join_count(place, shape.*counts, is_least); };
  };
  static const std::map<std::string_view, Joiner> kJoiners = {
      {"type", join_type},
      {"enum",
       [](Shape& shape, const SchemaPlace& place) { return join_values(shape, place, *place.schema); }},
      {"const",
       [](Shape& shape, const SchemaPlace& place) {
         return join_values(shape, place, Json::array({*place.schema}));
       }},
      {"minimum", limit(true, false)},
      {"exclusiveMinimum", limit(true, true)},
      {"maximum", limit(false, false)},
      {"exclusiveMaximum", limit(false, true)},
      {"multipleOf", join_multiple},
      {"minLength", count(&Shape::length, true)},
      {"maxLength", count(&Shape::length, false)},
      {"minItems", count(&Shape::items, true)},
      {"maxItems", count(&Shape::items, false)},
      {"maxProperties", count(&Shape::properties, false)},
      {"minProperties",
       [](Shape& shape, const SchemaPlace& place) {
         shape.least_properties = place;
         return join_count(place, shape.properties, true);
       }},
      {"pattern", [](Shape& shape, const SchemaPlace& place) { return join_text(shape.pattern, place); }},
      {"format", [](Shape& shape, const SchemaPlace& place) { return join_text(shape.format, place); }},
      {"copied", join_copied},
      {"required", join_required},
      {"uniqueItems", join_unique},
  };
  return kJoiners;
}

}  // namespace

std::string shortened(const Json& value) {
  const std::string text = is_printable(value) ? python_json(value) : "something that is no JSON";
  return text.size() <= 60 ? text : std::string(first_characters(text, 57)) + "...";
}

bool is_printable(const Json& value, int depth) {
  if (depth > kMaxJsonDepth) return false;
  if (value.is_string()) return !find_invalid_utf8(value.get_ref<const std::string&>());
  if (value.is_number_float()) return std::isfinite(value.get<double>());
  if (!value.is_structured()) return !value.is_binary() && !value.is_discarded();
  for (const auto& [key, item] : value.items()) {
    if ((value.is_object() && find_invalid_utf8(key)) || !is_printable(item, depth + 1)) return false;
  }
  return true;
}

Result<bool> join_assertion(Shape& shape, const std::string& keyword, const SchemaPlace& place) {
  const auto joiner = joiners().find(keyword);
  if (joiner == joiners().end()) return false;
  shape.plain = false;
  if (auto status = joiner->second(shape, place); !status.ok()) return status.error();
  return true;
}

}  // namespace ink
