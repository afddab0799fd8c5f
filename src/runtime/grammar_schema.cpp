// See grammar_schema.h. Each value is a rule of its own: an object mentions it twice, once with a comma in
// front and once without, and the network must not double with each level.
#include "runtime/grammar_schema.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "runtime/grammar_pattern.h"
#include "runtime/grammar_schema_checks.h"
#include "runtime/grammar_values.h"

namespace ink {
namespace {

constexpr int64_t kLargestInteger = 999'999'999'999'999;  // where a schema sets no limit

Error too_large(const std::string& where, std::string wanted, std::string got) {
  return {ErrorKind::kTooLarge, where, std::move(wanted), std::move(got), ""};
}

}  // namespace

Result<uint32_t> SchemaCompiler::compile(const Json& schema, const std::string& where) {
  if (depth_ >= kMaxDepth)
    return too_large(where, "at most " + std::to_string(kMaxDepth) + " schemas in each other", "more");
  ++depth_;
  Result<uint32_t> rule = compile_value(schema, where);
  --depth_;
  if (rule.ok() && builder_.full())
    return too_large(where, "a grammar of at most " + std::to_string(GrammarBuilder::kMaxNodes) + " nodes",
                     "a larger one");
  return rule;
}

Result<uint32_t> SchemaCompiler::compile_value(const Json& schema, const std::string& where) {
  if (!schema.is_object())
    return Error{ErrorKind::kUnsupported, where, "a schema object", schema.type_name(), ""};
  if (schema.contains("enum") || schema.contains("const")) return compile_values(schema, where);
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (schema.contains(keyword)) return compile_alternatives(schema, keyword, where);
  }
  const auto type = schema.find("type");
  if (type == schema.end() || !type->is_string()) {
    return Error{ErrorKind::kUnsupported, where, "one \"type\", or enum, const, anyOf, oneOf",
                 type == schema.end() ? "none of them" : "a type that is " + std::string(type->type_name()),
                 ""};
  }
  return compile_type(schema, type->get<std::string>(), where);
}

Result<uint32_t> SchemaCompiler::compile_type(const Json& schema, const std::string& type,
                                              const std::string& where) {
  if (type == "object") return compile_object(schema, where);
  if (type == "array") return compile_array(schema, where);
  if (type == "string") return compile_string(schema, where);
  if (type == "integer") return compile_integer(schema, where);
  if (type != "number" && type != "boolean" && type != "null") {
    return Error{ErrorKind::kUnsupported, where + ".type",
                 "object, array, string, integer, number, boolean or null", "'" + type + "'", ""};
  }
  if (auto status = check_keywords(schema, {"type"}, where); !status.ok()) return status.error();
  if (type == "number") return make_number(builder_);
  const uint32_t done = builder_.done();
  if (type == "null") return builder_.text("null", done);
  return builder_.either(builder_.text("true", done), builder_.text("false", done));
}

Result<uint32_t> SchemaCompiler::compile_object(const Json& schema, const std::string& where) {
  auto members = read_object_schema(schema, where);
  if (!members.ok()) return members.error();
  if (members->size() > kMaxProperties) {
    return too_large(where + ".properties", "at most " + std::to_string(kMaxProperties),
                     std::to_string(members->size()));
  }
  std::vector<uint32_t> rules;
  for (const ObjectMember& member : *members) {
    auto rule = compile(*member.schema, where + ".properties." + member.name);
    if (!rule.ok()) return rule.error();
    rules.push_back(*rule);
  }
  // From the last property to the first: what may follow when none has been written yet, or some have.
  uint32_t if_first = builder_.text("}", builder_.done());
  uint32_t if_later = if_first;
  for (size_t i = rules.size(); i > 0; --i) {
    const ObjectMember& member = (*members)[i - 1];
    const std::string key = python_json(Json(member.name)) + ": ";
    const uint32_t first = builder_.text(key, builder_.call(rules[i - 1], if_later));
    const uint32_t later = builder_.text(", " + key, builder_.call(rules[i - 1], if_later));
    if_first = member.required ? first : builder_.either(first, if_first);
    if_later = member.required ? later : builder_.either(later, if_later);
  }
  return builder_.text("{", if_first);
}

Result<uint32_t> SchemaCompiler::compile_array(const Json& schema, const std::string& where) {
  if (auto status = check_keywords(schema, {"type", "items", "minItems", "maxItems"}, where); !status.ok())
    return status.error();
  const auto counts = read_counts(schema, "minItems", "maxItems", where);
  if (!counts.ok()) return counts.error();
  const auto items = schema.find("items");
  if (items == schema.end())
    return Error{ErrorKind::kUnsupported, where, "\"items\", the schema of the elements", "none", ""};
  const auto item = compile(*items, where + ".items");
  if (!item.ok()) return item.error();
  const uint32_t close = builder_.text("]", builder_.done());
  if (counts->most == 0) return builder_.text("[", close);
  const uint32_t another = builder_.text(", ", builder_.call(*item, builder_.done()));
  const uint32_t least = std::max<uint32_t>(counts->least, 1) - 1;
  const uint32_t most = counts->most == kNoLimit ? kNoLimit : counts->most - 1;
  uint32_t inside = builder_.call(*item, builder_.repeat(another, least, most, close));
  if (counts->least == 0) inside = builder_.either(close, inside);
  return builder_.text("[", inside);
}

uint32_t SchemaCompiler::string_character() {
  if (!has_string_character_) string_character_ = make_string_character(builder_);
  has_string_character_ = true;
  return string_character_;
}

Result<uint32_t> SchemaCompiler::compile_string(const Json& schema, const std::string& where) {
  if (auto status = check_keywords(schema, {"type", "minLength", "maxLength", "pattern", "copied"}, where);
      !status.ok())
    return status.error();
  const auto counts = read_counts(schema, "minLength", "maxLength", where);
  if (!counts.ok()) return counts.error();
  const auto copied = read_copied(schema, where);
  if (!copied.ok()) return copied.error();
  const uint32_t quote = builder_.text("\"", builder_.done());
  if (*copied) return builder_.text("\"", builder_.copied(quote));
  if (const auto pattern = schema.find("pattern"); pattern != schema.end()) {
    if (auto status = check_pattern_schema(schema, where); !status.ok()) return status.error();
    const auto inside = add_pattern(builder_, pattern->get_ref<const std::string&>(), quote, where);
    if (!inside.ok()) return inside.error();
    return builder_.text("\"", *inside);
  }
  if (counts->most == 0) return builder_.text("\"", quote);
  return builder_.text("\"", builder_.repeat(string_character(), counts->least, counts->most, quote));
}

Result<uint32_t> SchemaCompiler::compile_integer(const Json& schema, const std::string& where) {
  if (auto status = check_keywords(schema, {"type", "minimum", "maximum"}, where); !status.ok())
    return status.error();
  const auto least = read_limit(schema, "minimum", where);
  if (!least.ok()) return least.error();
  const auto most = read_limit(schema, "maximum", where);
  if (!most.ok()) return most.error();
  // A limit that is itself beyond the usual 15 digits opens its side up to 64 bits.
  const int64_t highest = *least && **least > kLargestInteger ? INT64_MAX : kLargestInteger;
  const int64_t lowest = *most && **most < -kLargestInteger ? INT64_MIN : -kLargestInteger;
  const int64_t from = least->value_or(lowest), to = most->value_or(highest);
  if (from > to) {
    return Error{ErrorKind::kInvalid, where, "minimum at most maximum",
                 std::to_string(from) + " and " + std::to_string(to), ""};
  }
  return make_integer(builder_, from, to);
}

Result<uint32_t> SchemaCompiler::compile_values(const Json& schema, const std::string& where) {
  const auto values = read_values(schema, where);
  if (!values.ok()) return values.error();
  if (values->size() > kMaxAlternatives) {
    return too_large(where + ".enum", "at most " + std::to_string(kMaxAlternatives) + " values",
                     std::to_string(values->size()));
  }
  const uint32_t done = builder_.done();
  uint32_t rule = builder_.text((*values)[0], done);
  for (size_t i = 1; i < values->size(); ++i) rule = builder_.either(rule, builder_.text((*values)[i], done));
  return rule;
}

Result<uint32_t> SchemaCompiler::compile_alternatives(const Json& schema, const std::string& keyword,
                                                      const std::string& where) {
  if (auto status = check_keywords(schema, {keyword}, where); !status.ok()) return status.error();
  const Json& list = schema[keyword];
  const std::string place = where + "." + keyword;
  if (!list.is_array() || list.empty())
    return Error{ErrorKind::kInvalid, place, "a list of schemas",
                 list.is_array() ? "an empty one" : list.type_name(), ""};
  if (list.size() > kMaxAlternatives)
    return too_large(place, "at most " + std::to_string(kMaxAlternatives), std::to_string(list.size()));
  if (keyword == "oneOf") {
    if (auto status = check_disjoint(list, place); !status.ok()) return status.error();
  }
  uint32_t rule = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto alternative = compile(list[i], place + "[" + std::to_string(i) + "]");
    if (!alternative.ok()) return alternative.error();
    rule = i == 0 ? *alternative : builder_.either(rule, *alternative);
  }
  return rule;
}

}  // namespace ink
