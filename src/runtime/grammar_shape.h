// What a JSON Schema says about one value, in a form that can be built: the keywords of a schema, of all that
// it refers to ($ref) and of all that must hold beside it (allOf), joined; anyOf and oneOf are kept as
// choices that are still to be made. Keywords of a type that a value does not have say nothing, as the
// specification has it. Every keyword that is neither read here nor a mere annotation is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/grammar_numbers.h"
#include "runtime/grammar_pattern.h"

namespace ink {

struct SchemaPlace {
  const Json* schema = nullptr;
  std::string where;
};
using Conjunction = std::vector<SchemaPlace>;  // schemas that all have to hold; none: any value

enum JsonType : unsigned {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kFractionType = 8,  // numbers that are no integers
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
  kAnyType = 127,
};
unsigned json_type(const Json& value);

struct Shape {
  struct Elements {  // of arrays
    Conjunction prefix;
    std::optional<SchemaPlace> rest;
  };
  struct Members {  // of objects
    const Json* properties = nullptr;
    std::optional<SchemaPlace> additional;
    std::string where;
  };
  struct Choice {
    const Json* schemas = nullptr;
    bool exactly_one = false;
    std::string where;
    std::vector<const Json*> inside;  // the schemas that it stands in: none of its alternatives may be one
  };

  unsigned types = kAnyType;
  std::optional<std::vector<Json>> values;
  NumberLimits numbers;
  Counts length, items, properties;
  std::optional<SchemaPlace> pattern, format, copied, unique, values_place, least_properties;
  std::vector<Elements> elements;
  std::vector<Members> members;
  std::vector<std::string> required;
  std::vector<Choice> choices;
  std::vector<const Json*> joined;  // the schemas
  bool plain = true;                // nothing but choices and references

  bool has_joined(const Json* schema) const;
  // The names of its properties in their order, required ones without a declaration behind them.
  std::vector<std::string> names() const;
  bool requires_name(const std::string& name) const;
  // What holds for the property of that name, for an element, for properties without a declaration.
  Conjunction member(const std::string& name) const;
  Conjunction element(size_t index) const;
  // Whether keys without a declaration are written: where additionalProperties says so, or where there are no
  // properties at all.
  bool is_open() const;
  size_t prefix_size() const;
};

class ShapeReader {
 public:
  explicit ShapeReader(const Json& root) : root_(root) {}
  // Joins a schema to the shape; an alternative says what it stands inside of. Errors: kUnsupported, kInvalid
  // and kTooLarge with the place in the schema.
  Status join(Shape& shape, const SchemaPlace& place, std::vector<const Json*> inside = {});

 private:
  static constexpr size_t kMaxJoins = 100'000;  // of schemas, in all: above this it is a bomb
  static constexpr size_t kMaxReferences = 64;  // in each other

  Status join_inside(Shape& shape, const SchemaPlace& place);
  Status join_choice(Shape& shape, const std::string& keyword, const SchemaPlace& place) const;
  Status join_keyword(Shape& shape, const std::string& keyword, const SchemaPlace& place);
  Status join_reference(Shape& shape, const SchemaPlace& place);
  const Json& root_;
  std::vector<const Json*> open_;  // schemas that are being joined, from the outside to the inside
  size_t joins_ = 0;
};

}  // namespace ink
