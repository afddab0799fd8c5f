// See grammar_schema.h. A value is compiled from the set of schemas that have to hold for it; equal sets
// share one rule, which is known before it is made, so that schemas may refer to themselves.
#include "runtime/grammar_schema.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "runtime/grammar_formats.h"
#include "runtime/grammar_shape_keywords.h"
#include "runtime/grammar_values.h"

namespace ink {
namespace {

constexpr size_t kMaxLeaves = 50'000;
constexpr int kMaxChoices = 48;  // in each other

Error schema_too_large(const std::string& where, std::string wanted) {
  return {ErrorKind::kTooLarge, where, std::move(wanted), "more", ""};
}

std::string key_of(const Conjunction& all) {
  std::vector<const Json*> schemas;
  for (const SchemaPlace& place : all) schemas.push_back(place.schema);
  std::sort(schemas.begin(), schemas.end());
  schemas.erase(std::unique(schemas.begin(), schemas.end()), schemas.end());
  std::string key;
  for (const Json* schema : schemas) key += std::to_string(reinterpret_cast<uintptr_t>(schema)) + " ";
  return key;
}

enum class Fit { kNo, kYes, kMaybe };

// Whether a literal value fits the rest of a shape.
Fit fits(const Json& value, const Shape& shape) {
  const unsigned type = json_type(value);
  if ((shape.types & type) == 0) return Fit::kNo;
  if ((type & (kIntegerType | kFractionType)) != 0) return shape.numbers.allows(value) ? Fit::kYes : Fit::kNo;
  const auto within = [](size_t count, const Counts& counts) {
    return count >= counts.least && count <= counts.most;
  };
  if (type == kStringType) {
    if (!within(count_characters(value.get_ref<const std::string&>()), shape.length)) return Fit::kNo;
    return shape.pattern || shape.format || shape.copied ? Fit::kMaybe : Fit::kYes;
  }
  if (type == kArrayType) {
    if (!within(value.size(), shape.items)) return Fit::kNo;
    return shape.elements.empty() && !shape.unique ? Fit::kYes : Fit::kMaybe;
  }
  if (type == kObjectType) {
    if (!within(value.size(), shape.properties)) return Fit::kNo;
    for (const std::string& name : shape.required) {
      if (!value.contains(name)) return Fit::kNo;
    }
    return shape.members.empty() ? Fit::kYes : Fit::kMaybe;
  }
  return Fit::kYes;
}

bool ranges_apart(const NumberLimits& a, const NumberLimits& b) {
  const auto below = [](const NumberLimits& low, const NumberLimits& high) {
    if (!low.most || !high.least) return false;
    const int order = compare(low.most->value, high.least->value);
    return order < 0 || (order == 0 && (low.most->excluded || high.least->excluded));
  };
  return below(a, b) || below(b, a);
}

bool counts_apart(const Counts& a, const Counts& b) { return a.most < b.least || b.most < a.least; }

}  // namespace

Result<uint32_t> SchemaCompiler::compile(const Json& schema, const std::string& where) {
  reader_ = std::make_unique<ShapeReader>(schema);
  where_ = where;
  at_this_value_.clear();
  return compile_value({{&schema, where}});
}

Result<std::vector<Shape>> SchemaCompiler::compile_shapes(const Json& schema, const std::string& where) {
  reader_ = std::make_unique<ShapeReader>(schema);
  where_ = where;
  at_this_value_.clear();
  return shapes_of({{&schema, where}});
}

Result<std::vector<Shape>> SchemaCompiler::shapes_of(const Conjunction& all) {
  Shape shape;
  std::vector<Shape> leaves;
  for (const SchemaPlace& place : all) {
    if (auto status = reader_->join(shape, place); !status.ok()) return status.error();
  }
  if (auto status = expand(shape, leaves, 0); !status.ok()) return status.error();
  return leaves;
}

// Makes all choices of a shape.
Status SchemaCompiler::expand(const Shape& shape, std::vector<Shape>& leaves, int depth) {
  if (shape.types == 0 || (shape.values && shape.values->empty())) return Done{};
  if (!shape.choices.empty()) return expand_choice(shape, leaves, depth);
  if (leaves.size() >= kMaxAlternatives || ++leaves_ > kMaxLeaves)
    return schema_too_large(where_,
                            "at most " + std::to_string(kMaxAlternatives) + " alternatives of a value");
  leaves.push_back(shape);
  return Done{};
}

Status SchemaCompiler::expand_choice(const Shape& shape, std::vector<Shape>& leaves, int depth) {
  const Shape::Choice choice = shape.choices.back();
  if (depth >= kMaxChoices) return schema_too_large(choice.where, "fewer choices in each other");
  std::vector<std::vector<Shape>> alternatives;
  for (size_t i = 0; i < choice.schemas->size(); ++i) {
    Shape one = shape;
    one.choices.pop_back();
    const SchemaPlace place{&(*choice.schemas)[i], choice.where + "[" + std::to_string(i) + "]"};
    if (auto status = reader_->join(one, place, choice.inside); !status.ok()) return status;
    alternatives.emplace_back();
    if (auto status = expand(one, alternatives.back(), depth + 1); !status.ok()) return status;
    if (leaves.size() + alternatives.back().size() > kMaxAlternatives)
      return schema_too_large(choice.where,
                              "at most " + std::to_string(kMaxAlternatives) + " alternatives of a value");
    if (!choice.exactly_one)
      std::move(alternatives.back().begin(), alternatives.back().end(), std::back_inserter(leaves));
  }
  if (!choice.exactly_one) return Done{};
  if (auto status = check_apart(alternatives, choice.where); !status.ok()) return status;
  for (auto& each : alternatives) std::move(each.begin(), each.end(), std::back_inserter(leaves));
  return Done{};
}

Status SchemaCompiler::check_apart(const std::vector<std::vector<Shape>>& alternatives,
                                   const std::string& where) {
  size_t pairs = 0;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    for (size_t j = 0; j < alternatives.size(); ++j) {
      if (i == j) continue;
      for (const Shape& made : alternatives[i]) {
        for (const Shape& other : alternatives[j]) {
          if (++pairs > kMaxLeaves) return schema_too_large(where, "fewer alternatives to tell apart");
          const auto may = may_fit(made, other, 0);
          if (!may.ok()) return may.error();
          if (!*may) continue;
          return Error{ErrorKind::kUnsupported, where,
                       "alternatives of which it is plain that no value fits two",
                       "[" + std::to_string(i) + "] and [" + std::to_string(j) + "] may overlap",
                       "anyOf does not ask for that"};
        }
      }
    }
  }
  return Done{};
}

Result<bool> SchemaCompiler::may_fit(const Shape& made, const Shape& other, int depth) {
  const unsigned types = made.types & other.types;
  if (types == 0) return false;
  if (made.values || other.values) {
    const Shape& listed = made.values ? made : other;
    const Shape& rest = made.values ? other : made;
    return std::any_of(listed.values->begin(), listed.values->end(), [&](const Json& value) {
      if (fits(value, listed) == Fit::kNo || fits(value, rest) == Fit::kNo) return false;
      return !rest.values || std::find(rest.values->begin(), rest.values->end(), value) != rest.values->end();
    });
  }
  if ((types & (kNullType | kBooleanType)) != 0) return true;
  if ((types & (kIntegerType | kFractionType)) != 0 && !ranges_apart(made.numbers, other.numbers))
    return true;
  if ((types & kStringType) != 0 && !counts_apart(made.length, other.length)) return true;
  if ((types & kArrayType) != 0 && !counts_apart(made.items, other.items)) return true;
  if ((types & kObjectType) != 0) return objects_may_fit(made, other, depth);
  return false;
}

Result<bool> SchemaCompiler::objects_may_fit(const Shape& made, const Shape& other, int depth) {
  constexpr int kMaxDepthOfComparison = 3;
  if (counts_apart(made.properties, other.properties)) return false;
  const auto written = made.names();
  const auto writes = [&](const std::string& name) {
    return made.is_open() || std::find(written.begin(), written.end(), name) != written.end();
  };
  for (const std::string& name : other.required) {
    if (!writes(name)) return false;
  }
  if (depth >= kMaxDepthOfComparison) return true;
  for (const std::string& name : made.required) {
    const auto ours = shapes_of(made.member(name)), theirs = shapes_of(other.member(name));
    if (!ours.ok()) return ours.error();
    if (!theirs.ok()) return theirs.error();
    bool may = false;
    for (const Shape& one : *ours) {
      for (const Shape& another : *theirs) {
        if (may) break;
        const auto pair = may_fit(one, another, depth + 1);
        if (!pair.ok()) return pair.error();
        may = *pair;
      }
    }
    if (!may) return false;
  }
  return true;
}

Result<uint32_t> SchemaCompiler::compile_value(const Conjunction& all) {
  const std::string key = key_of(all);
  const std::string where = all.empty() ? where_ : all[0].where;
  if (at_this_value_.count(key) > 0)
    return Error{ErrorKind::kInvalid, where, "a schema that does not consist of itself", "a circle", ""};
  const auto [known, is_new] = rules_.try_emplace(key, 0);
  if (!is_new) return known->second;
  if (depth_ >= kMaxDepth)
    return schema_too_large(where, "at most " + std::to_string(kMaxDepth) + " schemas in each other");
  const uint32_t rule = builder_.open_split();
  known->second = rule;
  at_this_value_.insert(key);
  ++depth_;
  const auto entry = build(all);
  --depth_;
  at_this_value_.erase(key);
  if (!entry.ok()) return entry;
  builder_.connect(rule, *entry, *entry);
  if (builder_.full())
    return schema_too_large(where,
                            "a grammar of at most " + std::to_string(GrammarBuilder::kMaxNodes) + " nodes");
  return rule;
}

Result<uint32_t> SchemaCompiler::build(const Conjunction& all) {
  Shape shape;
  for (const SchemaPlace& place : all) {
    if (auto status = reader_->join(shape, place); !status.ok()) return status.error();
  }
  // Alternatives that nothing stands beside are rules of their own, which others may share.
  if (shape.plain && shape.choices.size() == 1 && !shape.choices[0].exactly_one)
    return build_choice(shape.choices[0]);
  std::vector<Shape> leaves;
  if (auto status = expand(shape, leaves, 0); !status.ok()) return status.error();
  uint32_t entry = builder_.nothing();
  for (const Shape& leaf : leaves) {
    const auto one = build_leaf(leaf);
    if (!one.ok()) return one;
    entry = builder_.either(entry, *one);
    if (builder_.full()) break;
  }
  return entry;
}

Result<uint32_t> SchemaCompiler::build_choice(const Shape::Choice& choice) {
  if (choice.schemas->size() > kMaxAlternatives)
    return schema_too_large(choice.where, "at most " + std::to_string(kMaxAlternatives) + " alternatives");
  uint32_t entry = builder_.nothing();
  for (size_t i = 0; i < choice.schemas->size(); ++i) {
    const auto one = compile_value({{&(*choice.schemas)[i], choice.where + "[" + std::to_string(i) + "]"}});
    if (!one.ok()) return one;
    entry = builder_.either(entry, *one);
  }
  return entry;
}

Result<std::vector<Json>> SchemaCompiler::listed_values(const Shape& shape) {
  std::vector<Json> values;
  for (const Json& value : *shape.values) {
    const Fit fit = fits(value, shape);
    if (fit == Fit::kMaybe) {
      return Error{ErrorKind::kUnsupported, shape.values_place->where,
                   "values beside keywords that are checked here, or without others beside them",
                   shortened(value), ""};
    }
    if (fit == Fit::kYes) values.push_back(value);
  }
  return values;
}

Result<uint32_t> SchemaCompiler::build_leaf(const Shape& shape) {
  const uint32_t done = builder_.done();
  if (shape.copied && shape.types != kStringType)
    return Error{ErrorKind::kUnsupported, shape.copied->where, "type string beside it", "another", ""};
  if (shape.values) {
    const auto values = listed_values(shape);
    if (!values.ok()) return values.error();
    std::vector<std::string> texts;
    for (const Json& value : *values) texts.push_back(python_json(value));
    return builder_.one_of(std::move(texts), done);
  }
  std::vector<std::string> words;
  if ((shape.types & kNullType) != 0) words.push_back("null");
  if ((shape.types & kBooleanType) != 0) words.insert(words.end(), {"false", "true"});
  uint32_t entry = builder_.one_of(std::move(words), done);
  using Builder = Result<uint32_t> (SchemaCompiler::*)(const Shape&);
  const std::pair<unsigned, Builder> builders[] = {
      {kIntegerType | kFractionType, &SchemaCompiler::build_numbers},
      {kArrayType, &SchemaCompiler::build_array},
      {kObjectType, &SchemaCompiler::build_object}};
  if ((shape.types & kStringType) != 0) {
    const auto text = add_string(shape, Spelling::kJson, builder_.text("\"", done));
    if (!text.ok()) return text;
    entry = builder_.either(entry, builder_.text("\"", *text));
  }
  for (const auto& [types, one] : builders) {
    if ((shape.types & types) == 0) continue;
    const auto rule = (this->*one)(shape);
    if (!rule.ok()) return rule;
    entry = builder_.either(entry, *rule);
  }
  return entry;
}

Result<uint32_t> SchemaCompiler::build_numbers(const Shape& shape) {
  if ((shape.types & kFractionType) == 0) return make_integer_within(builder_, shape.numbers);
  return make_number_within(builder_, shape.numbers);
}

Result<uint32_t> SchemaCompiler::add_string(const Shape& shape, Spelling spelling, uint32_t next) {
  const auto refuse = [](const SchemaPlace& place, std::string wanted) {
    return Error{ErrorKind::kUnsupported, place.where, std::move(wanted), shortened(*place.schema), ""};
  };
  if (shape.length.least > shape.length.most) return builder_.nothing();
  if (shape.copied) {
    // A piece is never empty; more about its length is not enforced.
    if (shape.pattern) return refuse(*shape.pattern, "no pattern beside \"copied\"");
    if (shape.format) return refuse(*shape.format, "no format beside \"copied\"");
    if (shape.length.least > 1 || shape.length.most != kNoLimit || spelling != Spelling::kJson)
      return refuse(*shape.copied, "no maxLength, and no minLength above 1, beside \"copied\", in JSON");
    return builder_.copied(next);
  }
  if (shape.pattern && shape.format) return refuse(*shape.format, "no format beside a pattern");
  if (shape.pattern) {
    const std::string where = shape.pattern->where.substr(0, shape.pattern->where.rfind('.'));
    return add_pattern(characters_, shape.pattern->schema->get_ref<const std::string&>(), spelling,
                       shape.length, next, where);
  }
  if (shape.format) {
    const auto pattern = pattern_of_format(shape.format->schema->get_ref<const std::string&>());
    if (pattern.empty()) return refuse(*shape.format, "one of " + known_formats());
    return add_pattern(characters_, pattern, spelling, shape.length, next, shape.format->where);
  }
  if (shape.length.most == 0) return next;
  if (spelling == Spelling::kParameter && shape.length.least == 0 && shape.length.most == kNoLimit)
    return add_text_without(builder_, {"</parameter>", "</function>"}, next);
  const uint32_t character = characters_.rule(CodeSet::all(), spelling);
  return builder_.repeat(character, shape.length.least, shape.length.most, next);
}

}  // namespace ink
